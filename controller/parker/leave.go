package parker

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/loop"
)

// leave is for the end of the process: placeholders leave the catalog, what is
// under way is finished, and what waits is refused in the end.
func (p *Parker) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	for _, service := range slices.Sorted(maps.Keys(p.lots)) {
		id := p.options.Keys.Placeholder(service, p.board.Node())
		err := p.consul.Deregister(ctx, id)
		p.options.did(ActDeregister, err)
		if err != nil {
			logr.FromContextOrDiscard(ctx).Info("placeholder may be left behind: Consul removes it a minute after its check fails", "service", service, "why", err.Error())
		}
	}
	p.liftAll(ctx)
	p.finishAll(ctx)
	left := p.garage.Close(ctx)
	p.end()
	for _, l := range slices.AppendSeq(p.tails, maps.Values(p.lots)) {
		l.cancel()
		l.work.Wait()
	}
	if !left.None() {
		logr.FromContextOrDiscard(ctx).Info("connections cut at the end of this instance", "waiting", left.Waiting, "underWay", left.UnderWay, "upgrades", left.Upgrades)
	}
}

// finishAll waits until no request comes any more and those that came have their
// answer, or the time is over: proxies go on routing here until they have seen that
// the placeholders left.
func (p *Parker) finishAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var all sync.WaitGroup
	for _, l := range p.lots {
		all.Go(func() { l.settle(ctx) })
	}
	all.Wait()
}

// liftAll ends the maintenances of pauses on this node.
func (p *Parker) liftAll(ctx context.Context) {
	services, err := loop.Call(ctx, p.consul.LocalServices)
	if err != nil {
		return
	}
	for _, s := range services {
		if _, ours := p.options.Keys.Ours(s.Reason); ours && s.Maintenance {
			_, err := p.consul.LiftMaintenance(ctx, s.ID, s.Reason)
			p.options.did(ActLift, err)
		}
	}
}
