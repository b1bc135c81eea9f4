package convert

import (
	"cmp"
	"slices"
	"strings"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// Job converts a job and applies Nomad's own defaults first: those of its
// command line, since a job that an older Nomad registered lacks what was
// added later, and those that a server adds when a job is registered
// (nomad/structs, v1.11.3: Job, Task, Service, ServiceCheck and
// NetworkResource, Canonicalize), since
// a job from a file has not been there. It changes the job it is given. The
// result is nil for a nil job.
func Job(j *nomadapi.Job) *model.Job {
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
		Meta:        nonEmpty(j.Meta),
	}
	if len(out.Datacenters) == 0 {
		out.Datacenters = []string{"*"}
	}
	for _, g := range j.TaskGroups {
		out.Groups = append(out.Groups, group(j, g))
	}
	return out
}

// value is what p points at, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// nonEmpty makes an empty map nil, as a server does.
func nonEmpty(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// dropNils removes what Canonicalize would stumble over. No Nomad sends it,
// but a file may have it.
func dropNils(j *nomadapi.Job) {
	j.TaskGroups = withoutNils(j.TaskGroups)
	j.Spreads, j.Affinities, j.Constraints = withoutNils(j.Spreads), withoutNils(j.Affinities), withoutNils(j.Constraints)
	for _, g := range j.TaskGroups {
		g.Services = withoutNils(g.Services)
		g.Tasks = withoutNils(g.Tasks)
		g.Networks = withoutNils(g.Networks)
		g.Spreads, g.Affinities, g.Constraints = withoutNils(g.Spreads), withoutNils(g.Affinities), withoutNils(g.Constraints)
		for _, t := range g.Tasks {
			t.Services = withoutNils(t.Services)
			t.Templates = withoutNils(t.Templates)
			t.Artifacts = withoutNils(t.Artifacts)
			t.VolumeMounts = withoutNils(t.VolumeMounts)
			t.Affinities, t.Constraints = withoutNils(t.Affinities), withoutNils(t.Constraints)
			if t.Resources != nil {
				t.Resources.Networks = withoutNils(t.Resources.Networks)
			}
		}
	}
}

func withoutNils[T any](in []*T) []*T {
	return slices.DeleteFunc(in, func(p *T) bool { return p == nil })
}

func group(j *nomadapi.Job, g *nomadapi.TaskGroup) model.Group {
	out := model.Group{
		Name:          value(g.Name),
		Count:         value(g.Count),
		Meta:          nonEmpty(g.Meta),
		Update:        update(g.Update),
		ShutdownDelay: value(g.ShutdownDelay),
		Services:      services(names(j, g, nil), "", g.Services),
		Volumes:       volumes(g.Volumes),
		Networks:      networks(g.Networks),
		EphemeralDisk: model.EphemeralDisk{Sticky: value(g.EphemeralDisk.Sticky), Migrate: value(g.EphemeralDisk.Migrate)},
		DistinctHosts: slices.ContainsFunc(slices.Concat(j.Constraints, g.Constraints), distinctHosts),
	}
	for _, t := range g.Tasks {
		out.Tasks = append(out.Tasks, task(j, g, t))
	}
	return out
}

// distinctHosts reports whether the constraint keeps allocations apart. It is
// in force unless it says false (scheduler/feasible.go, v1.11.3).
func distinctHosts(c *nomadapi.Constraint) bool {
	return c.Operand == nomadapi.ConstraintDistinctHosts && !strings.EqualFold(c.RTarget, "false")
}

// update leaves everything zero for a group without an update strategy, which
// Nomad replaces all at once and without a deployment.
func update(u *nomadapi.UpdateStrategy) model.Update {
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

func task(j *nomadapi.Job, g *nomadapi.TaskGroup, t *nomadapi.Task) model.Task {
	out := model.Task{
		Name:          t.Name,
		Driver:        t.Driver,
		Leader:        t.Leader,
		ShutdownDelay: t.ShutdownDelay,
		KillTimeout:   cmp.Or(value(t.KillTimeout), defaultKillTimeout),
		KillSignal:    t.KillSignal,
		Services:      services(names(j, g, t), t.Name, t.Services),
		Meta:          nonEmpty(t.Meta),
		Networks:      networks(t.Resources.Networks),
		Program:       program(t.Config),
		Env:           nonEmpty(t.Env),
	}
	if t.Lifecycle != nil {
		out.Hook, out.Sidecar = t.Lifecycle.Hook, t.Lifecycle.Sidecar
	}
	for _, tmpl := range t.Templates {
		out.Templates = append(out.Templates, template(tmpl))
	}
	for _, a := range t.Artifacts {
		out.Artifacts = append(out.Artifacts, value(a.RelativeDest))
	}
	for _, m := range t.VolumeMounts {
		out.VolumeMounts = append(out.VolumeMounts, model.VolumeMount{Volume: value(m.Volume), Destination: value(m.Destination), ReadOnly: value(m.ReadOnly)})
	}
	return out
}

func template(t *nomadapi.Template) model.Template {
	return model.Template{
		Source:       value(t.SourcePath),
		Data:         value(t.EmbeddedTmpl),
		Destination:  value(t.DestPath),
		LeftDelim:    value(t.LeftDelim),
		RightDelim:   value(t.RightDelim),
		ChangeMode:   value(t.ChangeMode),
		ChangeSignal: value(t.ChangeSignal),
		Env:          value(t.Envvars),
		Once:         value(t.Once),
		Splay:        value(t.Splay),
	}
}
