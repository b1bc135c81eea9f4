package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// awaitingSince is when the deployment was first seen to wait for nothing but
// its promotion: until all canaries are healthy Nomad's own progress_deadline
// runs. What was begun stays, whatever becomes of the canaries.
func awaitingSince(v *view) time.Time {
	d := v.Snapshot.Deployment
	if !v.Memory.AwaitingSince.IsZero() || !d.Known() || d.Value.Terminal() || len(v.groups) == 0 ||
		canaryNotPlaced(v) != "" || canaryNotHealthy(v) != "" {
		return v.Memory.AwaitingSince
	}
	return v.Now
}

// overdue reports whether the deployment has waited for longer than it may.
func (v *view) overdue() bool {
	since := v.memory.AwaitingSince
	return !since.IsZero() && v.deadline > 0 && v.Now.Sub(since) >= v.deadline
}

// expire turns a hold whose deadline has passed into a Fail where the job asks
// for that and nothing is lost by it. What a person says, such as a freeze or a
// pause, is waited for however long it takes.
func (v *view) expire(d *model.Decision) {
	of := func(s step) bool { return s.reason == d.Reason }
	switch {
	case !v.overdue():
		return
	case v.onDeadline != model.OnDeadlineFail:
		v.late = "on_deadline = hold: promote or fail it by hand, or cure what holds it"
		return
	case slices.ContainsFunc(standing, of):
		v.late = "not failed, since it is the job or a person that says to hold"
		return
	}
	if why := failUnsafe(v); why != "" {
		v.late = "not failed, since that may drop requests: " + why
		return
	}
	d.Message = fmt.Sprintf("waits for its promotion since %s, longer than the hold deadline of %s, because of %s: %s The old group is proven healthy and every canary can leave without a loss.",
		v.clock(v.memory.AwaitingSince), text(v.deadline), d.Reason, sentence(d.Message))
	d.Verb, d.Reason = model.Fail, ReasonHoldDeadlinePassed
}

// sentence ends a message with a full stop.
func sentence(message string) string {
	if len(message) > 0 && message[len(message)-1] == '.' {
		return message
	}
	return message + "."
}

// clock shows a time by the clock of this pass: a message that a deadline ended
// at an hour which has not come yet would be false.
func (v *view) clock(t time.Time) string {
	return model.OnClock(v.Now, t).UTC().Format("2006-01-02 15:04:05Z")
}

// failUnsafe says what is not proven of a deployment that would be failed: that
// its old group carries all requests, and that its canaries, which Nomad stops
// at once, go on serving for as long as a proxy may route to them. It is empty
// where all of that is known to be so.
func failUnsafe(v *view) string {
	if s, message := first(v, blind); s != nil {
		return message
	}
	for _, find := range []func(*view) string{otherGroups, notRoutedHere, oldsMissing, oldNotRegistered, oldNotPassing, routerVanished, oldUnlisted, canaryLeavesTooSoon} {
		if message := find(v); message != "" {
			return message
		}
	}
	return ""
}

// otherGroups finds a group that this deployment has changed already: failing it
// would leave that group between two versions, or revert it.
func otherGroups(v *view) string {
	for _, g := range v.Snapshot.Deployment.Value.Groups {
		if g.DesiredCanaries > 0 && g.Promoted {
			return fmt.Sprintf("group %q of the deployment is promoted already", g.Name)
		}
	}
	if names := v.ungated(); len(names) > 0 {
		return "Nomad replaces a group without canaries in the same deployment: " + strings.Join(names, ", ")
	}
	return ""
}

// notRoutedHere finds a group that no proxy routes to: what routes to its
// instances, if anything does, is then not known.
func notRoutedHere(v *view) string {
	return v.eachGroup(func(g group) string {
		if slices.ContainsFunc(g.pools, func(p pool) bool { return p.exposed }) {
			return ""
		}
		return fmt.Sprintf("no proxy that is known routes to group %q, so it is not known what does", g.state.Name)
	})
}

func oldsMissing(v *view) string {
	return v.eachGroup(func(g group) string {
		running := 0
		for _, a := range g.olds {
			if a.ClientStatus == model.ClientRunning && !a.Migrating {
				running++
			}
		}
		if running >= g.state.DesiredTotal && running > 0 {
			return ""
		}
		return fmt.Sprintf("group %q has %d of %d old allocations running", g.state.Name, running, g.state.DesiredTotal)
	})
}

func oldNotPassing(v *view) string {
	return v.eachGroup(func(g group) string {
		for _, a := range g.olds {
			for _, r := range v.byAlloc[a.ID] {
				if r.Status != model.StatusPassing {
					return fmt.Sprintf("old allocation %s of service %q is %s in Consul%s", a.ShortID(), r.ServiceName, r.Status, failing(r))
				}
			}
		}
		return ""
	})
}

func oldUnlisted(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		if !p.exposed {
			return ""
		}
		if len(p.services) == 0 {
			return fmt.Sprintf("proxy %s lists no old instance of group %q", p.proxy.Name, g.state.Name)
		}
		for _, a := range g.olds {
			if missing := v.unlisted(p, a); missing != "" {
				return fmt.Sprintf("proxy %s does not list old allocation %s in %s", p.proxy.Name, a.ShortID(), missing)
			}
		}
		return ""
	})
}

// canaryLeavesTooSoon looks at every canary that a proxy may route to, listed
// now or not: a refresh may list it in the moment in which it is stopped.
func canaryLeavesTooSoon(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		if !p.exposed {
			return ""
		}
		for _, a := range g.canaries {
			for _, w := range v.allocWindows(p.proxy, a) {
				if w.Verdict != model.VerdictSafe {
					return fmt.Sprintf("canary %s would be stopped at once and serves S = %s, but proxy %s may route to it for T = %s", a.ShortID(), text(w.S), p.proxy.Name, text(w.T))
				}
			}
		}
		return ""
	})
}

// withinDeadline is False once a deployment waits for longer than it may.
func withinDeadline(v *view) model.Condition {
	out := model.Condition{Type: model.WithinDeadline, Status: model.True, Reason: ReasonAsExpected}
	since := v.memory.AwaitingSince
	switch {
	case since.IsZero():
		out.Reason, out.Message = ReasonPending, "does not wait for a promotion yet"
	case v.deadline == 0:
		out.Message = fmt.Sprintf("waits since %s; there is no hold deadline", v.clock(since))
	case v.late == "":
		out.Message = fmt.Sprintf("waits since %s; the hold deadline of %s ends at %s", v.clock(since), text(v.deadline), v.clock(since.Add(v.deadline)))
	default:
		out.Status, out.Reason = model.False, ReasonHoldDeadlinePassed
		out.Message = fmt.Sprintf("waits since %s, and the hold deadline of %s ended at %s; %s", v.clock(since), text(v.deadline), v.clock(since.Add(v.deadline)), v.late)
	}
	return out
}
