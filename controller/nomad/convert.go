package nomad

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

func compareKeys(a, b model.Key) int { return strings.Compare(a.String(), b.String()) }

// value is what p points at, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func convertDeployment(d *nomadapi.Deployment) model.Deployment {
	out := model.Deployment{
		ID:                d.ID,
		Namespace:         d.Namespace,
		JobID:             d.JobID,
		JobVersion:        d.JobVersion,
		Status:            d.Status,
		StatusDescription: d.StatusDescription,
		Multiregion:       d.IsMultiregion,
	}
	for _, name := range slices.Sorted(maps.Keys(d.TaskGroups)) {
		out.Groups = append(out.Groups, convertState(name, value(d.TaskGroups[name])))
	}
	return out
}

func convertState(name string, s nomadapi.DeploymentState) model.DeploymentGroup {
	return model.DeploymentGroup{
		Name:            name,
		Promoted:        s.Promoted,
		DesiredCanaries: s.DesiredCanaries,
		DesiredTotal:    s.DesiredTotal,
		PlacedCanaries:  slices.Sorted(slices.Values(s.PlacedCanaries)),
		PlacedAllocs:    s.PlacedAllocs,
		HealthyAllocs:   s.HealthyAllocs,
		UnhealthyAllocs: s.UnhealthyAllocs,
	}
}

// convertJob applies Nomad's own defaults first, since a job that an older
// Nomad registered lacks what was added later. It changes the job it is given.
func convertJob(j *nomadapi.Job) *model.Job {
	if j == nil {
		return nil
	}
	dropNils(j)
	j.Canonicalize()
	out := &model.Job{
		ID:          value(j.ID),
		Namespace:   value(j.Namespace),
		Type:        value(j.Type),
		Region:      value(j.Region),
		Datacenters: j.Datacenters,
		Version:     value(j.Version),
		ModifyIndex: value(j.JobModifyIndex),
		Multiregion: j.IsMultiregion(),
		Stopped:     value(j.Stop),
		Meta:        j.Meta,
	}
	for _, g := range j.TaskGroups {
		out.Groups = append(out.Groups, convertGroup(g))
	}
	return out
}

// dropNils removes what Canonicalize would stumble over. No Nomad sends it.
func dropNils(j *nomadapi.Job) {
	j.TaskGroups = withoutNils(j.TaskGroups)
	for _, g := range j.TaskGroups {
		g.Services = withoutNils(g.Services)
		g.Tasks = withoutNils(g.Tasks)
		for _, t := range g.Tasks {
			t.Services = withoutNils(t.Services)
		}
	}
}

func withoutNils[T any](in []*T) []*T {
	return slices.DeleteFunc(in, func(p *T) bool { return p == nil })
}

func convertGroup(g *nomadapi.TaskGroup) model.Group {
	out := model.Group{
		Name:          value(g.Name),
		Count:         value(g.Count),
		Meta:          g.Meta,
		Update:        convertUpdate(g.Update),
		ShutdownDelay: value(g.ShutdownDelay),
		Services:      convertServices("", g.Services),
	}
	for _, t := range g.Tasks {
		out.Tasks = append(out.Tasks, convertTask(t))
	}
	return out
}

// convertUpdate leaves everything zero for a group without an update strategy,
// which Nomad replaces all at once and without a deployment.
func convertUpdate(u *nomadapi.UpdateStrategy) model.Update {
	if u == nil {
		return model.Update{}
	}
	return model.Update{
		Canary:           value(u.Canary),
		MaxParallel:      value(u.MaxParallel),
		AutoPromote:      value(u.AutoPromote),
		AutoRevert:       value(u.AutoRevert),
		HealthCheck:      value(u.HealthCheck),
		MinHealthyTime:   value(u.MinHealthyTime),
		HealthyDeadline:  value(u.HealthyDeadline),
		ProgressDeadline: value(u.ProgressDeadline),
	}
}

func convertTask(t *nomadapi.Task) model.Task {
	out := model.Task{
		Name:          t.Name,
		Driver:        t.Driver,
		Leader:        t.Leader,
		ShutdownDelay: t.ShutdownDelay,
		KillTimeout:   value(t.KillTimeout),
		KillSignal:    t.KillSignal,
		Services:      convertServices(t.Name, t.Services),
	}
	if t.Lifecycle != nil {
		out.Hook, out.Sidecar = t.Lifecycle.Hook, t.Lifecycle.Sidecar
	}
	return out
}

func convertServices(task string, services []*nomadapi.Service) []model.Service {
	var out []model.Service
	for _, s := range services {
		service := model.Service{
			Name:       s.Name,
			Provider:   s.Provider,
			Task:       task,
			PortLabel:  s.PortLabel,
			Tags:       s.Tags,
			CanaryTags: s.CanaryTags,
			OnUpdate:   s.OnUpdate,
			Connect:    s.Connect != nil,
		}
		for _, check := range s.Checks {
			service.Checks = append(service.Checks, convertCheck(check, s.OnUpdate))
		}
		out = append(out, service)
	}
	return out
}

func convertCheck(c nomadapi.ServiceCheck, onUpdate string) model.Check {
	return model.Check{
		Name:          c.Name,
		Type:          c.Type,
		Path:          c.Path,
		PortLabel:     c.PortLabel,
		Interval:      c.Interval,
		Timeout:       c.Timeout,
		InitialStatus: c.InitialStatus,
		OnUpdate:      cmp.Or(c.OnUpdate, onUpdate),
		RestartLimit:  value(c.CheckRestart).Limit,
	}
}

func convertAllocation(a *nomadapi.Allocation) model.Allocation {
	return model.Allocation{
		ID:            a.ID,
		Name:          a.Name,
		Namespace:     a.Namespace,
		JobID:         a.JobID,
		Group:         a.TaskGroup,
		NodeID:        a.NodeID,
		NodeName:      a.NodeName,
		DeploymentID:  a.DeploymentID,
		Canary:        value(a.DeploymentStatus).Canary,
		Health:        convertHealth(value(a.DeploymentStatus).Healthy),
		ClientStatus:  a.ClientStatus,
		DesiredStatus: a.DesiredStatus,
		Migrating:     value(a.DesiredTransition.Migrate),
		CreateIndex:   a.CreateIndex,
		CreatedAt:     time.Unix(0, a.CreateTime).UTC(),
		Job:           convertJob(a.Job),
	}
}

// convertStub converts what a list says of an allocation: no deployment ID, no
// wish to migrate and no job.
func convertStub(a *nomadapi.AllocationListStub) model.Allocation {
	return model.Allocation{
		ID:            a.ID,
		Name:          a.Name,
		Namespace:     a.Namespace,
		JobID:         a.JobID,
		Group:         a.TaskGroup,
		NodeID:        a.NodeID,
		NodeName:      a.NodeName,
		Canary:        value(a.DeploymentStatus).Canary,
		Health:        convertHealth(value(a.DeploymentStatus).Healthy),
		ClientStatus:  a.ClientStatus,
		DesiredStatus: a.DesiredStatus,
		CreateIndex:   a.CreateIndex,
		CreatedAt:     time.Unix(0, a.CreateTime).UTC(),
	}
}

func convertHealth(healthy *bool) model.Health {
	switch {
	case healthy == nil:
		return model.HealthUnset
	case *healthy:
		return model.HealthTrue
	default:
		return model.HealthFalse
	}
}
