package rule

import "github.com/draingate/draingate/controller/model"

// Served is a service that is reached through a proxy.
type Served struct {
	// Path is where it stands in the job.
	Path model.Path
	// Group is the name of its group.
	Group string
	// Service has the task that its block stands in, or none.
	Service model.Service
	Tags    Tags
}

// ServedServices are the services of the job that are reached through a proxy,
// in the order of the job: those that the rules about draining look at.
func ServedServices(in Input) []Served {
	var out []Served
	for _, p := range served(in) {
		out = append(out, Served{p.path, p.group.Name, levelled(p), p.tags})
	}
	return out
}
