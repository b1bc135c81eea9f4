package park

import (
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
	// Everywhere is true where every proxy that takes it routes to it.
	Everywhere bool
}

// Pools is what all proxies together route to.
type Pools struct {
	// Unknown says which proxy could not be asked; empty where all were.
	Unknown string
	// Addresses are all servers of all load balancers, as host:port.
	Addresses map[string]bool
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

// served reports whether an instance that stays is in every pool.
func (w *World) served() bool {
	for _, i := range w.Instances {
		if i.real() && i.Everywhere {
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
	if w.Record == nil || len(w.Record.Nodes) == 0 || w.Pools.Unknown != "" {
		return false
	}
	for _, node := range w.Record.Nodes {
		there := false
		for _, i := range w.Placeholders {
			there = there || i.Node == node && i.Passing && i.Everywhere
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

// routed reports whether a proxy may still route to a placeholder.
func (w *World) routed() bool {
	if w.Pools.Unknown != "" {
		return true
	}
	for _, p := range w.Parkers {
		if lot, has := p.Lots[w.Service]; has && w.Pools.Addresses[lot.Address] {
			return true
		}
	}
	for _, i := range w.Placeholders {
		if w.Pools.Addresses[i.Address] {
			return true
		}
	}
	return false
}
