package park

import (
	"time"

	"github.com/draingate/draingate/controller/model"
)

// NodeInput is all that an instance knows when it looks at its node.
type NodeInput struct {
	Now  time.Time
	Node string
	Keys Keys
	// Records are all that are stored.
	Records model.Fact[[]Record]
	// Locals are the services of the node's agent.
	Locals model.Fact[[]model.LocalService]
	// Lots are the listeners of this process, by service.
	Lots map[string]Open
	// Others are the services for which another live instance on the node has a
	// lot.
	Others map[string]bool
	Memory NodeMemory
}

// Open is a listener of this process.
type Open struct {
	// Address is host:port.
	Address string
	// Answers is true while it has an instance to pass requests to.
	Answers bool
	// Registered is true once this process has registered its placeholder.
	Registered bool
	// Closing is true once it was told to finish, Closed once it has.
	Closing, Closed bool
	// Waiting are the requests that wait.
	Waiting int
}

// NodeMemory is what an instance remembers between two looks.
type NodeMemory struct {
	// Seen are the records as last read, by service.
	Seen map[string]Sighting
	// Read is when the records were last read.
	Read time.Time
	// Left is since when a lot that is not wanted here is out of the catalog, by
	// service.
	Left map[string]time.Time
}

// Busy reports whether a park is on. A record that only says that one was given up
// may stay for long, and asks for nothing.
func (m NodeMemory) Busy() bool {
	for _, s := range m.Seen {
		if s.Record.Step != StepOver {
			return true
		}
	}
	return false
}

// Sighting is a record with what this instance saw.
type Sighting struct {
	Record Record
	// First is when the record was first seen with its mark.
	First time.Time
	// Dry is since when its lot has had nothing to pass requests to.
	Dry time.Time
}

// NodeAction is what to do on the node. Every list is sorted by service.
type NodeAction struct {
	// Open has the records to listen for.
	Open []Record
	// Register has the services whose placeholder is to be in the catalog.
	Register []string
	// Deregister are the IDs of placeholders that are not to be in it.
	Deregister []string
	// Expire are the services whose waiting requests are to be answered now.
	Expire []string
	// Close are the services whose listener is to finish.
	Close []string
	// Set has the reason of each maintenance to set, by service ID; Lift are the
	// services whose maintenance of ours is to end.
	Set  map[string]string
	Lift []string
	// Lots is what to say of each lot.
	Lots map[string]Lot
}

// look brings the memory up to what was read.
func look(in NodeInput) NodeMemory {
	m := NodeMemory{Seen: map[string]Sighting{}, Read: in.Memory.Read, Left: map[string]time.Time{}}
	if in.Records.Known() {
		m.Read = in.Records.At
		for _, r := range in.Records.Value {
			m.Seen[r.Service] = in.Memory.sighting(r, in)
		}
		return m
	}
	if m.Read.IsZero() {
		// What a process before this one did stands for as long as what it had read.
		m.Read = in.Now
	}
	for service, s := range in.Memory.Seen {
		m.Seen[service] = in.Memory.sighting(s.Record, in)
	}
	return m
}

func (m NodeMemory) sighting(r Record, in NodeInput) Sighting {
	s := Sighting{Record: r, First: in.Now}
	if before, seen := m.Seen[r.Service]; seen {
		if s.Dry = before.Dry; !before.Record.Gap.Equal(r.Gap) {
			s.Dry = time.Time{} // It is promised anew, as to another version.
		}
		if before.Record.Mark == r.Mark {
			s.First = before.First
		}
	}
	// Without a listener nobody knows better: a park that this instance gave up is
	// not begun anew only because its listener is gone, and no leader has said anything.
	if lot, open := in.Lots[r.Service]; open || r.ByHand {
		s.Dry = since(s.Dry, !lot.Answers && !r.ByHand, in.Now)
	}
	return s
}

func since(before time.Time, so bool, now time.Time) time.Time {
	switch {
	case !so:
		return time.Time{}
	case before.IsZero():
		return now
	default:
		return before
	}
}

// Ends is when this instance takes the record's own end to be: by the clock of
// whoever wrote it, or sooner by how long ago it was first seen.
func (s Sighting) Ends(at time.Time) time.Time {
	if mine := s.First.Add(at.Sub(s.Record.Written)); mine.Before(at) {
		return mine
	}
	return at
}
