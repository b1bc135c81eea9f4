package park

import (
	"cmp"
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/model"
)

const (
	// leaveMost is how long placeholders that left the catalog wait for a proxy that
	// cannot be asked whether it still routes to them. One that does is waited for
	// without end: it cannot read the catalog, and is served here.
	leaveMost = 5 * time.Minute
	// steadyTime is for how long an instance has been in every pool before placeholders
	// leave, and steadyMost after how long they do although requests wait.
	steadyTime, steadyMost = 5 * time.Second, time.Minute
	// handTime is the longest that one request waits in a pause by hand, unless the
	// job says: a client that waits longer has gone.
	handTime = time.Minute
)

// Do is what the leader is to do next.
type Do string

// What there is to do.
const (
	// DoNothing: nothing is to be written now.
	DoNothing Do = "Nothing"
	// DoStore writes the record.
	DoStore Do = "Store"
	// DoForget deletes it.
	DoForget Do = "Forget"
)

// Action is the answer of Next: one write at most.
type Action struct {
	Do Do
	// Record is what to write, only if the stored one is still the one that was read.
	Record *Record
	// Finding says how things stand, for a person; the zero one where there is
	// nothing to say.
	Finding Finding
}

// Next returns what the leader is to write next about a service. Where something
// is not known it leaves things as they are, but for what ends by its time.
func Next(w World) Action {
	switch r := w.Record; {
	case r == nil:
		return w.begin()
	case r.Step == StepParking:
		return w.parking()
	case r.Step == StepLeaving:
		return w.leaving()
	case r.Step == StepOut:
		return w.out()
	default:
		return w.over()
	}
}

// begin says whether to begin a park, and writes its record.
func (w *World) begin() Action {
	wanted := w.wanted()
	switch {
	case w.Wish.Invalid != "":
		return w.hold(ReasonInvalid, "not parked for: "+w.Wish.Invalid)
	case !wanted:
		return Action{Do: DoNothing}
	case w.Unknown != "":
		return w.hold(ReasonUnknown, "not parked for: "+w.Unknown)
	case w.Wish.Unfit.Reason != "":
		return Action{Do: DoNothing, Finding: w.Wish.Unfit}
	case w.Wish.Untagged:
		// Without tags a proxy would make a router of its own of a placeholder.
		return w.hold(ReasonUnknown, "not parked for: no instance of it was in the catalog for as long as this draingate leads, so which tags a placeholder needs is not known")
	}
	nodes := Choose(nil, w.Parkers, w.oldNodes())
	if len(nodes) == 0 {
		return w.hold(ReasonNoParker, "no instance of draingate that could take requests for it is present"+problems(w.Parkers))
	}
	r := &Record{
		Format: Format, Service: w.Service, Step: StepParking, Nodes: nodes, Tags: w.Wish.Tags, Prefixes: w.Wish.Prefixes, Probes: w.Wish.Probes, Since: w.Now,
	}
	w.bring(r)
	return w.store(r)
}

// wanted reports whether there is a reason to park: a person's wish, or a gap
// with somebody to wait for. An instance that was never there leaves no gap.
func (w *World) wanted() bool {
	if w.paused() {
		return true
	}
	return w.Wish.Wait > 0 && w.Wish.Successor && w.gap() && len(w.Going) > 0
}

// Asked reports whether the job or a person asks for a park, now or when there is a gap.
func (w *World) Asked() bool { return w.Wish.asks() || w.paused() }

func (w *World) paused() bool { return w.Wish.Paused.After(w.Now) }

// parking goes on with a park, or ends it.
func (w *World) parking() Action {
	r := w.Record.clone()
	if w.Unknown != "" {
		if r.expired(w.Now) {
			return w.leave(r, ReasonExpired, "no instance was seen in time: "+w.Unknown)
		}
		return w.hold(ReasonUnknown, w.Unknown)
	}
	w.bring(&r)
	switch {
	case r.ByHand:
	case w.Clash.Reason != "":
		// No proxy will ever have the instance while a placeholder stands beside it.
		return w.leave(r, w.Clash.Reason, w.Clash.Message)
	case w.steady(r):
		return w.leave(r, "", "an instance is passing and every proxy routes to it")
	case w.served():
	case !w.Wish.Successor && !w.stays():
		return w.leave(r, ReasonNoSuccessor, "the job is stopped, or has no instance to come: there is nothing to wait for")
	case r.expired(w.Now):
		return w.leave(r, ReasonExpired, fmt.Sprintf("no instance for %s (draingate_park)", w.Now.Sub(r.Gap).Round(100*time.Millisecond)))
	}
	if w.changed(r) {
		return w.store(&r)
	}
	return Action{Do: DoNothing, Finding: w.stands(r)}
}

// expired reports whether nothing came in time.
func (r Record) expired(now time.Time) bool {
	return !r.ByHand && !r.Until.IsZero() && !now.Before(r.Until)
}

// store is the write of a record.
func (w *World) store(r *Record) Action {
	r.Owner, r.Mark, r.Written, r.Seq = w.Self, w.Mark, w.Now, 1
	if w.Record != nil {
		r.Seq = w.Record.Seq + 1
	}
	return Action{Do: DoStore, Record: r, Finding: w.stands(*r)}
}

func (w *World) hold(reason model.Reason, message string) Action {
	return Action{Do: DoNothing, Finding: Finding{Reason: reason, Message: message}}
}

// finding says how a park stands.
func (r Record) finding(now time.Time) Finding {
	switch {
	case r.Step == StepParking && r.ByHand:
		return Finding{Reason: ReasonPaused, Message: fmt.Sprintf("requests wait until it is resumed, in %s at the latest", r.Until.Sub(now).Round(time.Second))}
	case r.Step == StepParking && r.Gap.IsZero():
		return Finding{Reason: ReasonParked, Message: "requests are passed to an instance that still answers"}
	case r.Step == StepParking:
		return Finding{Reason: ReasonParked, Message: fmt.Sprintf("no instance for %s: requests wait, for %s at most", now.Sub(r.Gap).Round(100*time.Millisecond), r.Wait)}
	default:
		return Finding{Reason: cmp.Or(r.Reason, ReasonReleased), Message: r.Message}
	}
}

// oldNodes are those of the instances, which may go down with them.
func (w *World) oldNodes() []string {
	var out []string
	for _, i := range w.Instances {
		out = append(out, i.Node)
	}
	return out
}
