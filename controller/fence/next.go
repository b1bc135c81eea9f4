package fence

import (
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// The bounds that both sides go by.
const (
	// Window is how long after an armed record was begun to be written the call
	// that it is armed for may be on its way.
	Window = 5 * time.Second
	// CallTime is what must be left of the window for a call to be begun.
	CallTime = 2 * time.Second
	// Slack is added to the window by everyone who waits for its end: a tenth, a
	// hundred times what clocks drift.
	Slack = Window / 10
	// Switch is how long the switch of a proxy to another configuration may take
	// to reach all of its entry points, once its API tells of it.
	Switch = 200 * time.Millisecond
	// BlindFor is how long the world may be unknown before a fence is lifted.
	BlindFor = 10 * time.Second
	// Settle is how long after the end of a promoted deployment that did not
	// succeed Nomad may still stop what it had decided on.
	Settle = 5 * time.Second
)

// Do is what the leader is to do next.
type Do string

// What there is to do. Those with a record write it, the calls go to Nomad,
// Forget deletes the record, and the rest write nothing.
const (
	// DoNothing: there is no fence, and none is wanted.
	DoNothing Do = "Nothing"
	// DoHold: something is in the way of the promotion.
	DoHold Do = "Hold"
	// DoWait: the fence is on its way.
	DoWait Do = "Wait"
	// DoDone: everything was stopped as planned.
	DoDone Do = "Done"

	// DoFence writes the set that is to be in maintenance.
	DoFence Do = "Fence"
	// DoAnnounce writes that the pause that follows is ours, or that there is none
	// any more.
	DoAnnounce Do = "Announce"
	// DoArm writes that the set stays in maintenance whatever becomes of the leader.
	DoArm Do = "Arm"
	// DoKeep writes what was told to stop.
	DoKeep Do = "Keep"
	// DoLift writes that all, or the rest, is to be lifted.
	DoLift Do = "Lift"

	DoPromote Do = "Promote"
	DoPause   Do = "Pause"
	DoResume  Do = "Resume"
	DoFail    Do = "Fail"

	// DoForget deletes the record.
	DoForget Do = "Forget"
)

// Action is the answer of Next: one write at most.
type Action struct {
	Do Do
	// Record is what to write, with Fence, Announce, Arm, Keep and Lift: only if
	// the stored one is still the one that was read, and only with the lock of
	// the leader.
	Record *Record
	// Until is when a Promote, or a Resume that stops something, must have been
	// answered: after it nothing may be on its way.
	Until time.Time
	// Finding says why, for a person.
	Finding Finding
}

// Writes reports whether the action is one write to carry out by itself: of the
// record, or of anything but a promotion to Nomad.
func (a Action) Writes() bool {
	switch a.Do {
	case DoNothing, DoHold, DoWait, DoDone, DoPromote, "":
		return false
	default:
		return true
	}
}

// Policy is what bounds a fence.
type Policy struct {
	// Patience is how long a set may take until it is proven to be out, besides the
	// longest request.
	Patience time.Duration
	// Ahead is how long before Nomad's progress deadline a pause of ours ends: more
	// than the window with its slack, which an armed record sits out, and some passes.
	Ahead time.Duration
	// Release is true where a person asked for the end of a pause of ours.
	Release bool
}

// Input is all that the next step rests on.
type Input struct {
	Key model.Key
	Job string
	// Self is the name of this instance, for people.
	Self string
	// Mark is drawn at random for this pass.
	Mark  string
	World World
	// Record is as read in this pass; nil where there is none. Unreadable says
	// why one that is there cannot be understood.
	Record     *Record
	Unreadable string
	// Owned is true where this leader's session has the record's lock.
	Owned  bool
	Memory Memory
	Policy Policy
	Now    time.Time
}

// Memory is what a leader remembers of one record from pass to pass. Losing it
// costs time only: the zero Memory is that of a leader that knows nothing.
type Memory struct {
	// Seq and Mark name the record that the fields up to Signs are about.
	Seq  uint64
	Mark string
	// Since is when this process was about to write the record, or first saw it.
	Since time.Time
	// Mine is true where this process wrote it, Sent once it may have sent the
	// call that it is armed for.
	Mine, Sent bool
	// Out is since when all of the set is seen to be out, without a break; Signs
	// is what would have changed with one that no pass saw.
	Out   time.Time
	Signs string
	// In is since when the set is in maintenance with these signs. Fresh is true
	// where every proxy listed all of it before and when that was first seen, and it
	// has not come back into rotation since: one that has dropped it then has read
	// what came after.
	In    time.Time
	Fresh bool
	// Blind is since when the world is unknown, Over since when the deployment is
	// seen to have ended.
	Blind, Over time.Time
}

// Next returns what the leader is to do for one deployment, and what to
// remember. The memory goes with the action: it is to be kept whatever becomes
// of a write, so that a call that may have been sent is never forgotten.
func Next(in Input) (Action, Memory) {
	p := &pass{Input: in, m: recall(in)}
	a := p.decide()
	return a, p.m
}

// pass is one evaluation of Next.
type pass struct {
	Input
	m Memory
}

// recall brings the memory up to the record and the world of this pass. What
// another process wrote begins now, which is later than it did.
func recall(in Input) Memory {
	m := in.Memory
	switch {
	case in.Record == nil:
		m = Memory{Blind: m.Blind}
	case m.Seq != in.Record.Seq || m.Mark != in.Record.Mark:
		m = Memory{Seq: in.Record.Seq, Mark: in.Record.Mark, Since: in.Now, Blind: m.Blind, Over: m.Over}
	}
	m.Blind = since(m.Blind, in.World.Blind != "", in.Now)
	m.Over = since(m.Over, in.World.Blind == "" && in.World.over(), in.Now)
	return m
}

// since is the beginning of a run of what holds now.
func since(began time.Time, holds bool, now time.Time) time.Time {
	switch {
	case !holds:
		return time.Time{}
	case began.IsZero():
		return now
	default:
		return began
	}
}

func (p *pass) decide() Action {
	switch r := p.Record; {
	case p.Unreadable != "":
		return hold(ReasonRecordUnknown, p.Unreadable)
	case r == nil:
		return p.begin()
	case p.World.Blind != "":
		return p.blind()
	case r.Step == StepEnded:
		return p.ended()
	case r.Step == StepArmed:
		return p.armed()
	case p.World.over():
		return p.lift("the deployment is " + p.status())
	case p.World.promoted():
		return p.roll()
	default:
		return p.fencing()
	}
}

func (p *pass) status() string {
	if p.World.Gone {
		return "gone"
	}
	return p.World.Status
}

// begin starts the one attempt where all that it needs is there.
func (p *pass) begin() Action {
	w := p.World
	if w.Blind != "" || w.over() || w.promoted() || !w.Wanted || w.Status != model.DeploymentRunning {
		return Action{Do: DoNothing}
	}
	if w.Against != (Finding{}) {
		return Action{Do: DoHold, Finding: w.Against}
	}
	plan, found := p.plan()
	if found != (Finding{}) {
		return Action{Do: DoHold, Finding: found}
	}
	r := Record{Format: Format, Namespace: p.Key.Namespace, Deployment: p.Key.Deployment, Job: p.Job, Step: StepFencing, Set: plan.Set}
	return p.write(DoFence, r)
}

// plan predicts, and checks that it may be carried out: what a fence needs at
// its beginning it needs before each further step.
func (p *pass) plan() (Plan, Finding) {
	plan, why := Predict(p.World)
	if why != "" {
		return Plan{}, Finding{ReasonSetNotPredictable, why}
	}
	return plan, Unfit(p.World, plan.Set)
}

// write returns the action that stores the record. What was found out about a
// set stays as it is where the set does.
func (p *pass) write(do Do, r Record) Action {
	r = r.clone()
	r.Seq++
	r.Mark, r.Owner, r.Written = p.Mark, p.Self, p.Now
	m := Memory{Seq: r.Seq, Mark: r.Mark, Since: p.Now, Mine: true, Blind: p.m.Blind, Over: p.m.Over, Fresh: p.fresh(r.Set)}
	if p.Record != nil && sameSet(p.Record.Set, r.Set) {
		m.Out, m.Signs, m.In = p.m.Out, p.m.Signs, p.m.In
	}
	p.m = m
	return Action{Do: do, Record: &r, Finding: Finding{r.Reason, r.Message}}
}

// fresh reports whether a proxy that does not list the set once it is in
// maintenance cannot come to list it by what it had read before. A proxy puts what
// it reads into force in that order, so it is enough that each of them lists what
// is added now, and that nothing has come back into rotation since the beginning.
func (p *pass) fresh(set []Target) bool {
	was := p.Record
	if was == nil {
		was = &Record{}
	} else if !p.m.Fresh {
		return false
	}
	for _, t := range was.Set {
		if !slices.Contains(allocs(set), t.Alloc) && !p.World.leaves(t.Alloc) {
			return false
		}
	}
	for _, t := range set {
		i := p.World.instance(t.Alloc)
		added := !slices.Contains(allocs(was.Set), t.Alloc) && len(t.Services) > 0
		if added && (i == nil || !i.Good) {
			return false
		}
	}
	return true
}

func hold(reason model.Reason, message string) Action {
	return Action{Do: DoHold, Finding: Finding{reason, message}}
}

func wait(message string) Action {
	return Action{Do: DoWait, Finding: Finding{ReasonFencing, message}}
}
