package fence

import (
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// armed goes on with a record whose call may be on its way.
func (p *pass) armed() Action {
	switch {
	case p.landed():
		return p.stopping()
	case p.World.over():
		// Nomad promotes and resumes nothing that has ended.
		return p.lift("the deployment is " + p.status())
	}
	against := p.forbids()
	missing := against
	if missing == "" {
		missing = p.prove()
	}
	until := p.m.Since.Add(Window)
	switch {
	case missing == "" && p.m.Mine && p.Owned && !p.once() && !p.Now.Add(CallTime).After(until):
		p.m.Sent = true
		return Action{Do: p.callOf(), Until: until}
	case against != "" && p.m.Mine && !p.m.Sent && p.Owned:
		return p.disarm(against)
	case p.passed():
		return p.disarm(strings.TrimSuffix("Nomad was not told in time: "+missing, ": "))
	default:
		return wait("armed: " + missing)
	}
}

// once reports whether the call may be on its way and must not be made again: a
// second resume could end the pause that follows the first, where a second
// promotion changes nothing.
func (p *pass) once() bool { return p.m.Sent && p.Record.Call == CallResume }

func (p *pass) callOf() Do {
	if p.Record.Call == CallResume {
		return DoResume
	}
	return DoPromote
}

// landed reports whether the call that the record is armed for has had its
// effect, whoever made it.
func (p *pass) landed() bool {
	if p.Record.Call == CallPromote {
		return p.World.promoted()
	}
	for _, t := range p.Record.Set {
		if p.World.leaves(t.Alloc) {
			return true
		}
	}
	return p.World.Status != model.DeploymentPaused
}

// passed reports whether the window is over for certain, and the deployment was
// read after that: what it does not show then, it will not show any more.
func (p *pass) passed() bool {
	end := p.m.Since.Add(Window + Slack)
	return p.Now.After(end) && p.World.Read.After(end)
}

// forbids says what speaks against making the call now, of all that can change
// after the record was armed.
func (p *pass) forbids() string {
	if p.Record.Call == CallPromote {
		if why := p.broken(); why != "" {
			return why
		}
	} else if p.World.Against != (Finding{}) {
		return p.World.Against.Message
	}
	plan, found := p.plan()
	switch {
	case found != (Finding{}):
		return found.Message
	case !sameSet(plan.Set, p.Record.Set):
		return "Nomad would stop others than those that are fenced"
	case p.Record.Call == CallPromote && plan.Left > 0 && p.World.Status != model.DeploymentPaused:
		return "the deployment is not paused any more"
	default:
		return ""
	}
}

// disarm goes back: to the end before a promotion, to what holds the next batch
// after it.
func (p *pass) disarm(why string) Action {
	if p.Record.Call == CallPromote {
		return p.lift(why)
	}
	r := *p.Record
	r.Step, r.Call, r.Final = StepFencing, "", false
	return p.write(DoFence, r)
}

// stopping waits for what the call stops, and pauses where it would go on.
func (p *pass) stopping() Action { //nolint:gocyclo // a case a line, and their order tells
	r := p.Record
	told := 0
	for _, t := range r.Set {
		if p.World.leaves(t.Alloc) {
			told++
		}
	}
	over := p.World.over()
	switch {
	case over && !p.settledDown():
		return wait("the deployment is " + p.status() + "; Nomad may still stop what it had decided on")
	case over || told == len(r.Set) && (r.Final || r.Call == CallPromote && !r.Pause):
		return p.finish()
	case told == 0 || r.Call == CallPromote && told < len(r.Set):
		return wait("Nomad has not stopped the fenced instances yet")
	case !r.Final && p.World.Status == model.DeploymentRunning && r.Call == CallResume:
		return Action{Do: DoPause}
	case r.Final:
		return wait("Nomad has not stopped all of the fenced instances yet")
	}
	out := p.settle(r.Set)
	out.Step, out.Rolling = StepFencing, true
	return p.write(DoKeep, out)
}

// settledDown reports whether Nomad stops nothing any more because of a
// deployment that has ended: one that succeeded did so in the very step that
// stopped the last.
func (p *pass) settledDown() bool {
	return p.World.Status == model.DeploymentSuccessful || p.Now.Sub(p.m.Over) > Settle
}

// finish ends the record after the last of its calls. What was not told to stop
// although it was to be is lifted; a pause of ours that is left is ended next.
func (p *pass) finish() Action {
	r := p.settle(p.Record.Set)
	r.Step, r.Pause = StepEnded, r.Pause && p.World.Status == model.DeploymentPaused
	if p.World.over() && p.World.Status != model.DeploymentSuccessful {
		r.Reason, r.Message = ReasonFenceAborted, "the deployment is "+p.status()
	}
	return p.write(DoKeep, r)
}

// late reports whether a pause of ours must end now, since Nomad will soon fail
// the deployment for want of progress.
func (p *pass) late() bool {
	by := p.World.ProgressBy
	return !by.IsZero() && !p.Now.Before(by.Add(-p.Policy.Ahead))
}

// clock is a time for people.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
