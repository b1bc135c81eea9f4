package gate

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// view is the input seen from the deployment: which allocations are new and
// old, where they are registered, and which proxies have to do with them. The
// checks read it and do not change it.
type view struct {
	Input
	choice
	groups []group
	// bound are the groups that a fence is about: those that await promotion and,
	// once there is a record, those that are promoted too.
	bound   []group
	byAlloc map[string][]model.Registration
	windows []model.Window
	// record is the deployment's fence as it is stored; nil where there is none.
	// unreadable says why one that is there cannot be understood.
	record     *fence.Record
	unreadable string
	// planned is the fence; nil where none is to be made.
	planned *fencePlan
	// action is what is to be done next for the fence;
	// nil where no fence is under way or could begin.
	action fence.Action
	memory Memory
	// late says, once the hold deadline has passed, why the deployment is held
	// all the same.
	late string
}

// group is one task group that awaits promotion.
type group struct {
	state    model.DeploymentGroup
	spec     *model.Group
	canaries []model.Allocation
	olds     []model.Allocation
	pools    []pool
}

// pool is what one proxy routes of one group's old instances.
type pool struct {
	proxy *model.Proxy
	// exposed is true where the proxy should route to some instance of the
	// group, by its own reading of the tags or by what it lists.
	exposed bool
	// services are the enabled services with an enabled router that list at
	// least one old instance.
	services []model.ProxyService
	// idle are services that list an old instance and have no enabled router.
	idle []string
	// routers are the enabled routers of services.
	routers []string
	// foreign are services of other providers that list an instance.
	foreign []string
}

func newView(in Input) *view {
	v := &view{Input: in, byAlloc: registrations(in.Snapshot)}
	v.record, v.unreadable = storedFence(in.Snapshot.Fence.Value)
	if in.Snapshot.Deployment.Known() {
		v.sortGroups(in.Snapshot.Deployment.Value)
	}
	if in.Snapshot.Job.Known() {
		v.choice = choose(in)
	}
	return v
}

// registrations sorts the catalog by allocation.
func registrations(s model.Snapshot) map[string][]model.Registration {
	out := map[string][]model.Registration{}
	for _, fact := range s.Catalog {
		for _, r := range fact.Value {
			if r.AllocID != "" && fact.Known() {
				out[r.AllocID] = append(out[r.AllocID], r)
			}
		}
	}
	for _, regs := range out {
		slices.SortFunc(regs, func(a, b model.Registration) int { return cmp.Compare(a.ServiceID, b.ServiceID) })
	}
	return out
}

// sortGroups finds the groups that the decision and a fence are about. Those that
// are promoted are nobody's any more where no fence is under way.
func (v *view) sortGroups(d model.Deployment) {
	for _, state := range d.Groups {
		if state.DesiredCanaries == 0 || state.Promoted && v.record == nil {
			continue
		}
		g := v.group(d, state)
		v.bound = append(v.bound, g)
		if !state.Promoted {
			v.groups = append(v.groups, g)
		}
	}
}

// group sorts the allocations of a group into new and old ones. Once it is
// promoted, whatever the deployment placed is as good as a canary.
func (v *view) group(d model.Deployment, state model.DeploymentGroup) group {
	g := group{state: state, spec: v.Snapshot.Job.Value.Group(state.Name)}
	for _, a := range v.Snapshot.Allocations.Value {
		switch {
		case a.Group != state.Name || a.ClientTerminal() || a.DesiredStatus != model.DesiredRun:
		case slices.Contains(state.PlacedCanaries, a.ID), state.Promoted && a.DeploymentID == d.ID:
			g.canaries = append(g.canaries, a)
		default:
			// One that belongs to this deployment all the same was changed in
			// place, or took the place of one that failed: a promotion may stop it.
			g.olds = append(g.olds, a)
		}
	}
	for i := range v.Snapshot.Proxies.Value {
		g.pools = append(g.pools, v.pool(&v.Snapshot.Proxies.Value[i], g))
	}
	return g
}

func (v *view) groupNames() []string {
	var out []string
	for _, g := range v.groups {
		out = append(out, g.state.Name)
	}
	return out
}

func (v *view) pool(p *model.Proxy, g group) pool {
	out := pool{proxy: p}
	olds, all := v.hostPorts(p, g.olds), v.hostPorts(p, g.olds, g.canaries)
	routers := enabledRouters(p.Routing.Value)
	for _, s := range p.Routing.Value.Services {
		switch {
		case s.Provider != model.ProviderConsulCatalog:
			if lists(s, all) {
				out.foreign = append(out.foreign, s.Name)
			}
		case !lists(s, olds) && !v.emptied(p, g, s.Name):
		case s.Status != model.StatusEnabled || len(routers[s.Name]) == 0:
			out.idle = append(out.idle, s.Name)
		default:
			out.services = append(out.services, s)
			out.routers = append(out.routers, routers[s.Name]...)
		}
	}
	out.exposed = len(out.services)+len(out.idle)+len(out.foreign) > 0 || v.exposes(p, g)
	return out
}

// exposes reports whether the proxy's reading of the tags lets it route to any
// instance of the group. A reading that is missing counts as yes.
func (v *view) exposes(p *model.Proxy, g group) bool {
	for _, a := range slices.Concat(g.olds, g.canaries) {
		for _, r := range v.byAlloc[a.ID] {
			if exposed(p, r) {
				return true
			}
		}
	}
	return false
}

func exposed(p *model.Proxy, r model.Registration) bool {
	reading, ok := p.Tags[r.ServiceID]
	return !ok || reading.Exposed || reading.Unknown != "" || reading.Err != "" || reading.NonHTTP
}

// hostPorts are the addresses under which a proxy would list the allocations.
func (v *view) hostPorts(p *model.Proxy, sets ...[]model.Allocation) map[string]bool {
	out := map[string]bool{}
	for _, a := range slices.Concat(sets...) {
		for _, r := range v.byAlloc[a.ID] {
			for _, hp := range addresses(p, r) {
				out[hp] = true
			}
		}
	}
	return out
}

func addresses(p *model.Proxy, r model.Registration) []string {
	out := []string{net.JoinHostPort(r.Address, strconv.Itoa(r.Port))}
	for _, s := range p.Tags[r.ServiceID].Services {
		if s.HostPort != "" {
			out = append(out, s.HostPort)
		}
	}
	return out
}

// serves reports whether the service sends requests to one of the addresses: a
// server of weight 0 is listed and gets none.
func serves(s model.ProxyService, hostPorts map[string]bool) bool {
	return slices.ContainsFunc(s.Servers, func(srv model.Server) bool { return hostPorts[srv.HostPort] && srv.Weight > 0 })
}

func lists(s model.ProxyService, hostPorts map[string]bool) bool {
	return slices.ContainsFunc(s.Servers, func(srv model.Server) bool { return hostPorts[srv.HostPort] })
}

// enabledRouters returns the names of the enabled routers of the catalog
// provider by the service that they use.
func enabledRouters(r model.Routing) map[string][]string {
	out := map[string][]string{}
	for _, router := range r.Routers {
		if router.Status == model.StatusEnabled && router.Provider == model.ProviderConsulCatalog {
			out[router.Service] = append(out[router.Service], router.Name)
		}
	}
	return out
}

// drainWindows computes S and T for every routed service of every old
// allocation behind every proxy.
func (v *view) drainWindows() []model.Window {
	var out []model.Window
	for _, g := range v.groups {
		for _, p := range g.pools {
			for _, a := range g.olds {
				if p.exposed {
					out = append(out, v.allocWindows(p.proxy, a)...)
				}
			}
		}
	}
	return out
}

func (v *view) allocWindows(p *model.Proxy, a model.Allocation) []model.Window {
	if a.Job.Group(a.Group) == nil {
		return []model.Window{{Proxy: p.Name, Group: a.Group, Allocation: a.ID, Margin: v.Policy.Margin,
			Verdict: model.VerdictUnknown, Why: "the job that allocation " + a.ShortID() + " runs is not known"}}
	}
	var out []model.Window
	for _, svc := range a.Job.Group(a.Group).AllServices() {
		if !v.routes(p, a, svc) {
			continue
		}
		out = append(out, drain.Window(drain.Input{
			Proxy: p.Name, Settings: p.Settings, Load: v.load(), Shown: v.shown(p),
			Allocation: a, Service: svc, Tags: v.reading(p, a, svc), Margin: v.Policy.Margin,
		}))
	}
	return out
}

// load is the measured load, unknown once it is too old to mean anything.
func (v *view) load() model.Fact[model.Load] {
	if why := v.Snapshot.Load.Problem(v.Now, MaxLoadAge); why != "" {
		return model.Unseen[model.Load](v.Snapshot.Load.At, why)
	}
	return v.Snapshot.Load
}

func (v *view) shown(p *model.Proxy) time.Duration { return v.memory.Shown[proxyKey(p)] }

// registration returns the instance of a service that the allocation
// registered, or nil.
func (v *view) registration(a model.Allocation, service string) *model.Registration {
	for i, r := range v.byAlloc[a.ID] {
		if r.ServiceName == service {
			return &v.byAlloc[a.ID][i]
		}
	}
	return nil
}

// routes reports whether the proxy may route to this service of the
// allocation; yes where the catalog or the proxy does not say.
func (v *view) routes(p *model.Proxy, a model.Allocation, svc model.Service) bool {
	r := v.registration(a, svc.Name)
	if r == nil || exposed(p, *r) {
		return true
	}
	hostPorts := map[string]bool{}
	for _, hp := range addresses(p, *r) {
		hostPorts[hp] = true
	}
	return slices.ContainsFunc(p.Routing.Value.Services, func(s model.ProxyService) bool { return lists(s, hostPorts) })
}

func (v *view) reading(p *model.Proxy, a model.Allocation, svc model.Service) model.TagReading {
	if r := v.registration(a, svc.Name); r != nil {
		return p.Tags[r.ServiceID]
	}
	return model.TagReading{}
}

// routedAnywhere reports whether any proxy may route to this service of the
// allocation.
func (v *view) routedAnywhere(a model.Allocation, svc model.Service) bool {
	for i := range v.Snapshot.Proxies.Value {
		if v.routes(&v.Snapshot.Proxies.Value[i], a, svc) {
			return true
		}
	}
	return len(v.Snapshot.Proxies.Value) == 0
}
