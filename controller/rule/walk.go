package rule

import (
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// place is a service with everything around it.
type place struct {
	path    model.Path
	job     *model.Job
	group   *model.Group
	task    *model.Task // nil for a group-level service
	service model.Service
	tags    Tags
	// known is true where the tags were read at all.
	known bool
}

// kept is what was made of an input once. Nothing may change it.
type kept struct {
	services, served, tagged []place
	groups                   []placedGroup
}

// keep works out what many rules need.
func (in Input) keep() Input {
	if in.Job == nil {
		return in
	}
	k := &kept{services: in.services(), served: served(in), tagged: in.tagged()}
	in.kept = k
	k.groups = groups(in)
	return in
}

// services are the services of the job, in its order.
func (in Input) services() []place {
	if in.kept != nil {
		return in.kept.services
	}
	var out []place
	for g := range in.Job.Groups {
		group := &in.Job.Groups[g]
		at := model.GroupPath(group.Name)
		for i, s := range group.Services {
			out = append(out, in.place(at.Service(i), group, nil, s))
		}
		for t := range group.Tasks {
			task := &group.Tasks[t]
			for i, s := range task.Services {
				out = append(out, in.place(at.Task(task.Name).Service(i), group, task, s))
			}
		}
	}
	return out
}

func (in Input) place(path model.Path, g *model.Group, t *model.Task, s model.Service) place {
	tags, known := in.Tags[path]
	return place{path: path, job: in.Job, group: g, task: t, service: s, tags: tags, known: known}
}

// routed reports whether a proxy routes to the service, or would if it did not
// refuse the tags. A reading that is not known counts as yes.
func (p place) routed() bool {
	r := p.tags.Stable
	return !p.known || r.Exposed || r.Err != "" || r.Unknown != "" || p.tags.Canary.Exposed
}

// guessed reports whether only an assumed setting would make a proxy route to
// the service: its tags ask for no routing, and exposedByDefault is not known.
// Most such services are databases and the like, behind no proxy at all.
func (in Input) guessed(p place) bool {
	readable := p.known && p.tags.Stable.Unknown == "" && p.tags.Canary.Unknown == ""
	return in.Assumed && in.Settings.ExposedByDefault && readable && !asksForRouting(in, p.service)
}

// asksForRouting reports whether a tag is for Traefik and does more than define
// a middleware, which the routers of other services may be there for.
func asksForRouting(in Input, s model.Service) bool {
	prefix := strings.ToLower(in.Settings.Prefix) + "."
	return slices.ContainsFunc(slices.Concat(s.Tags, s.CanaryTags), func(tag string) bool {
		rest, ok := strings.CutPrefix(strings.ToLower(tag), prefix)
		return ok && !strings.HasPrefix(rest, "http.middlewares.")
	})
}

// internal reports whether the tags are there for what Traefik serves itself,
// such as its dashboard, so that no request goes to the instances.
func (p place) internal() bool { return internalOnly(p.tags.Stable) && internalOnly(p.tags.Canary) }

func internalOnly(r model.TagReading) bool {
	if !r.Exposed || r.NonHTTP || len(r.Routers) == 0 {
		return false
	}
	for _, router := range r.Routers {
		if !strings.HasSuffix(r.RouterServices[router], "@internal") {
			return false
		}
	}
	for _, d := range r.Definitions {
		// Routers of other services or of a file may refer to a named one.
		if d.Kind == model.KindService && len(d.Tags) > 0 {
			return false
		}
	}
	return true
}

// routedServices are the services that a proxy routes to.
func (in Input) routedServices() []place {
	var out []place
	for _, p := range in.services() {
		if p.routed() && !p.internal() && !in.guessed(p) {
			out = append(out, p)
		}
	}
	return out
}

// Routed reports whether a proxy routes to any service of the job, as far as is
// known.
func (in Input) Routed() bool { return len(in.routedServices()) > 0 }

// found is one finding, or none where the message is empty.
func found(path model.Path, message, remedy string) []Finding {
	if message == "" {
		return nil
	}
	return []Finding{{Path: path, Message: message, Remedy: remedy}}
}
