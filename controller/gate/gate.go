package gate

import (
	"slices"
	"time"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// The bounds that the gate works with.
const (
	// MaxAge is the age beyond which an answer is unknown.
	MaxAge = 2 * time.Second
	// MinWindow is the least time for which the start side must be true
	// without a blip; two intervals of the slowest check where that is longer.
	MinWindow = 5 * time.Second
	// MaxLoadAge is the age beyond which the measured time of one load of the
	// catalog is unknown. It is a measurement, not a fact that may flip.
	MaxLoadAge = time.Minute
	// Recovery is how long a proxy may wait before it asks a Consul that came
	// back: 12.8 s of backoff, half as much again at random (Traefik v3.6.12,
	// pkg/job/job.go), rounded up.
	Recovery = 20 * time.Second
	// MaxLookAfter is how long after the end of the last old allocation proxies
	// are still asked whether they have dropped the old instances. A proxy that
	// cannot be read for that long is another's to look after.
	MaxLookAfter = 5 * time.Minute
)

// idle is how many polls apart a deployment is looked at for which nothing can
// be observed that would change the decision.
const idle = 10

// MetaMode is the meta key of the mode; it is read from the deployment's
// version of the job.
const MetaMode = "draingate_mode"

// Policy is what the operator of draingate chose.
type Policy struct {
	// Margin is what must be left of S after T and L.
	Margin time.Duration
	// DefaultMode is the mode of a job that does not say.
	DefaultMode model.Mode
	// HoldDeadline is how long a deployment may wait for its promotion where its
	// job does not say, 0 for any time; OnDeadline is what happens then.
	HoldDeadline time.Duration
	OnDeadline   string
	// Fence is draingate_fence where the job does not say. Empty where this process
	// does not fence at all: then what jobs say about it is not read.
	Fence string
	// FencePatience is how long old instances may take, besides the longest
	// request, until no proxy routes to them; then the fence is lifted.
	FencePatience time.Duration
	// Poll is when to look again while a deployment is not finished.
	Poll time.Duration
}

// Input is all that a decision rests on.
type Input struct {
	Snapshot model.Snapshot
	Memory   Memory
	Policy   Policy
	Fencer   Fencer
	Now      time.Time
}

// Outcome is a decision with what goes with it.
type Outcome struct {
	Decision model.Decision
	// Memory is to be given to the next evaluation of the same deployment,
	// whatever becomes of the action.
	Memory Memory
	// Action is what is to be done next for the deployment's fence. One that is to
	// promote goes with a decision to promote.
	Action fence.Action
}

// Evaluate is Decide for whoever does not fence.
func Evaluate(in Input) (model.Decision, Memory) {
	out := Decide(in)
	return out.Decision, out.Memory
}

// Decide decides on one deployment. The memory that was passed in is not
// changed. Promote is answered only where nothing in the whole chain finds a reason
// against it, or where all old instances that it stops are seen to be out of
// rotation.
func Decide(in Input) Outcome {
	v := newView(in)
	v.memory = advance(v)
	v.windows = v.drainWindows()
	v.planned = v.planFence()
	d := model.Decision{Verb: model.Promote, Reason: ReasonPredictedSafe, Mode: v.mode, RetryAfter: in.Policy.Poll}
	if s, message := first(v, chain); s != nil {
		d.Verb, d.Reason, d.Message = s.verb, s.reason, message
	}
	v.stepFence(&d)
	if d.Verb == model.Hold && d.Reason != fence.ReasonFencing {
		v.expire(&d)
	}
	d.Windows = v.windows
	d.Conditions = conditions(v)
	v.finish(&d)
	return Outcome{Decision: d, Memory: v.memory, Action: v.action}
}

// finish adds to a decision what depends on its verb.
func (v *view) finish(d *model.Decision) {
	switch d.Verb {
	case model.Promote:
		d.Groups, d.ReadyAt = v.groupNames(), v.readyAt()
		if v.action.Do == fence.DoPromote {
			d.ReadyAt = v.memory.Fence.Since
			return
		}
		d.Message = promoteMessage(v)
	case model.None:
		d.RetryAfter = v.afterwards(d.Reason)
	case model.Hold:
		d.RetryAfter = v.next(d.Reason)
	case model.Fence, model.Fail:
	}
	switch {
	case v.record == nil || v.Fencer.Session == "":
	case v.record.Step != fence.StepEnded:
		d.RetryAfter = fencePoll
	case d.RetryAfter == 0:
		// A record that is left is to be looked after until it is deleted.
		d.RetryAfter = v.Policy.Poll
	}
}

// readyAt is when the last condition of a promotion became true: the end of the
// window, or of the time that proxies are given after trouble with the catalog
// or a change of leader.
func (v *view) readyAt() time.Time {
	at := v.memory.Since.Add(v.window())
	for _, trouble := range []time.Time{v.memory.CatalogTrouble, v.memory.TakenOver} {
		if !trouble.IsZero() && trouble.Add(Recovery).After(at) {
			at = trouble.Add(Recovery)
		}
	}
	return at
}

// next is when to look again at a deployment that is held. What stands in the
// job or is a person's word changes with the deployment, which is watched; a
// job that no proxy here routes to is not looked at twice a second either.
func (v *view) next(reason model.Reason) time.Duration {
	of := func(s step) bool { return s.reason == reason }
	if reason == ReasonNotRouted || slices.ContainsFunc(standing, of) {
		return idle * v.Policy.Poll
	}
	return v.Policy.Poll
}

// Acts reports whether the decision is one that draingate carries out itself.
func Acts(d model.Decision) bool {
	if d.Mode != model.ModeEnforce {
		return false
	}
	return d.Verb == model.Promote && len(d.Groups) > 0 || d.Verb == model.Fail
}

// step is one check of the chain: what it looks for, and what it means for
// the decision and for the conditions when it finds it.
type step struct {
	reason model.Reason
	find   func(*view) string
	verb   model.Verb
	status model.ConditionStatus
	// of lists the conditions that cannot be True while this is found.
	of []model.ConditionType
}

// first returns the first step that finds something, and what it says.
func first(v *view, steps []step) (*step, string) {
	for i := range steps {
		if message := steps[i].find(v); message != "" {
			return &steps[i], message
		}
	}
	return nil, ""
}
