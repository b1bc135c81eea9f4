package gate

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/draingate/draingate/controller/model"
)

func nomadUnknown(v *view) string {
	s := v.Snapshot
	if problem := s.Deployment.Problem(v.Now, MaxAge); problem != "" {
		return "Nomad does not say how the deployment stands: " + problem
	}
	if problem := s.Job.Problem(v.Now, MaxAge); problem != "" {
		return "Nomad does not say what the job is at the deployment's version: " + problem
	}
	if problem := s.Allocations.Problem(v.Now, MaxAge); problem != "" {
		return "Nomad does not say which allocations the job has: " + problem
	}
	if s.Region == "" || s.Datacenter == "" {
		return "the local region and datacenter are not known: " + s.RegionErr
	}
	return v.missingJob()
}

// missingJob finds a group or an old allocation whose job was not read.
func (v *view) missingJob() string {
	for _, g := range v.groups {
		if g.spec == nil {
			return fmt.Sprintf("group %q of the deployment is not in the job at version %d", g.state.Name, v.Snapshot.Job.Value.Version)
		}
		for _, a := range g.olds {
			if a.Job.Group(a.Group) == nil {
				return "the job that allocation " + a.ShortID() + " runs is not known"
			}
		}
	}
	return ""
}

func consulUnknown(v *view) string {
	for _, name := range v.serviceNames() {
		fact, read := v.Snapshot.Catalog[name]
		if !read {
			return fmt.Sprintf("service %q was not looked up in Consul", name)
		}
		if problem := fact.Problem(v.Now, MaxAge); problem != "" {
			return fmt.Sprintf("Consul does not say which instances service %q has: %s", name, problem)
		}
	}
	return ""
}

// serviceNames are the names of all services of the groups, new and old, and
// whatever else was asked for.
func (v *view) serviceNames() []string {
	names := slices.Collect(maps.Keys(v.Snapshot.Catalog))
	v.eachService(func(s model.Service) string {
		if s.Provider == model.ProviderConsul {
			names = append(names, s.Name)
		}
		return ""
	})
	slices.Sort(names)
	return slices.Compact(names)
}

func proxySetUnknown(v *view) string {
	if problem := v.Snapshot.Proxies.Problem(v.Now, MaxAge); problem != "" {
		return "it is not known which proxies there are: " + problem
	}
	if len(v.Snapshot.Proxies.Value) == 0 {
		return "no proxy was found: name the Consul service of Traefik with --traefik-service, or each instance with --traefik-url"
	}
	return ""
}

func proxyAmbiguous(v *view) string {
	return v.eachProxy(func(p *model.Proxy) string { return p.Ambiguous })
}

func proxyUnknown(v *view) string {
	return v.eachProxy(func(p *model.Proxy) string {
		if problem := p.Started.Problem(v.Now, MaxAge); problem != "" {
			return "proxy " + p.Name + " cannot be asked: " + problem
		}
		if problem := p.Routing.Problem(v.Now, MaxAge); problem != "" {
			return "proxy " + p.Name + " does not say what it routes: " + problem
		}
		return ""
	})
}

func settingsUnknown(v *view) string {
	return v.eachProxy(func(p *model.Proxy) string {
		if p.Settings.Known() {
			return ""
		}
		problem := p.Settings.Err
		if problem == "" {
			problem = "not read yet"
		}
		return "the static settings of proxy " + p.Name + " are not known: " + problem + "; where the process cannot be asked, give its file with --traefik-config"
	})
}

func (v *view) eachProxy(find func(*model.Proxy) string) string {
	for i := range v.Snapshot.Proxies.Value {
		if message := find(&v.Snapshot.Proxies.Value[i]); message != "" {
			return message
		}
	}
	return ""
}

// contradiction finds two answers that cannot both be true.
func contradiction(v *view) string {
	for _, find := range []func(*view) string{versionsDiffer, addressShared, providerOff} {
		if message := find(v); message != "" {
			return message
		}
	}
	return ""
}

func versionsDiffer(v *view) string {
	d, j := v.Snapshot.Deployment, v.Snapshot.Job
	switch {
	case !d.Known() || !j.Known():
		return ""
	case d.Value.ID != v.Snapshot.Key.Deployment:
		return fmt.Sprintf("asked for deployment %s, answered with %s", model.Short(v.Snapshot.Key.Deployment), model.Short(d.Value.ID))
	case d.Value.JobID != j.Value.ID || d.Value.JobVersion != j.Value.Version:
		return fmt.Sprintf("the deployment is of job %q version %d and the job that was read is %q version %d", d.Value.JobID, d.Value.JobVersion, j.Value.ID, j.Value.Version)
	default:
		return ""
	}
}

// addressShared finds a canary and an old instance at one address: a listing
// in a proxy then says nothing about the canary.
func addressShared(v *view) string {
	for _, g := range v.groups {
		olds := map[string]string{}
		v.eachRegistration(g.olds, func(r model.Registration) {
			olds[net.JoinHostPort(r.Address, strconv.Itoa(r.Port))] = r.AllocID
		})
		message := ""
		v.eachRegistration(g.canaries, func(r model.Registration) {
			hp := net.JoinHostPort(r.Address, strconv.Itoa(r.Port))
			if old, shared := olds[hp]; shared && message == "" {
				message = fmt.Sprintf("canary %s and old allocation %s are both registered at %s, so a proxy cannot tell them apart; use a dynamic port", model.Short(r.AllocID), model.Short(old), hp)
			}
		})
		if message != "" {
			return message
		}
	}
	return ""
}

// providerOff finds a proxy that routes what its own settings rule out.
func providerOff(v *view) string {
	return v.eachProxy(func(p *model.Proxy) string {
		if !p.Settings.Known() || p.Settings.Value.ConsulCatalog {
			return ""
		}
		for _, s := range p.Routing.Value.Services {
			if s.Provider == model.ProviderConsulCatalog {
				return fmt.Sprintf("proxy %s has service %s, yet %s says that the Consul catalog provider is off", p.Name, s.Name, p.Settings.Value.Source)
			}
		}
		return ""
	})
}

func (v *view) eachRegistration(allocs []model.Allocation, do func(model.Registration)) {
	for _, a := range allocs {
		for _, r := range v.byAlloc[a.ID] {
			do(r)
		}
	}
}
