package fence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// fencing goes on with a record whose deployment is not promoted: it waits until
// the set is proven to be out, pauses where something is left to be stopped
// later, and arms.
func (p *pass) fencing() Action {
	if why := p.broken(); why != "" {
		return p.lift(why)
	}
	plan, found := p.plan()
	switch {
	case found != (Finding{}):
		return p.lift(found.Message)
	case !sameSet(plan.Set, p.Record.Set):
		r := *p.Record
		r.Set = plan.Set
		return p.write(DoFence, r)
	}
	if missing := p.prove(); missing != "" {
		return p.patient(missing, p.lift)
	}
	switch {
	case plan.Left > 0 && !p.Record.Pause:
		r := *p.Record
		r.Pause = true
		return p.write(DoAnnounce, r)
	case plan.Left > 0 && p.World.Status == model.DeploymentRunning:
		return Action{Do: DoPause}
	}
	return p.arm(CallPromote, plan)
}

// broken says why the attempt cannot go on towards the promotion.
func (p *pass) broken() string {
	w, r := p.World, p.Record
	switch {
	case !p.Owned:
		return "the instance that had begun to fence does not lead any more"
	case w.Status == model.DeploymentPaused && !r.Pause:
		return "somebody paused the deployment"
	case w.Status != model.DeploymentRunning && w.Status != model.DeploymentPaused:
		return "the deployment is " + w.Status
	case !w.Wanted:
		return "it is not to be fenced any more: " + w.Unwanted
	case w.Against != (Finding{}):
		return w.Against.Message
	default:
		return ""
	}
}

// prove says what is still missing until every allocation of the set is known
// to get no request: in maintenance for the catalog and for the instance on its
// node, in no proxy's pool, and that for as long as a request may take. Where it
// may have been in rotation shortly before, a proxy that does not list it can yet
// come to do so, by a load of the catalog that began then.
func (p *pass) prove() string {
	if missing := p.notInMaintenance(); missing != "" {
		p.m.Out, p.m.In = time.Time{}, time.Time{}
		return missing
	}
	if signs := p.signs(); p.m.In.IsZero() || signs != p.m.Signs {
		p.m.Fresh = p.m.Fresh && p.m.Signs == "" && p.listed()
		p.m.Out, p.m.In, p.m.Signs = time.Time{}, p.Now, signs
	}
	if missing := p.routed(); missing != "" {
		p.m.Out = time.Time{}
		return missing
	}
	p.m.Out = since(p.m.Out, true, p.Now)
	if missing := p.unacknowledged(); missing != "" {
		return missing
	}
	need := max(p.World.Longest, Switch)
	if lasted := p.Now.Sub(p.m.Out); lasted < need {
		return fmt.Sprintf("every proxy has dropped the old instances for %s of %s, as long as a request may take", lasted.Round(100*time.Millisecond), need)
	}
	if lasted := p.Now.Sub(p.m.In); !p.m.Fresh && lasted < p.World.Reload+need {
		return fmt.Sprintf("the old instances are in maintenance for %s, a proxy may need %s to put into force what it had read before, and a request that it then sends %s", lasted.Round(100*time.Millisecond), p.World.Reload, need)
	}
	return ""
}

// listed reports whether every proxy still lists the set. Where one does not, it
// has read the catalog since the set was put into maintenance, and may have done so
// again in a moment in which that had ended and no pass looked.
func (p *pass) listed() bool {
	return !slices.ContainsFunc(p.Record.Set, func(t Target) bool {
		i := p.World.instance(t.Alloc)
		return i != nil && !i.Ended && len(t.Services) > 0 && !i.Listed
	})
}

// signs changes with each change of the maintenance of a service of the set: one
// that was in rotation between two passes is seen by it.
func (p *pass) signs() string {
	var out []string
	for _, t := range p.Record.Set {
		if i := p.World.instance(t.Alloc); i != nil {
			out = append(out, i.Alloc+" "+i.Sign)
		}
	}
	return strings.Join(out, "\n")
}

// notInMaintenance names the first allocation of the set that is not.
func (p *pass) notInMaintenance() string {
	for _, t := range p.Record.Set {
		if i := p.World.instance(t.Alloc); i != nil && !i.Ended && !i.Out {
			return fmt.Sprintf("old allocation %s is not in maintenance yet", i.Name) + p.trouble(t.Node)
		}
	}
	return ""
}

// routed names the first allocation of the set that a proxy lists.
func (p *pass) routed() string {
	for _, t := range p.Record.Set {
		if i := p.World.instance(t.Alloc); i != nil && !i.Ended && i.RoutedBy != "" {
			return fmt.Sprintf("proxy %s still lists old allocation %s", i.RoutedBy, i.Name)
		}
	}
	return ""
}

// unacknowledged names the first node that has not acknowledged the record as
// it is now.
func (p *pass) unacknowledged() string {
	for _, t := range p.Record.Set {
		if len(t.Services) > 0 && !slices.Contains(p.World.Fencers[t.Node], p.Record.Mark) {
			return fmt.Sprintf("the instance of draingate on node %q has not acknowledged yet", t.Node) + p.trouble(t.Node)
		}
	}
	return ""
}

// trouble is what keeps the instance on a node from fencing.
func (p *pass) trouble(node string) string {
	if why := p.World.Problems[node]; why != "" {
		return fmt.Sprintf(" (draingate on node %q: %s)", node, why)
	}
	return ""
}

// patient waits for what is missing, and gives up once that has taken too long:
// that a request may take long is not held against the proxies.
func (p *pass) patient(missing string, giveUp func(string) Action) Action {
	limit := p.Policy.Patience
	if !p.m.Out.IsZero() {
		limit += p.World.Longest
	}
	if lasted := p.Now.Sub(p.m.Since); lasted > limit {
		return giveUp(fmt.Sprintf("after %s %s", lasted.Round(time.Second), missing))
	}
	return wait(missing)
}

func (p *pass) arm(call Call, plan Plan) Action {
	r := *p.Record
	r.Step, r.Call, r.Final = StepArmed, call, plan.Left == 0
	return p.write(DoArm, r)
}

// lift ends the record, since the fence comes to nothing. What was told to stop is
// kept. A pause of ours stays in it until it is seen to have ended.
func (p *pass) lift(message string) Action {
	r := p.settle(p.Record.Set)
	r.Step, r.Reason, r.Message = StepEnded, ReasonFenceAborted, message
	return p.write(DoLift, r)
}

// settle returns the record without its set, and with those that were told to
// stop and have not ended among the kept.
func (p *pass) settle(set []Target) Record {
	r := p.Record.clone()
	r.Set, r.Call, r.Final = nil, "", false
	r.Kept = slices.DeleteFunc(append(r.Kept, set...), func(t Target) bool {
		i := p.World.instance(t.Alloc)
		return i == nil || i.Ended || !i.Stopping
	})
	return r
}

// blind waits where the world is not known, and lifts what is not armed once it
// has been for too long: a canary may have died meanwhile.
func (p *pass) blind() Action {
	p.m.Out = time.Time{}
	r := p.Record
	if r.Step != StepFencing || len(r.Set) == 0 || p.Now.Sub(p.m.Blind) <= BlindFor {
		return hold(ReasonFencing, p.World.Blind)
	}
	out := r.clone()
	out.Set = nil
	if !r.Rolling {
		out.Step, out.Reason, out.Message = StepEnded, ReasonFenceAborted, "it could not be seen what happens: "+p.World.Blind
	}
	return p.write(DoLift, out)
}
