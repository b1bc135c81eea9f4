package observe

import (
	"context"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// agent keeps where the local agent is, which does not change. The zero value
// has not asked yet.
type agent struct {
	mu    sync.Mutex
	place model.Fact[place]
}

type place struct{ region, datacenter string }

// read returns the local region and datacenter, or why they are not known: then
// no deployment can be taken for a local one.
func (a *agent) read(ctx context.Context, nomad Nomad, timeout time.Duration) model.Fact[place] {
	a.mu.Lock()
	kept := a.place
	a.mu.Unlock()
	if kept.Known() {
		return kept
	}
	kept = read(ctx, timeout, func(ctx context.Context) (place, error) {
		region, datacenter, err := nomad.Agent(ctx)
		return place{region, datacenter}, err
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.place = kept
	return kept
}
