package parker

import (
	"context"

	"github.com/draingate/draingate/controller/loop"
)

// watch has a pass made whenever a record changes, until ctx ends.
func (p *Parker) watch(ctx context.Context) {
	pause := loop.NewPause(p.options.TTL)
	var index uint64
	for ctx.Err() == nil {
		now, err := p.await(ctx, index)
		if err != nil {
			index = 0
			loop.Sleep(ctx, pause.NextBackOff())
			continue
		}
		pause.Reset()
		if now != index {
			loop.Signal(p.due)
		}
		index = max(now, 1)
		loop.Sleep(ctx, passGap)
	}
}

func (p *Parker) await(ctx context.Context, index uint64) (uint64, error) {
	// Consul adds up to a sixteenth to the time (agent/blockingquery, v1.22.3).
	ctx, cancel := context.WithTimeout(ctx, watchTime+watchTime/16+loop.CallTime)
	defer cancel()
	_, now, err := p.consul.List(ctx, p.options.Keys.Records(), index, watchTime)
	return now, err
}
