package rule

import "github.com/draingate/draingate/controller/model"

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

// services are the services of the job, in its order.
func (in Input) services() []place {
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

// routedServices are the services that a proxy routes to.
func (in Input) routedServices() []place {
	var out []place
	for _, p := range in.services() {
		if p.routed() {
			out = append(out, p)
		}
	}
	return out
}

// found is one finding, or none where the message is empty.
func found(path model.Path, message, remedy string) []Finding {
	if message == "" {
		return nil
	}
	return []Finding{{Path: path, Message: message, Remedy: remedy}}
}
