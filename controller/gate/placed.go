package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// called is an allocation's short ID, with its group where the job has several.
func (v *view) called(id, group string) string {
	if len(v.Snapshot.Job.Value.Groups) < 2 {
		return model.Short(id)
	}
	return fmt.Sprintf("%s of group %q", model.Short(id), group)
}

func canaryNotPlaced(v *view) string {
	return v.eachGroup(func(g group) string {
		if len(g.canaries) >= g.state.DesiredCanaries {
			return ""
		}
		return fmt.Sprintf("group %q has %d of %d canaries", g.state.Name, len(g.canaries), g.state.DesiredCanaries) + v.fallen(g)
	})
}

// fallen says which canaries have ended without Nomad having replaced them. It
// never does so by itself with one that it has called healthy: as long as the
// deployment runs it reschedules only what is unhealthy (Nomad v1.11.3,
// scheduler/reconciler/filters.go, updateByReschedulable, and
// nomad/deploymentwatcher/deployment_watcher.go, handleAllocUpdate), and health,
// once set, stays. One that is told to stop is replaced all the same.
func (v *view) fallen(g group) string {
	var out []string
	for _, a := range v.Snapshot.Allocations.Value {
		switch {
		case !slices.Contains(g.state.PlacedCanaries, a.ID) || !a.ClientTerminal() || a.DesiredStatus != model.DesiredRun:
		case a.Health == model.HealthTrue:
			out = append(out, fmt.Sprintf("canary %s is %s after it was healthy, and Nomad does not replace such a one by itself; \"nomad alloc stop %s\" makes it", a.ShortID(), a.ClientStatus, a.ShortID()))
		default:
			out = append(out, fmt.Sprintf("canary %s is %s and is not replaced yet", a.ShortID(), a.ClientStatus))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, "; ")
}

func canaryNotHealthy(v *view) string {
	return v.eachCanary(func(_ group, a model.Allocation) string {
		if a.Health == model.HealthTrue && a.ClientStatus == model.ClientRunning {
			return ""
		}
		return fmt.Sprintf("canary %s is %s and its health is %s for Nomad", v.called(a.ID, a.Group), a.ClientStatus, a.Health)
	})
}

// setNotPredictable finds an allocation that Nomad is about to move, or that is
// not where it should be, so that what a promotion would stop cannot be said. A
// canary that is to be moved does not take an old instance's place: promoted now,
// Nomad stops it and the old instances that it updates next in one plan (Nomad
// v1.11.3, scheduler/reconciler/reconcile_cluster.go, cancelUnneededCanaries).
func setNotPredictable(v *view) string {
	return v.eachGroup(func(g group) string {
		for _, a := range g.canaries {
			if a.Migrating {
				return fmt.Sprintf("Nomad was asked to move canary %s away from node %s and has not done so yet; promoted now, the canary and an old instance would be stopped together", v.called(a.ID, a.Group), a.NodeName)
			}
		}
		for _, a := range g.olds {
			if why := v.unsettled(a); why != "" {
				return fmt.Sprintf("old allocation %s %s, so which instances a promotion would leave cannot be said", v.called(a.ID, a.Group), why)
			}
		}
		return ""
	})
}

// unsettled says what is about to become of an allocation that is not what the
// job wants. One that is pending and registered is only being restarted, and
// one that failed serves nobody whatever Nomad does with it.
func (v *view) unsettled(a model.Allocation) string {
	switch {
	case a.Migrating:
		return "is about to be moved away from node " + a.NodeName
	case a.ClientStatus == model.ClientUnknown:
		return "is on node " + a.NodeName + ", which does not answer Nomad"
	case a.ClientStatus == model.ClientPending && len(v.byAlloc[a.ID]) == 0:
		return "has not started yet"
	default:
		return ""
	}
}

// ungated are the groups without canaries that Nomad is replacing in this
// deployment, which it does whatever is decided here. A group whose allocations
// were all changed in place is not replaced.
func (v *view) ungated() []string {
	var out []string
	d := v.Snapshot.Deployment.Value
	for _, g := range d.Groups {
		replaced := func(a model.Allocation) bool {
			return a.Group == g.Name && !a.ClientTerminal() && (a.DeploymentID != d.ID || !a.ChangedInPlace())
		}
		if g.DesiredCanaries == 0 && slices.ContainsFunc(v.Snapshot.Allocations.Value, replaced) {
			out = append(out, g.Name)
		}
	}
	return out
}
