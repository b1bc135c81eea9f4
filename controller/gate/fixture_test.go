package gate

import (
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var policy = Policy{Margin: time.Second, DefaultMode: model.ModeObserve, Poll: 500 * time.Millisecond}

// allocID returns an ID of the length that Nomad's have.
func allocID(prefix string) string {
	return prefix + strings.Repeat("0", 8-len(prefix)) + "-0000-0000-0000-000000000000"
}

// world describes a snapshot that may be promoted once its window is over.
type world struct {
	groups, olds, canaries, proxies int
	refresh, delay                  time.Duration
}

func ready() world {
	return world{groups: 1, olds: 1, canaries: 1, proxies: 2, refresh: 15 * time.Second, delay: 20 * time.Second}
}

func (w world) job(version uint64) *model.Job {
	j := &model.Job{ID: "web", Namespace: "default", Type: model.JobTypeService, Region: "global", Datacenters: []string{"dc1"},
		Version: version, ModifyIndex: 100 * (version + 1), Meta: map[string]string{MetaMode: "enforce"}}
	for g := range w.groups {
		j.Groups = append(j.Groups, model.Group{
			Name: groupName(g), Count: w.olds, ShutdownDelay: w.delay,
			Update:   model.Update{Canary: w.canaries, MaxParallel: 1},
			Services: []model.Service{w.service(g)},
			Tasks:    []model.Task{{Name: "server", KillTimeout: 5 * time.Second}},
		})
	}
	return j
}

func (w world) service(g int) model.Service {
	return model.Service{Name: groupName(g), Provider: model.ProviderConsul,
		Checks: []model.Check{{Name: "ready", Type: "http", Interval: 2 * time.Second}}}
}

func groupName(g int) string { return fmt.Sprintf("group%d", g) }

// snapshot is the world as read at now.
func (w world) snapshot(now time.Time) model.Snapshot {
	s := model.Snapshot{
		Key: model.Key{Namespace: "default", Deployment: allocID("d1")}, Region: "global", Datacenter: "dc1",
		Job:       model.Seen(*w.job(1), now),
		Overrides: model.Seen(model.Overrides{}, now),
		Catalog:   map[string]model.Fact[[]model.Registration]{},
		Load:      model.Seen(model.Load{Services: 6, Took: 10 * time.Millisecond}, now),
	}
	d := model.Deployment{ID: s.Key.Deployment, Namespace: "default", JobID: "web", JobVersion: 1, Status: model.DeploymentRunning}
	var allocs []model.Allocation
	for g := range w.groups {
		state := model.DeploymentGroup{Name: groupName(g), DesiredCanaries: w.canaries, DesiredTotal: w.olds}
		var regs []model.Registration
		for i := range w.olds {
			a := w.alloc(g, i, false)
			allocs, regs = append(allocs, a), append(regs, w.registration(a, g))
		}
		for i := range w.canaries {
			a := w.alloc(g, i, true)
			state.PlacedCanaries = append(state.PlacedCanaries, a.ID)
			allocs, regs = append(allocs, a), append(regs, w.registration(a, g))
		}
		d.Groups = append(d.Groups, state)
		s.Catalog[groupName(g)] = model.Seen(regs, now)
	}
	s.Deployment, s.Allocations = model.Seen(d, now), model.Seen(allocs, now)
	s.Proxies = model.Seen(w.proxySet(s, now), now)
	return s
}

func (w world) alloc(g, i int, canary bool) model.Allocation {
	a := model.Allocation{ID: allocID(fmt.Sprintf("a%d%d", g, i)), Name: fmt.Sprintf("web.%s[%d]", groupName(g), i), JobID: "web", Namespace: "default",
		Group: groupName(g), ClientStatus: model.ClientRunning, DesiredStatus: model.DesiredRun, Health: model.HealthTrue,
		DeploymentID: allocID("d0"), CreateIndex: 101, Job: w.job(0)}
	if canary {
		a.ID, a.Canary, a.DeploymentID, a.CreateIndex, a.Job = allocID(fmt.Sprintf("c%d%d", g, i)), true, allocID("d1"), 201, w.job(1)
	}
	return a
}

func (w world) registration(a model.Allocation, g int) model.Registration {
	port := 20000
	for _, c := range a.ID[:8] {
		port = (port*31 + int(c)) % 40000
	}
	id := "_nomad-task-" + a.ID + "-group-" + a.Group
	return model.Registration{ServiceID: id, ServiceName: groupName(g), AllocID: a.ID, Node: "n1", Address: "10.0.0.1", Port: port + 20000,
		Status: model.StatusPassing, Checks: []model.CheckStatus{
			{ID: "_nomad-check-" + a.ID, Name: "ready", ServiceID: id, Status: model.StatusPassing, ModifyIndex: 7},
			{ID: "serfHealth", Name: "serf", Status: model.StatusPassing, ModifyIndex: 3},
		}}
}

func (w world) proxySet(s model.Snapshot, now time.Time) []model.Proxy {
	var out []model.Proxy
	for i := range w.proxies {
		p := model.Proxy{Name: fmt.Sprintf("10.0.0.%d:8080", i+1), Started: model.Seen(start.Add(-time.Hour), now),
			Settings: model.Seen(model.ProxySettings{Source: "process", ConsulCatalog: true, RefreshInterval: w.refresh, Throttle: 2 * time.Second, Prefix: "traefik"}, now.Add(-time.Hour)),
			Tags:     map[string]model.TagReading{}}
		var r model.Routing
		for g := range w.groups {
			name := groupName(g) + "@consulcatalog"
			svc := model.ProxyService{Name: name, Provider: model.ProviderConsulCatalog, Status: model.StatusEnabled}
			for _, reg := range s.Catalog[groupName(g)].Value {
				hp := fmt.Sprintf("%s:%d", reg.Address, reg.Port)
				svc.Servers = append(svc.Servers, model.Server{URL: "http://" + hp, HostPort: hp, Status: "UP", Weight: 1})
				p.Tags[reg.ServiceID] = model.TagReading{Exposed: true, Services: []model.TagService{{Name: name, HostPort: hp, Weight: 1}}}
			}
			r.Services = append(r.Services, svc)
			r.Routers = append(r.Routers, model.Router{Name: name, Provider: model.ProviderConsulCatalog, Service: name, Status: model.StatusEnabled})
		}
		p.Routing = model.Seen(r, now)
		out = append(out, p)
	}
	return out
}

// change is what a test does to a snapshot that was good.
type change func(*model.Snapshot)

// run evaluates the world every 500 ms for the given time, with the change
// applied to each snapshot, and returns the last decision.
func run(w world, lasting time.Duration, changes ...change) (model.Decision, Memory) {
	return rerun(w, Memory{}, start, lasting, changes...)
}

// rerun goes on from a memory and a time.
func rerun(w world, m Memory, from time.Time, lasting time.Duration, changes ...change) (model.Decision, Memory) {
	var d model.Decision
	for now := from; now.Sub(from) <= lasting; now = now.Add(policy.Poll) {
		d, m = evaluate(w, m, now, changes...)
	}
	return d, m
}

func evaluate(w world, m Memory, now time.Time, changes ...change) (model.Decision, Memory) {
	s := w.snapshot(now)
	for _, c := range changes {
		c(&s)
	}
	return Evaluate(Input{Snapshot: s, Memory: m, Policy: policy, Now: now})
}

// Helpers that reach into a snapshot. The canary is the last allocation of the
// first group, the old allocation its first.

func firstOld(s *model.Snapshot) *model.Allocation { return &s.Allocations.Value[0] }

func firstCanary(s *model.Snapshot) *model.Allocation {
	for i := range s.Allocations.Value {
		if s.Allocations.Value[i].Canary {
			return &s.Allocations.Value[i]
		}
	}
	return nil
}

func registrationOf(s *model.Snapshot, a *model.Allocation) *model.Registration {
	fact := s.Catalog[a.Group]
	for i := range fact.Value {
		if fact.Value[i].AllocID == a.ID {
			return &fact.Value[i]
		}
	}
	return nil
}

// unregister takes the allocation out of the catalog.
func unregister(s *model.Snapshot, a *model.Allocation) {
	fact := s.Catalog[a.Group]
	var kept []model.Registration
	for _, r := range fact.Value {
		if r.AllocID != a.ID {
			kept = append(kept, r)
		}
	}
	fact.Value = kept
	s.Catalog[a.Group] = fact
}

// unlist takes the allocation out of the pools of one proxy.
func unlist(s *model.Snapshot, proxy int, a *model.Allocation) {
	r := registrationOf(s, a)
	hp := fmt.Sprintf("%s:%d", r.Address, r.Port)
	services := s.Proxies.Value[proxy].Routing.Value.Services
	for i := range services {
		var kept []model.Server
		for _, srv := range services[i].Servers {
			if srv.HostPort != hp {
				kept = append(kept, srv)
			}
		}
		services[i].Servers = kept
	}
}

// oldJob changes the job that every old allocation embeds.
func oldJob(do func(*model.Job)) change {
	return func(s *model.Snapshot) {
		for i := range s.Allocations.Value {
			if !s.Allocations.Value[i].Canary {
				do(s.Allocations.Value[i].Job)
			}
		}
	}
}

func newJob(do func(*model.Job)) change { return func(s *model.Snapshot) { do(&s.Job.Value) } }

// override writes one key of a job's variable.
func override(job, key, value string) change {
	return func(s *model.Snapshot) {
		s.Overrides.Value.Add(model.OverridePath(job), map[string]string{key: value}, s.Overrides.At)
	}
}

func dep(do func(*model.Deployment)) change {
	return func(s *model.Snapshot) { do(&s.Deployment.Value) }
}

func proxy(i int, do func(*model.Proxy)) change {
	return func(s *model.Snapshot) { do(&s.Proxies.Value[i]) }
}
