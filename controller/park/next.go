package park

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
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

// stays reports whether an instance is there that nobody told to stop. It may come
// back, as from a pause: a person who resumes leaves no word of the job behind.
func (w *World) stays() bool {
	return slices.ContainsFunc(w.Instances, func(i Instance) bool { return !i.Going })
}

// bring brings a record up to what is so now.
func (w *World) bring(r *Record) {
	if w.Wish.Job != "" {
		if r.Job != "" && r.Version != w.Wish.Version && !r.Gap.IsZero() {
			// Another version is another promise.
			r.Gap = w.Now
		}
		r.Namespace, r.Job, r.Group, r.Version = w.Wish.Namespace, w.Wish.Job, w.Wish.Group, w.Wish.Version
	}
	r.Nodes = Choose(r.Nodes, w.able(r.Nodes), w.oldNodes())
	r.Addresses = w.addresses(r.Addresses)
	r.Going = merge(r.Going, w.Going)
	r.ByHand = w.paused()
	r.Wait = cmp.Or(w.Wish.Wait, r.Wait)
	r.Served = since(r.Served, w.served(), w.Now)
	r.Fenced = nil
	switch {
	case r.ByHand:
		r.Wait = max(w.Wish.Wait, handTime, w.Wish.Paused.Sub(w.Now).Round(time.Second))
		if w.Record != nil {
			// What was written once stays, so that nothing changes with each pass.
			r.Wait = max(r.Wait, w.Record.Wait)
		}
		r.Until, r.Gap = w.Wish.Paused, time.Time{}
		if w.inPlace() || w.Record != nil && len(w.Record.Fenced) > 0 {
			r.Fenced = w.targets()
		}
	case w.answers():
		r.Gap, r.Until = time.Time{}, time.Time{}
	default:
		if r.Gap.IsZero() {
			r.Gap = w.Now
		}
		r.Until = r.Gap.Add(r.Wait)
	}
}

// able are those who can park. A node whose placeholder answers its check goes on,
// whatever became of its word: a session ends sooner than what it stands for, and with the
// last node requests would have nowhere to go.
func (w *World) able(before []string) map[string]Presence {
	out := map[string]Presence{}
	maps.Copy(out, w.Parkers)
	for _, i := range w.Placeholders {
		if i.Passing && slices.Contains(before, i.Node) {
			out[i.Node] = Presence{}
		}
	}
	return out
}

// targets are the real instances, which a pause takes out.
func (w *World) targets() []Target {
	var out []Target
	for _, i := range w.Instances {
		if !i.Going {
			out = append(out, Target{Node: i.Node, Service: i.ID})
		}
	}
	slices.SortFunc(out, func(a, b Target) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Service, b.Service)) })
	return out
}

// merge takes over what is going now; when each ends stays as it was first told,
// and where it serves as it was last seen.
func merge(before, now []Going) []Going {
	out := slices.Clone(now)
	for i, g := range out {
		for _, b := range before {
			if b.Alloc == g.Alloc {
				out[i].Until, out[i].Address = b.Until, cmp.Or(g.Address, b.Address)
			}
		}
	}
	return out
}

// expired reports whether nothing came in time.
func (r Record) expired(now time.Time) bool {
	return !r.ByHand && !r.Until.IsZero() && !now.Before(r.Until)
}

// changed reports whether a record says something else than the stored one.
func (w *World) changed(r Record) bool {
	before := *w.Record
	if before.Gap.Equal(r.Gap) {
		before.Gap = r.Gap
	}
	if before.Until.Equal(r.Until) {
		before.Until = r.Until
	}
	if before.Served.Equal(r.Served) {
		before.Served = r.Served
	}
	return !reflect.DeepEqual(normal(before), normal(r))
}

// normal is a record without the difference between no and an empty list.
func normal(r Record) Record {
	r = r.clone()
	if len(r.Nodes) == 0 {
		r.Nodes = nil
	}
	if len(r.Going) == 0 {
		r.Going = nil
	}
	if len(r.Fenced) == 0 {
		r.Fenced = nil
	}
	if len(r.Addresses) == 0 {
		r.Addresses = nil
	}
	for i := range r.Going {
		r.Going[i].Until = r.Going[i].Until.Round(0).UTC()
	}
	return r
}

// leave ends the parking: placeholders leave the catalog.
func (w *World) leave(r Record, reason model.Reason, message string) Action {
	r.Step, r.Since, r.Reason, r.Message = StepLeaving, w.Now, reason, message
	r.ByHand, r.Fenced = false, nil
	return w.store(&r)
}

// steady reports whether an instance has been in every pool for a while, and has
// taken what waited: a cold one may miss its check under what is let go to it, and then
// nobody would be left.
func (w *World) steady(r Record) bool {
	held := w.Now.Sub(r.Served)
	return w.served() && !r.Served.IsZero() && (held >= steadyTime && w.waiting() == 0 || held >= steadyMost)
}

// reopened reports whether the instance for which placeholders leave fails its check.
func (w *World) reopened(r Record) bool {
	return w.Unknown == "" && r.Reason == "" && w.Wish.Wait > 0 && w.Wish.Successor && w.gap()
}

// leaving waits until no proxy routes to a placeholder, or goes back to parking
// where a new gap has opened.
func (w *World) leaving() Action {
	r := w.Record.clone()
	again := w.Unknown == "" && w.wanted() && (r.Reason != ReasonExpired || r.Version != w.Wish.Version) || w.reopened(r)
	switch {
	case again && w.Wish.Unfit.Reason == "":
		r.Step, r.Since, r.Reason, r.Message, r.Gap, r.Served, r.Back = StepParking, w.Now, "", "", time.Time{}, time.Time{}, w.Now
		w.bring(&r)
		return w.store(&r)
	case w.all(LotLeft, LotClosed) && !w.routed() && (!w.unsure() || w.Now.Sub(r.Since) > leaveMost):
		r.Step, r.Since = StepOut, w.Now
		return w.store(&r)
	default:
		return Action{Do: DoNothing, Finding: r.finding(w.Now)}
	}
}

// out waits until the listeners are closed.
func (w *World) out() Action {
	r := w.Record.clone()
	switch {
	case !w.all(LotClosed):
		return Action{Do: DoNothing, Finding: r.finding(w.Now)}
	case r.Reason == ReasonExpired:
		r.Step, r.Since, r.Nodes, r.Going = StepOver, w.Now, nil, nil
		return w.store(&r)
	default:
		return Action{Do: DoForget}
	}
}

// over waits for another version, or for anything that shows that the gap is over.
func (w *World) over() Action {
	r := *w.Record
	switch {
	case w.Unknown != "":
		return Action{Do: DoNothing, Finding: r.finding(w.Now)}
	case !w.gap() || w.Wish.Wait == 0 && !w.paused() || !w.Wish.Successor:
		return Action{Do: DoForget}
	case w.paused() || w.Wish.Version != r.Version:
		before := w.Record
		w.Record = nil
		w.Going = append(w.Going, Going{})
		action := w.begin()
		w.Record = before
		if action.Record != nil {
			action.Record.Seq, action.Record.Going = r.Seq+1, nil
			if len(action.Record.Tags) == 0 {
				// No instance is there to take them from.
				action.Record.Tags = r.Tags
			}
		}
		return action
	default:
		return Action{Do: DoNothing, Finding: r.finding(w.Now)}
	}
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
