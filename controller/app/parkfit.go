package app

import (
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/traefik"
)

// unfit says why a service cannot be parked for, and which checks of Traefik's
// own a placeholder has to answer. What could not be looked at refuses nothing.
func unfit(f park.Facts, j *park.JobFacts, longest time.Duration) (park.Finding, []park.Probe) {
	old, group := running(f, j)
	svc, at := serviceOf(old, group, f.Service)
	if at == "" {
		return park.Finding{}, nil
	}
	views, unread := views(f, old, j.Job.Value, group, at)
	if !f.Proxies.Known() || len(views) == 0 && unread {
		return park.Finding{Reason: park.ReasonUnknown, Message: "not parked for: no proxy tells of its settings, or routes to it: " + f.Proxies.Err}, nil
	}
	fitness := park.Fit(old, svc, longest, views)
	for _, r := range fitness.Refusals {
		if r.Reason == park.ReasonNotRouted && unread {
			continue
		}
		if r.Proxy != "" {
			r.Message = "proxy " + r.Proxy + ": " + r.Message
		}
		return r, probes(views)
	}
	return park.Finding{}, probes(views)
}

// running is the version that the newest allocation of the service runs of which
// requests may come, and its group: one that goes before one that stays, else the
// latest version of the job.
func running(f park.Facts, j *park.JobFacts) (*model.Job, string) {
	var best *model.Allocation
	for i := range j.Allocations.Value {
		a := &j.Allocations.Value[i]
		if a.ClientTerminal() || a.Job == nil {
			continue
		}
		if _, at := serviceOf(a.Job, a.Group, f.Service); at == "" {
			continue
		}
		goes := a.DesiredStatus != model.DesiredRun
		if best == nil || goes && best.DesiredStatus == model.DesiredRun {
			best = a
		}
	}
	if best != nil {
		return best.Job, best.Group
	}
	if job := j.Job.Value; job != nil {
		for _, g := range job.Groups {
			if _, at := serviceOf(job, g.Name, f.Service); at != "" {
				return job, g.Name
			}
		}
	}
	return nil, ""
}

// serviceOf is the service of a group with the name, and where it stands in the
// job; an empty path where there is none.
func serviceOf(job *model.Job, group, name string) (model.Service, model.Path) {
	g := job.Group(group)
	if g == nil {
		return model.Service{}, ""
	}
	for i, s := range g.Services {
		if s.Name == name {
			return s, model.GroupPath(group).Service(i)
		}
	}
	for _, t := range g.Tasks {
		for i, s := range t.Services {
			if s.Name == name {
				return s, model.GroupPath(group).Task(t.Name).Service(i)
			}
		}
	}
	return model.Service{}, ""
}

// views are how the proxies see the service. unread is true where one could not
// be asked for its settings.
func views(f park.Facts, old, next *model.Job, group string, at model.Path) (out []park.View, unread bool) {
	pattern, registered := f.Pattern()
	for _, p := range f.Proxies.Value {
		if !p.Settings.Known() {
			unread = true
			continue
		}
		v := park.View{Proxy: p.Name, Settings: p.Settings.Value}
		if p.Routing.Known() {
			v.Routing = &p.Routing.Value
		}
		before, tags := reading(p, old, at)
		v.Tags = before
		if read, is := p.Tags[pattern.ServiceID]; registered && is {
			// What Nomad filled in is known better than what it will.
			v.Tags = read
		}
		if _, then := serviceOf(next, group, f.Service); then != "" {
			if after, wanted := reading(p, next, then); !slices.Equal(tags, wanted) {
				v.Tags, v.Next = before, &after
			}
		}
		out = append(out, v)
	}
	return out, unread
}

// probes are the checks of all proxies.
func probes(views []park.View) []park.Probe {
	readings := make([]model.TagReading, len(views))
	for i, v := range views {
		readings[i] = v.Tags
	}
	return park.Probes(readings...)
}

// reading is what a proxy makes of the tags of a job's service, with the tags as
// they are written.
func reading(p model.Proxy, job *model.Job, at model.Path) (model.TagReading, []string) {
	all := traefik.ReadJob(p.Settings.Value, p.Version, *job)
	var tags []string
	for _, g := range job.Groups {
		for _, s := range g.AllServices() {
			if _, there := serviceOf(job, g.Name, s.Name); there == at {
				tags = s.Tags
			}
		}
	}
	return all[at].Stable, tags
}
