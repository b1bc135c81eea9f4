package fence

import (
	"fmt"

	"github.com/draingate/draingate/controller/model"
)

// roll goes on with a deployment that is promoted and paused, batch by batch.
func (p *pass) roll() Action {
	w, r := p.World, p.Record
	switch {
	case !r.Pause || w.Status != model.DeploymentPaused:
		return p.handOver()
	case w.olds() == 0:
		// Nothing is left to be stopped, so that nothing is lost by going on.
		return Action{Do: DoResume}
	case p.Policy.Release:
		return p.lift("somebody asked for the end of the pause")
	case p.late():
		return p.lift("Nomad fails the deployment at " + clock(w.ProgressBy) + ", and not every old instance could be taken out of rotation before")
	}
	if why := p.unready(); why != (Finding{}) {
		return p.retreat(why)
	}
	plan, found := p.plan()
	switch {
	case found != (Finding{}):
		return p.retreat(found)
	case !p.Owned || !sameSet(plan.Set, r.Set):
		out := p.settle(nil)
		out.Set = plan.Set
		return p.write(DoFence, out)
	}
	if missing := p.prove(); missing != "" {
		return p.patient(missing, p.lift)
	}
	return p.arm(CallResume, plan)
}

// handOver ends the record where somebody else promoted or resumed: what goes
// on then is theirs.
func (p *pass) handOver() Action {
	if p.Record.Rolling && p.World.olds() == 0 {
		return p.finish()
	}
	a := p.lift("somebody else promoted the deployment, or ended or began a pause of it")
	a.Record.Pause = false
	return a
}

// unready says why the next batch cannot begin: the last one is not replaced,
// or something is amiss with the new instances.
func (p *pass) unready() Finding {
	if p.World.Against != (Finding{}) {
		return p.World.Against
	}
	for _, g := range p.World.Groups {
		if g.Canaries > 0 && g.HealthyOnes < g.Placed {
			return Finding{ReasonFencing, fmt.Sprintf("group %q has %d of %d new allocations healthy", g.Name, g.HealthyOnes, g.Placed)}
		}
	}
	return Finding{}
}

// retreat lifts the batch that is not armed, and holds until it can be fenced
// again: the deployment is promoted, so that there is no way back.
func (p *pass) retreat(why Finding) Action {
	if len(p.Record.Set) == 0 {
		return Action{Do: DoHold, Finding: why}
	}
	r := p.settle(p.Record.Set)
	a := p.write(DoLift, r)
	a.Finding = why
	return a
}

// ended sees to what an ended record leaves: a pause of ours, and the record
// itself until its deployment has ended.
func (p *pass) ended() Action {
	w, r := p.World, p.Record
	switch {
	case w.over() && p.lifted():
		return Action{Do: DoForget}
	case w.over():
		return wait("the last fences are being lifted, or end with their instances")
	case r.Pause && w.Status == model.DeploymentRunning:
		out := r.clone()
		out.Pause = false
		return p.write(DoAnnounce, out)
	case r.Pause && w.Status == model.DeploymentPaused:
		return p.unpause()
	case r.Reason == "":
		return Action{Do: DoDone}
	default:
		return hold(r.Reason, r.Message)
	}
}

// unpause ends a pause of ours. Before the promotion nothing is stopped by that.
// After it Nomad would go on to stop instances that are still routed, so that
// only a person's word does; else the deployment is failed in time, which stops
// nothing.
func (p *pass) unpause() Action {
	w := p.World
	switch {
	case !w.promoted() || w.olds() == 0 || p.Policy.Release:
		return Action{Do: DoResume, Finding: Finding{p.Record.Reason, p.Record.Message}}
	case p.late():
		return Action{Do: DoFail, Finding: Finding{p.Record.Reason, p.Record.Message}}
	default:
		return hold(p.Record.Reason, p.Record.Message+"; the deployment is paused by draingate until it is failed at "+clock(w.ProgressBy.Add(-p.Policy.Ahead))+
			", which stops nothing; to go on without a fence: draingate unpause")
	}
}

// lifted reports whether no instance is in a maintenance of draingate any more.
func (p *pass) lifted() bool {
	for _, i := range p.World.Instances {
		if i.Ours && !i.Ended {
			return false
		}
	}
	return true
}
