package park

import (
	"maps"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

const (
	// orphanAfter is how long an instance goes on with a park whose record it cannot
	// read, or whose time is over without anyone having ended it.
	orphanAfter = time.Minute
	// linger is how long a listener goes on once no proxy is known to route to it: a
	// proxy may switch a little after it says so.
	linger = 2 * time.Second
	// defaultThrottle is Traefik's own (v3.6.12, pkg/config/static), and loadTime what
	// a proxy may take to load the catalog and to apply it.
	defaultThrottle = 2 * time.Second
	loadTime        = 3 * time.Second
)

// Apply returns what an instance is to do on its node. What it cannot read stays
// as it is for a while, and then ends.
func Apply(in NodeInput) (NodeAction, NodeMemory) {
	n := node{NodeInput: in, m: look(in), out: NodeAction{Set: map[string]string{}, Lots: map[string]Lot{}}}
	for _, service := range slices.Sorted(maps.Keys(n.m.Seen)) {
		n.consider(n.m.Seen[service])
	}
	for _, service := range slices.Sorted(maps.Keys(in.Lots)) {
		if _, seen := n.m.Seen[service]; !seen {
			n.end(service, orphanAfter)
		}
	}
	n.sweep()
	return n.out, n.m
}

// node is one evaluation of Apply.
type node struct {
	NodeInput
	m     NodeMemory
	out   NodeAction
	fence map[string]string
}

// consider takes in what one record says about the node.
func (n *node) consider(s Sighting) {
	r := s.Record
	mine := slices.Contains(r.Nodes, n.Node)
	switch {
	case r.Step == StepParking && n.forsaken(s):
		n.end(r.Service, orphanAfter)
	case r.Step == StepParking && mine:
		n.park(s)
	case r.Step == StepLeaving && mine:
		n.leave(s)
	case r.Step == StepOut || r.Step == StepOver:
		n.end(r.Service, linger)
	default:
		// Another node has its place. Nobody tells when the proxies have seen that.
		n.end(r.Service, orphanAfter)
	}
	if r.Step == StepParking && r.ByHand && n.Now.Before(s.Ends(r.Until)) {
		n.want(r)
	}
}

// forsaken reports whether nobody ended a park that should have ended.
func (n *node) forsaken(s Sighting) bool {
	r := s.Record
	switch {
	case !n.Records.Known() && n.late():
		return true
	case r.ByHand:
		return n.Now.After(s.Ends(r.Until).Add(orphanAfter))
	default:
		return !s.Dry.IsZero() && n.Now.Sub(s.Dry) > r.Wait+orphanAfter
	}
}

// park has a listener, a placeholder in the catalog, and says so once both are
// there.
func (n *node) park(s Sighting) {
	r := s.Record
	lot, open := n.Lots[r.Service]
	switch {
	case lot.Closing:
		// It finishes first; another one is opened then.
		n.say(s, lot, LotClosed)
	case !open:
		n.out.Open = append(n.out.Open, r)
	case !n.Locals.Known():
	case n.missing(r.Service, lot):
		n.out.Register = append(n.out.Register, r.Service)
	case n.registered(r.Service):
		n.say(s, lot, LotIn)
	}
	if open && !s.Dry.IsZero() && n.Now.Sub(s.Dry) >= r.Wait {
		n.out.Expire = append(n.out.Expire, r.Service)
	}
}

// leave takes the placeholder out of the catalog; its listener goes on.
func (n *node) leave(s Sighting) {
	lot, open := n.Lots[s.Record.Service]
	switch {
	case !open || lot.Closed:
		n.say(s, lot, LotClosed)
	case !n.Locals.Known() || n.registered(s.Record.Service):
		// sweep deregisters it.
	case n.outFor(s.Record.Service) >= s.Record.settle():
		n.say(s, lot, LotLeft)
	}
	if open && s.Record.Reason != "" && s.Record.Reason != ReasonTagsDiffer { // with that one an instance is there
		n.out.Expire = append(n.out.Expire, s.Record.Service)
	}
}

// end has a listener finish that has been out of the catalog for so long.
func (n *node) end(service string, after time.Duration) {
	lot, open := n.Lots[service]
	s, seen := n.m.Seen[service]
	switch {
	case !open || lot.Closed:
		if seen && slices.Contains(s.Record.Nodes, n.Node) {
			n.say(s, lot, LotClosed)
		}
		return
	case lot.Closing || !n.Locals.Known() || n.registered(service):
		return
	}
	if min(n.outFor(service), n.Now.Sub(s.First)) >= after {
		n.out.Close = append(n.out.Close, service)
	}
}

// outFor is for how long the service's lot was seen to be out of the catalog.
func (n *node) outFor(service string) time.Duration {
	left := since(n.Memory.Left[service], true, n.Now)
	n.m.Left[service] = left
	return n.Now.Sub(left)
}

func (n *node) say(s Sighting, lot Open, state LotState) {
	n.out.Lots[s.Record.Service] = Lot{Mark: s.Record.Mark, Address: lot.Address, State: state, Waiting: lot.Waiting}
}

// missing reports whether the placeholder at the agent is not that of this listener:
// there is none, or what a process left behind that died, whose check has another secret
// though its port may be the same. That of a live one stays, or both would replace each
// other for ever.
func (n *node) missing(service string, lot Open) bool {
	id := n.Keys.Placeholder(service, n.Node)
	return !slices.ContainsFunc(n.Locals.Value, func(l model.LocalService) bool {
		return l.ID == id && (lot.Registered && l.Address == lot.Address || n.Others[service] && !l.Critical)
	})
}

// registered reports whether the placeholder is at the agent, or may be.
func (n *node) registered(service string) bool {
	id := n.Keys.Placeholder(service, n.Node)
	return slices.ContainsFunc(n.Locals.Value, func(l model.LocalService) bool { return l.ID == id })
}

// want takes in what a pause has in maintenance.
func (n *node) want(r Record) {
	if n.fence == nil {
		n.fence = map[string]string{}
	}
	for _, t := range r.Fenced {
		if t.Node == n.Node {
			n.fence[t.Service] = n.Keys.Reason(r.Service)
		}
	}
}

// sweep takes out what should not be at the agent, and sets and lifts
// maintenances.
func (n *node) sweep() {
	if !n.Locals.Known() {
		return
	}
	for _, l := range n.Locals.Value {
		if service, ours := n.Keys.PlaceholderOf(l.ID, n.Node); ours && !n.stays(service) {
			n.out.Deregister = append(n.out.Deregister, l.ID)
		}
		reason, wanted := n.fence[l.ID]
		_, ours := n.Keys.Ours(l.Reason)
		switch {
		case wanted && !l.Maintenance:
			n.out.Set[l.ID] = reason
		case !wanted && ours && l.Maintenance && (n.Records.Known() || n.late()):
			n.out.Lift = append(n.out.Lift, l.ID)
		}
	}
}

// late reports whether the records could not be read for so long that what they
// said stands no more.
func (n *node) late() bool { return n.Now.Sub(n.m.Read) > orphanAfter }

// stays reports whether the service's placeholder belongs at the agent: that of a
// lot of this process which parks, or of another live instance.
func (n *node) stays(service string) bool {
	s, seen := n.m.Seen[service]
	_, open := n.Lots[service]
	switch {
	case n.Others[service]:
		return true
	case !open:
		return !seen && !n.Records.Known() && !n.late()
	case !seen:
		return false
	default:
		return s.Record.Step == StepParking && slices.Contains(s.Record.Nodes, n.Node) && !n.forsaken(s)
	}
}
