package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// Fencer is what a fence needs to know of the process that decides. The zero
// Fencer may not write one.
type Fencer struct {
	// Session is that of the lock with which the process leads.
	Session string
	// Self names the process for people; Mark is drawn at random for each pass.
	Self, Mark string
}

// fencePoll is when to look again at a deployment while a record of its fence is
// there: each of its steps waits for what the pass before it did.
const fencePoll = 200 * time.Millisecond

// fenceAhead is how long before Nomad's progress deadline a pause of ours ends:
// the window of an armed record with its slack, and some passes.
const fenceAhead = 15 * time.Second

// against are the steps that speak against relying on the new instances while old
// ones are out of rotation. A pause is not among them, since it may be ours, nor
// what is not known: that is borne for a while.
var against = slices.Concat(slices.DeleteFunc(slices.Clone(standing), func(s step) bool {
	return s.reason == ReasonDeploymentPaused || s.reason == ReasonDeploymentNotRunning
}), startSide, []step{{ReasonFenceIneffective, fenceIneffective, model.Hold, model.False, onFence}})

// stepFence works out what is to be done for the fence, and has the decision say
// so. A fence begins only where the whole chain has found nothing else to do.
func (v *view) stepFence(d *model.Decision) {
	v.action = fence.Action{Do: fence.DoNothing}
	if v.Policy.Fence == "" || v.Fencer.Session == "" || v.unreadable != "" || v.record == nil && d.Verb != model.Fence {
		return
	}
	stored := v.Snapshot.Fence.Value.Record
	v.action, v.memory.Fence = fence.Next(fence.Input{
		Key: v.Snapshot.Key, Job: v.Snapshot.Deployment.Value.JobID, Self: v.Fencer.Self, Mark: v.Fencer.Mark, World: v.fenceView().fenceWorld(),
		Record: v.record, Owned: stored != nil && stored.Session == v.Fencer.Session, Memory: v.Memory.Fence, Now: v.Now,
		Policy: fence.Policy{Patience: v.Policy.FencePatience, Ahead: fenceAhead, Release: v.release != "" && v.release == v.Snapshot.Key.Deployment},
	})
	v.tell(d)
}

// tell has the decision say what is done for the fence. One that has ended leaves
// it to the chain, but for a pause that is still to be ended.
func (v *view) tell(d *model.Decision) {
	a := v.action
	owed := v.record != nil && v.record.Pause && v.Snapshot.Deployment.Value.Status == model.DeploymentPaused
	switch {
	case a.Do == fence.DoNothing || a.Do == fence.DoDone || a.Do == fence.DoForget:
	case v.record == nil && a.Do == fence.DoFence:
	case v.record != nil && v.record.Step == fence.StepEnded && !owed:
	case a.Do == fence.DoPromote:
		d.Verb, d.Reason, d.Message = model.Promote, ReasonFencedOut, "every proxy has dropped "+v.fencedNames()+", and no request can be under way to them any more"
	case a.Do == fence.DoHold && a.Finding.Reason != fence.ReasonFencing:
		d.Verb, d.Reason, d.Message = model.Hold, a.Finding.Reason, a.Finding.Message
	default:
		d.Verb, d.Reason, d.Message = model.Fence, fence.ReasonFencing, v.doing()
	}
}

// doing says what is done in this pass.
func (v *view) doing() string {
	names, why := v.fencedNames(), v.action.Finding.Message
	switch v.action.Do {
	case fence.DoFence:
		return "take " + names + " out of rotation"
	case fence.DoAnnounce, fence.DoPause:
		return "pause the deployment, so that nothing is stopped but what is out of rotation"
	case fence.DoArm:
		return "every proxy has dropped " + names + "; what stops them is next"
	case fence.DoResume:
		return strings.TrimSuffix("end draingate's own pause of the deployment: "+why, ": ")
	case fence.DoKeep:
		return names + " were told to stop"
	case fence.DoLift:
		return "put " + names + " back into rotation: " + why
	case fence.DoFail:
		return "fail the deployment before Nomad does, which stops nothing: " + why
	default:
		return why
	}
}

// fencedNames are the names of the allocations that the fence is about, as it is
// stored or is to be stored next.
func (v *view) fencedNames() string {
	r := v.record
	if v.action.Record != nil && len(v.action.Record.Set) > 0 {
		r = v.action.Record
	}
	if r == nil || len(r.Set) == 0 {
		return "the old instances"
	}
	return strings.Join(fence.Names(r.Set), ", ")
}

// fenceView is the view of the groups that a fence is about.
func (v *view) fenceView() *view {
	if len(v.bound) == len(v.groups) {
		return v
	}
	out := *v
	out.groups = v.bound
	out.windows = out.drainWindows()
	return &out
}

// recordUnknown holds whatever would be done where a fence of another version of
// draingate may be under way.
func recordUnknown(v *view) string {
	if v.Policy.Fence == "" || v.unreadable == "" {
		return ""
	}
	return "what is stored about a fence of this deployment cannot be understood: " + v.unreadable
}

// fenced says how far the fence is.
func (v *view) fenced(chained []step) model.Condition {
	out := v.condition(model.Fenced, chained, "")
	if out.Status == model.True {
		out.Status, out.Reason, out.Message = model.False, ReasonPending, "no fence is needed: "+v.margin()
	}
	if v.fence == model.FenceNever {
		out.Reason, out.Message = ReasonAbsent, MetaFence+" = \"never\""
	}
	switch r := v.record; {
	case v.memory.FencedOut:
		out.Status, out.Reason, out.Message = model.True, ReasonAsExpected, "the old instances were out of rotation before they were told to stop"
	case r == nil:
	case r.Step == fence.StepEnded:
		out.Status, out.Reason, out.Message = model.False, r.Reason, r.Message
	case r.Step == fence.StepArmed || !v.memory.Fence.Out.IsZero():
		out.Status, out.Reason, out.Message = model.True, fence.ReasonFencing, fmt.Sprintf("no proxy routes to %s", v.fencedNames())
	default:
		out.Status, out.Reason, out.Message = model.False, fence.ReasonFencing, v.doing()
	}
	return out
}
