package park

import (
	"time"

	"github.com/draingate/draingate/controller/model"
)

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
	again := w.Unknown == "" && w.wanted() && (r.Reason != ReasonExpired || w.another(r)) || w.reopened(r)
	switch {
	case again && w.Wish.Unfit.Reason == "" && w.Clash.Reason == "":
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

// another reports whether what is to come is of another job or version than the record
// is for.
func (w *World) another(r Record) bool {
	return r.Namespace != w.Wish.Namespace || r.Job != w.Wish.Job || r.Version != w.Wish.Version
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
	case w.paused() || w.another(r):
		before := w.Record
		w.Record = nil
		w.Going = append(w.Going, Going{})
		if w.Wish.Untagged {
			w.Wish.Tags, w.Wish.Untagged = r.Tags, false
		}
		action := w.begin()
		w.Record = before
		if action.Record != nil {
			action.Record.Seq, action.Record.Going = r.Seq+1, nil
		}
		return action
	default:
		return Action{Do: DoNothing, Finding: r.finding(w.Now)}
	}
}
