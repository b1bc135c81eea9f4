package gate

import (
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

func deploymentGone(v *view) string {
	if !v.Snapshot.Gone {
		return ""
	}
	return "Nomad does not know the deployment any more: it was garbage-collected, its job was purged, or the token may not read it"
}

func modeOff(v *view) string {
	if v.mode != model.ModeOff {
		return ""
	}
	if path := v.Snapshot.Overrides.Value.Sources[model.OverrideMode]; path != "" {
		return "variable " + path + " has mode = \"off\": draingate leaves this job alone"
	}
	return MetaMode + " = \"off\": draingate leaves this job alone"
}

func systemJob(v *view) string {
	if !v.Snapshot.Job.Known() {
		return ""
	}
	return rule.SystemJob(v.Snapshot.Job.Value)
}

func deploymentEnded(v *view) string {
	d := v.Snapshot.Deployment
	if !d.Known() || !d.Value.Terminal() {
		return ""
	}
	return fmt.Sprintf("the deployment is %s: %s", d.Value.Status, d.Value.StatusDescription)
}

func promoted(v *view) string {
	d := v.Snapshot.Deployment
	if !d.Known() || !d.Value.Promoted() {
		return ""
	}
	return "every group with canaries is promoted"
}

func noCanaries(v *view) string {
	d := v.Snapshot.Deployment
	if !d.Known() || len(d.Value.AwaitingPromotion()) > 0 {
		return ""
	}
	return "no group has canaries: a first deployment, a change in place, or update.canary = 0; Nomad asks nobody"
}

// afterwards is when to look again at a deployment with nothing to decide:
// soon while old allocations of a promoted one are still ending, now and then
// while it is to be seen that proxies dropped them or while one whose mode is
// off could be overridden, else never.
func (v *view) afterwards(reason model.Reason) time.Duration {
	d := v.Snapshot.Deployment
	switch {
	case reason == ReasonModeOff && d.Known() && !d.Value.Terminal():
		return idle * v.Policy.Poll
	case !d.Known() || !d.Value.Promoted():
		return 0
	case drained(v) != model.True:
		return v.Policy.Poll
	case outOfRotation(v) != model.True && !v.lookedLongEnough():
		return idle * v.Policy.Poll
	default:
		return 0
	}
}

// drainedSince is when all old allocations of the promoted deployment were
// first seen to have ended. A clock that went backwards begins anew, so that
// the time is bounded by any clock.
func drainedSince(v *view) time.Time {
	switch since := v.Memory.DrainedSince; {
	case drained(v) != model.True:
		return since
	case since.IsZero() || since.After(v.Now):
		return v.Now
	default:
		return since
	}
}

// lookedLongEnough reports whether proxies were asked for long enough after the
// last old allocation had ended.
func (v *view) lookedLongEnough() bool {
	since := v.memory.DrainedSince
	return !since.IsZero() && v.Now.Sub(since) >= MaxLookAfter
}

func deploymentPaused(v *view) string {
	if d := v.Snapshot.Deployment; !d.Known() || d.Value.Status != model.DeploymentPaused {
		return ""
	}
	return "the deployment is paused; draingate never undoes a person's pause: nomad deployment resume " + model.Short(v.Snapshot.Key.Deployment)
}

func deploymentNotRunning(v *view) string {
	d := v.Snapshot.Deployment
	if !d.Known() || d.Value.Status == model.DeploymentRunning {
		return ""
	}
	return fmt.Sprintf("the deployment is %q, not running", d.Value.Status)
}

func unsupportedJob(v *view) string {
	if !v.Snapshot.Job.Known() {
		return ""
	}
	return rule.NotService(v.Snapshot.Job.Value)
}

func unsupportedRegion(v *view) string {
	d := v.Snapshot.Deployment
	if !v.Snapshot.Job.Known() || !d.Known() || v.Snapshot.Region == "" {
		return "" // nomadUnknown says so
	}
	job := v.Snapshot.Job.Value
	job.Multiregion = job.Multiregion || d.Value.Multiregion
	return rule.NotLocal(job, v.Snapshot.Region, v.Snapshot.Datacenter)
}

func autoPromote(v *view) string {
	for _, g := range v.groups {
		if g.spec != nil {
			if message := rule.AutoPromote(*g.spec); message != "" {
				return message
			}
		}
	}
	return ""
}

func providerNomad(v *view) string { return v.eachService(rule.ProviderNomad) }

func unsupportedConnect(v *view) string { return v.eachService(rule.Connect) }

// eachService applies a rule to the services of the new version of each group
// and to those of every old allocation.
func (v *view) eachService(find func(model.Service) string) string {
	for _, g := range v.groups {
		services := g.spec.AllServices()
		for _, a := range g.olds {
			services = append(services, a.Job.Group(a.Group).AllServices()...)
		}
		for _, s := range services {
			if message := find(s); message != "" {
				return message
			}
		}
	}
	return ""
}
