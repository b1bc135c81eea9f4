package park

import (
	"slices"
	"time"
)

// World is all that bears on the park of one service, as it was read.
type World struct {
	Now     time.Time
	Service string
	// Unknown says what could not be read of the jobs, their allocations or the
	// catalog; empty where all of it was.
	Unknown string
	// Wish is what jobs and people ask for.
	Wish Wish
	// Instances are the real ones in the catalog.
	Instances []Instance
	// Going are the allocations that were told to stop and have not ended.
	Going []Going
	// Pools is what the proxies route to.
	Pools Pools
	// Parkers are the instances of draingate, by node.
	Parkers map[string]Presence
	// Placeholders are the instances of draingate in the catalog.
	Placeholders []Instance
	// Record is nil where nothing is stored.
	Record *Record
	// Clash says what an instance and the placeholders define differently, so that a
	// proxy drops it while both are there; the zero Finding for nothing.
	Clash Finding
	// Self and Mark are the name of the instance that decides, and what it marks a
	// write with.
	Self, Mark string
}

// Wish is what is asked for a service.
type Wish struct {
	// Namespace, Job, Group and Version are of the job that is to have instances of
	// it; empty where none is.
	Namespace, Job, Group string
	Version               uint64
	// Wait is draingate_park; zero where the job does not ask to be parked for.
	Wait time.Duration
	// Invalid says why draingate_park means nothing; empty where it does.
	Invalid string
	// Successor is true where an instance is to come: the job is not stopped and its
	// group's count is not 0.
	Successor bool
	// Paused is until when a person wants it paused; zero where nobody does.
	Paused time.Time
	// Tags are those of a registered instance; Prefixes are those of the proxies.
	Tags, Prefixes []string
	// Untagged is true where none was seen to take the tags from.
	Untagged bool
	// Probes are the checks of proxies that a placeholder has to answer.
	Probes []Probe
	// Unfit says why the service cannot be parked for; the zero Finding where it can.
	Unfit Finding
}

// Instance is an instance of the service in the catalog.
type Instance struct {
	ID, Alloc, Node string
	// Address is host:port.
	Address string
	Passing bool
	// Going is true where its allocation was told to stop.
	Going bool
	// Ours is true where it is in the maintenance of this service's pause.
	Ours bool
	// Takers says how the proxies that take it stand to it.
	Takers Takers
}

// Takers says how the proxies that take an instance stand to it.
type Takers int

const (
	// TakersUnknown says: of at least one proxy that is not known.
	TakersUnknown Takers = iota
	// TakersNone says: no proxy takes the instance.
	TakersNone
	// TakersSome says: one that takes it does not route to it yet.
	TakersSome
	// TakersAll says: every proxy that takes it routes to it.
	TakersAll
)

// Pools is what all proxies together route to.
type Pools struct {
	// Unknown says which proxy could not be asked; empty where all were.
	Unknown string
	// Addresses are all servers of all load balancers, as host:port.
	Addresses map[string]bool
	// Throttle is the longest that one of them holds back what it has read.
	Throttle time.Duration
}

// real is an instance that stays and can be relied on.
func (i Instance) real() bool { return i.Passing && !i.Going }

// gap reports whether no instance stays that could take requests.
func (w *World) gap() bool {
	for _, i := range w.Instances {
		if i.real() {
			return false
		}
	}
	return true
}

// served reports whether an instance that stays is in the pool of every proxy that
// takes it.
func (w *World) served() bool {
	for _, i := range w.Instances {
		if i.real() && (i.Takers == TakersAll || i.Takers == TakersNone) {
			return true
		}
	}
	return false
}

// answers reports whether there is something to pass requests to.
func (w *World) answers() bool {
	for _, i := range w.Instances {
		if i.Passing {
			return true
		}
	}
	for _, g := range w.Going {
		if g.Until.After(w.Now) {
			return true
		}
	}
	return false
}

// inPlace reports whether every node of the record has a placeholder that every
// proxy routes to.
func (w *World) inPlace() bool {
	if w.Record == nil || len(w.Record.Nodes) == 0 || w.Pools.Unknown != "" || w.Now.Sub(w.Record.Back) < 2*w.Record.settle() {
		return false // A pool may have what came before, and lose it once more.
	}
	for _, node := range w.Record.Nodes {
		there := false
		for _, i := range w.Placeholders {
			there = there || i.Node == node && i.Passing && i.Takers == TakersAll
		}
		if !there {
			return false
		}
	}
	return true
}

// all reports whether every node of the record that has an instance of draingate
// has come that far with this record. A node that has none any more has no
// listener either.
func (w *World) all(states ...LotState) bool {
	for _, node := range w.Record.Nodes {
		p, present := w.Parkers[node]
		if !present {
			continue
		}
		lot, has := p.Lots[w.Service]
		ok := false
		for _, s := range states {
			ok = ok || has && lot.Mark == w.Record.Mark && lot.State == s
		}
		if !ok {
			return false
		}
	}
	return true
}

// addresses adds where placeholders are to where they were, sorted.
func (w *World) addresses(before []string) []string {
	out := slices.Clone(before)
	for _, p := range w.Parkers {
		if lot := p.Lots[w.Service]; lot.Address != "" {
			out = append(out, lot.Address)
		}
	}
	for _, i := range w.Placeholders {
		out = append(out, i.Address)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// waiting is how many requests wait, as the instances last said.
func (w *World) waiting() (out int) {
	for _, p := range w.Parkers {
		out += p.Lots[w.Service].Waiting
	}
	return out
}

// hushed reports whether a pause is in force: every instance that stays is in its
// maintenance, and no proxy routes to one.
func (w *World) hushed(r Record) bool {
	if !w.inPlace() { // nor is it where a proxy could not be asked
		return false
	}
	for _, i := range w.Instances {
		if !i.Ours && !i.Going || w.Pools.Addresses[i.Address] {
			return false
		}
	}
	return r.ByHand
}

// stands says how a record stands in this world. A pause that is on its way is told
// apart from one that is in force.
func (w *World) stands(r Record) Finding {
	f := r.finding(w.Now)
	if f.Reason == ReasonPaused && !w.hushed(r) {
		return Finding{Reason: ReasonPausing, Message: "placeholders come in and instances leave: requests may still reach one"}
	}
	return f
}

// routed reports whether a proxy is known to route to a placeholder, or will since
// one that answers is in the catalog.
func (w *World) routed() bool {
	return slices.ContainsFunc(w.addresses(w.Record.Addresses), func(a string) bool { return w.Pools.Addresses[a] }) ||
		slices.ContainsFunc(w.Placeholders, func(i Instance) bool { return i.Passing })
}

// unsure reports whether a proxy may route to a placeholder without anyone knowing.
func (w *World) unsure() bool { return w.Pools.Unknown != "" || w.Unknown != "" }
