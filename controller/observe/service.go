package observe

import (
	"context"
	"sync"

	"github.com/draingate/draingate/controller/model"
)

// Service reads the instances of one service, and what every proxy makes of them,
// at one time, within the pass timeout.
func (o *Observer) Service(ctx context.Context, name string) (model.Fact[[]model.Registration], model.Fact[[]model.Proxy]) {
	ctx, cancel := context.WithTimeout(ctx, o.options.PassTimeout)
	defer cancel()
	var catalog map[string]model.Fact[[]model.Registration]
	var proxies model.Fact[[]model.Proxy]
	var parts sync.WaitGroup
	parts.Go(func() { catalog = o.readCatalog(ctx, []string{name}) })
	parts.Go(func() { proxies = o.Proxies(ctx) })
	parts.Wait()
	return catalog[name], withTags(proxies, catalog, o.options.ReadTags)
}
