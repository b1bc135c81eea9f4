package app

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/traefik"
)

// need is a service that a run may have to write to in Consul, and what for.
type need struct {
	service, why string
	// asked is whether its job asks for what needs it; else it is needed only where
	// the drain of an old instance turns out to be too short.
	asked bool
}

// before reports whether a need is the one to tell of, of two of the same service.
func (n need) before(o need) bool { return n.asked && !o.asked || n.asked == o.asked && n.why < o.why }

// needs are the services of jobs that a fence or a park may have to write to,
// sorted: those that at least one of the proxies may route to. What a Nomad Variable
// overrides for a while is not looked at.
func needs(jobs []*model.Job, proxies []model.Proxy, policy gate.Policy, parking bool) []need {
	found := map[string]need{}
	for _, job := range jobs {
		seen := exposed(job, proxies)
		for i := range job.Groups {
			n, needed := needOf(job, &job.Groups[i], gate.Fencing(job, policy), parking)
			if !needed {
				continue
			}
			for at, svc := range places(job.Groups[i]) {
				n.service = svc.Name
				if known, there := found[svc.Name]; seen[at] && (!there || n.before(known)) {
					found[svc.Name] = n
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b need) int { return cmp.Compare(a.service, b.service) })
}

// needOf is what the services of a group are needed for, and false where nothing
// needs them.
func needOf(job *model.Job, g *model.Group, fencing string, parking bool) (need, bool) {
	called := "job " + job.Namespace + "/" + job.ID
	switch {
	case parking && park.Asks(job, g.Name):
		return need{why: called + " has " + park.MetaPark, asked: true}, true
	case fencing == model.FenceNever:
		return need{}, false
	default:
		return need{why: called + ": fence " + fencing, asked: fencing == model.FenceAlways}, true
	}
}

// exposed are the places in a job of the services that at least one proxy takes
// into its configuration, or may.
func exposed(job *model.Job, proxies []model.Proxy) map[model.Path]bool {
	out := map[model.Path]bool{}
	for _, p := range proxies {
		if !p.Settings.Known() {
			continue
		}
		for at, tags := range traefik.ReadJob(p.Settings.Value, p.Version, *job) {
			out[at] = out[at] || tags.Stable.Exposed || tags.Stable.Unknown != ""
		}
	}
	return out
}

// places are the services of a group in Consul, by their places in the job.
func places(g model.Group) map[model.Path]model.Service {
	out, at := map[model.Path]model.Service{}, model.GroupPath(g.Name)
	for i, s := range g.Services {
		out[at.Service(i)] = s
	}
	for _, t := range g.Tasks {
		for i, s := range t.Services {
			out[at.Task(t.Name).Service(i)] = s
		}
	}
	maps.DeleteFunc(out, func(_ model.Path, s model.Service) bool {
		return cmp.Or(s.Provider, model.ProviderConsul) != model.ProviderConsul
	})
	return out
}

// named parts the needs from those of services whose names Nomad fills in only
// where they run, so that nobody can be asked about them before.
func named(all []need) (known []need, unnamed []string) {
	for _, n := range all {
		if strings.Contains(n.service, "${") {
			unnamed = append(unnamed, n.service)
		} else {
			known = append(known, n)
		}
	}
	return known, unnamed
}
