package parker

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/park"
)

// apply carries out an action. What takes out of rotation comes last, what brings
// back first.
func (p *Parker) apply(ctx, orders context.Context, in park.NodeInput, action park.NodeAction) (changed bool, err error) {
	var problems []error
	note := func(act string, err error) {
		p.options.did(act, err)
		problems = append(problems, err)
		changed = changed || err == nil
	}
	for _, id := range action.Lift {
		_, err := p.consul.LiftMaintenance(orders, id, p.reason(in, id))
		note(ActLift, err)
	}
	for _, r := range action.Open {
		problems = append(problems, p.open(ctx, r))
		changed = true
	}
	for _, service := range action.Register {
		note(ActRegister, p.register(orders, service))
	}
	for _, service := range action.Expire {
		p.lots[service].Expire()
	}
	for _, id := range slices.Sorted(maps.Keys(action.Set)) {
		_, err := p.consul.SetMaintenance(orders, id, action.Set[id])
		note(ActSet, err)
	}
	for _, id := range action.Deregister {
		note(ActDeregister, p.consul.Deregister(orders, id))
	}
	for _, service := range action.Close {
		p.lots[service].finish(p.life, func() { loop.Signal(p.due) })
	}
	p.drop(action)
	return changed, errors.Join(problems...)
}

func (p *Parker) reason(in park.NodeInput, id string) string {
	for _, l := range in.Locals.Value {
		if l.ID == id {
			return l.Reason
		}
	}
	return ""
}

// drop forgets listeners that are closed.
func (p *Parker) drop(action park.NodeAction) {
	for service, l := range p.lots {
		s := l.state()
		said, is := action.Lots[service]
		if s.Closed && (!is || said.State == park.LotClosed) {
			delete(p.lots, service)
			p.tails = append(slices.DeleteFunc(p.tails, func(l *lot) bool { return l.ended.Load() }), l)
		}
	}
}
