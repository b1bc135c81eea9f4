package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

func (v *view) eachGroup(find func(group) string) string {
	for _, g := range v.groups {
		if message := find(g); message != "" {
			return message
		}
	}
	return ""
}

func (v *view) eachCanary(find func(group, model.Allocation) string) string {
	return v.eachGroup(func(g group) string {
		for _, a := range g.canaries {
			if message := find(g, a); message != "" {
				return message
			}
		}
		return ""
	})
}

func notRouted(v *view) string {
	for _, g := range v.groups {
		for _, p := range g.pools {
			if p.exposed {
				return ""
			}
		}
	}
	if len(v.groups) == 0 {
		return ""
	}
	return "none of the " + plural(len(v.Snapshot.Proxies.Value), "proxy", "proxies") + " routes to any service of this job" + v.excluded() +
		"; there is nothing to prove here: promote by hand, or set " + MetaMode + " = \"off\""
}

// excluded is the first reason a proxy has for leaving an instance out.
func (v *view) excluded() string {
	for _, g := range v.groups {
		for _, p := range g.pools {
			for _, a := range slices.Concat(g.olds, g.canaries) {
				for _, r := range v.byAlloc[a.ID] {
					if why := p.proxy.Tags[r.ServiceID].Excluded; why != "" {
						return " (" + p.proxy.Name + ": " + why + ")"
					}
				}
			}
		}
	}
	return ""
}

func unsupportedProtocol(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		for _, a := range slices.Concat(g.olds, g.canaries) {
			for _, r := range v.byAlloc[a.ID] {
				if p.proxy.Tags[r.ServiceID].NonHTTP {
					return fmt.Sprintf("service %q of allocation %s asks for TCP or UDP routers; draingate sees HTTP only", r.ServiceName, a.ShortID())
				}
			}
		}
		return ""
	})
}

func unsupportedRouter(v *view) string {
	return v.eachPool(func(_ group, p pool) string {
		if len(p.foreign) == 0 {
			return ""
		}
		return fmt.Sprintf("proxy %s also lists an instance in %s, which the Consul catalog provider did not make; what that provider does at a deploy is not known", p.proxy.Name, strings.Join(p.foreign, ", "))
	})
}

func (v *view) eachPool(find func(group, pool) string) string {
	return v.eachGroup(func(g group) string {
		for _, p := range g.pools {
			if message := find(g, p); message != "" {
				return message
			}
		}
		return ""
	})
}

func noCheck(v *view) string { return v.eachRoutedService(rule.NoCheck) }

func initialStatusPassing(v *view) string { return v.eachRoutedService(rule.InitialStatusPassing) }

// eachRoutedService applies a rule to the services of the new version that
// some proxy may route to, going by a canary's registration; where there is
// no canary yet, to all of them.
func (v *view) eachRoutedService(find func(model.Service) string) string {
	return v.eachGroup(func(g group) string {
		for _, s := range g.spec.AllServices() {
			if message := find(s); message != "" && v.groupRoutes(g, s) {
				return message
			}
		}
		return ""
	})
}

func (v *view) groupRoutes(g group, s model.Service) bool {
	for _, a := range slices.Concat(g.canaries, g.olds) {
		if v.routedAnywhere(a, s) {
			return true
		}
	}
	return len(g.canaries)+len(g.olds) == 0
}

func oldNotRegistered(v *view) string {
	return v.eachGroup(func(g group) string {
		for _, a := range g.olds {
			for _, s := range a.Job.Group(a.Group).AllServices() {
				if s.Provider == model.ProviderConsul && v.registration(a, s.Name) == nil {
					return fmt.Sprintf("old allocation %s is %s, but its service %q is not in Consul's catalog, so it is not known who routes to it", v.called(a.ID, a.Group), a.ClientStatus, s.Name)
				}
			}
		}
		return ""
	})
}

func canaryNotRegistered(v *view) string {
	return v.eachCanary(func(g group, a model.Allocation) string {
		for _, s := range g.spec.AllServices() {
			if s.Provider == model.ProviderConsul && v.registration(a, s.Name) == nil {
				return fmt.Sprintf("canary %s is not in Consul's catalog as an instance of service %q", v.called(a.ID, a.Group), s.Name)
			}
		}
		return ""
	})
}

func canaryNotPassing(v *view) string {
	return v.eachCanary(func(_ group, a model.Allocation) string { return canaryStatus(v, a) })
}

// canaryStatus says what keeps a canary from passing in the catalog, or is
// empty. An instance without a check of its own is not passing: nobody looked.
func canaryStatus(v *view, a model.Allocation) string {
	regs := v.byAlloc[a.ID]
	if len(regs) == 0 && v.hasServices(a) {
		return "canary " + a.ShortID() + " has no instance in Consul's catalog"
	}
	for _, r := range regs {
		switch {
		case !v.anyProxyExposes(r):
		case r.ServiceChecks() == 0:
			return fmt.Sprintf("canary %s of service %q has no check in Consul's catalog, so nobody looked whether it is ready", a.ShortID(), r.ServiceName)
		case r.Status != model.StatusPassing:
			return fmt.Sprintf("canary %s of service %q is %s in Consul%s", a.ShortID(), r.ServiceName, r.Status, failing(r))
		}
	}
	return ""
}

// hasServices reports whether the canary's group registers anything in Consul.
func (v *view) hasServices(a model.Allocation) bool {
	for _, s := range v.Snapshot.Job.Value.Group(a.Group).AllServices() {
		if s.Provider == model.ProviderConsul {
			return true
		}
	}
	return false
}

func (v *view) anyProxyExposes(r model.Registration) bool {
	for i := range v.Snapshot.Proxies.Value {
		if exposed(&v.Snapshot.Proxies.Value[i], r) {
			return true
		}
	}
	return len(v.Snapshot.Proxies.Value) == 0
}

// failing names the first check that is not passing.
func failing(r model.Registration) string {
	for _, c := range r.Checks {
		if c.Status != model.StatusPassing {
			return fmt.Sprintf(" (check %q: %s)", c.Name, firstLine(c.Output))
		}
	}
	return ""
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	if s == "" {
		return "no output yet"
	}
	return s
}

// routerVanished finds a router or service that a proxy used for the old
// instances earlier in this deployment and does not use now. Two versions
// whose tags define one name differently make Traefik drop that name for both
// (Traefik v3.6.12, pkg/provider/configuration.go). A process that has just
// started uses none either, until it has read the catalog.
func routerVanished(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		now := p.names()
		for _, name := range v.Memory.Pools[poolKey(g, p)] {
			if !slices.Contains(now, name) {
				return fmt.Sprintf("proxy %s no longer uses %s, which routed the old instances earlier in this deployment: it has restarted and not read the catalog since, or found no instance passing; or the tags of the two versions define that name differently, and Traefik drops it for both: then give both versions the same tags", p.proxy.Name, name)
			}
		}
		if len(p.services) == 0 && len(p.idle) > 0 {
			return fmt.Sprintf("proxy %s has service %s with the old instances but no enabled router for it", p.proxy.Name, strings.Join(p.idle, ", "))
		}
		return ""
	})
}

func oldNotListed(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		if !p.exposed || len(p.services) > 0 {
			return ""
		}
		return fmt.Sprintf("proxy %s lists none of the %d old instances of group %q, so its production pool is not known; if the old version is down for good, promote by hand", p.proxy.Name, len(g.olds), g.state.Name)
	})
}

func tagsRefused(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		for _, a := range g.canaries {
			for _, r := range v.byAlloc[a.ID] {
				if err := p.proxy.Tags[r.ServiceID].Err; err != "" && v.unlisted(p, a) != "" {
					return fmt.Sprintf("proxy %s leaves canary %s out because of its tags: %s", p.proxy.Name, a.ShortID(), err)
				}
			}
		}
		return ""
	})
}

// canaryOtherRouter finds a canary that a proxy routes to, but in another
// service than the old instances.
func canaryOtherRouter(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		for _, a := range g.canaries {
			missing := v.unlisted(p, a)
			if missing == "" {
				continue
			}
			if other := v.elsewhere(p, a); other != "" {
				return fmt.Sprintf("proxy %s routes canary %s through %s and not through %s, so it is not in the production pool: promotion would empty that pool before the canary enters it; let canary_tags define the same router and service as tags, or leave canary_tags out", p.proxy.Name, a.ShortID(), other, missing)
			}
		}
		return ""
	})
}

func (v *view) elsewhere(p pool, a model.Allocation) string {
	routers := enabledRouters(p.proxy.Routing.Value)
	mine := v.hostPorts(p.proxy, []model.Allocation{a})
	for _, s := range p.proxy.Routing.Value.Services {
		if lists(s, mine) && len(routers[s.Name]) > 0 && !p.has(s.Name) {
			return s.Name
		}
	}
	return ""
}

func (p pool) has(service string) bool {
	return slices.ContainsFunc(p.services, func(s model.ProxyService) bool { return s.Name == service })
}

func canaryNotListed(v *view) string {
	return v.eachPool(func(g group, p pool) string {
		for _, a := range g.canaries {
			if missing := v.unlisted(p, a); missing != "" {
				return fmt.Sprintf("proxy %s does not list canary %s in %s yet (refreshInterval %s)", p.proxy.Name, a.ShortID(), missing, p.proxy.Settings.Value.RefreshInterval)
			}
		}
		return ""
	})
}

// unlisted is the first service of the pool that does not list the canary.
func (v *view) unlisted(p pool, a model.Allocation) string {
	mine := v.hostPorts(p.proxy, []model.Allocation{a})
	for _, s := range p.services {
		if !serves(s, mine) {
			return s.Name
		}
	}
	return ""
}

func catalogRecovering(v *view) string {
	if v.memory.CatalogTrouble.IsZero() {
		return ""
	}
	since := v.Now.Sub(v.memory.CatalogTrouble)
	if since > Recovery {
		return ""
	}
	return fmt.Sprintf("Consul could not be read %s ago; a proxy that had the same trouble may wait up to %s before it asks again", since.Round(time.Second), Recovery)
}

// leaderChanged: a leader that went away may have seen the catalog fail right
// before, as whatever ended its leadership may have been that very failure.
func leaderChanged(v *view) string {
	since := v.Now.Sub(v.memory.TakenOver)
	if v.memory.TakenOver.IsZero() || since > Recovery {
		return ""
	}
	return fmt.Sprintf("this instance took over %s ago, and whether Consul could be read before is not known; a proxy that could not may wait up to %s before it asks again", since.Round(time.Second), Recovery)
}

func windowRunning(v *view) string {
	need := v.window()
	lasted := v.Now.Sub(v.memory.Since)
	if !v.memory.Since.IsZero() && lasted >= need {
		return ""
	}
	if v.memory.Since.IsZero() {
		lasted = 0
	}
	return fmt.Sprintf("the canaries are healthy, passing and routed by every proxy for %s of %s", lasted.Round(100*time.Millisecond), need)
}

// window is how long the start side must last: MinWindow, or twice the longest
// interval of the checks of the new version.
func (v *view) window() time.Duration {
	need := MinWindow
	for _, g := range v.groups {
		for _, s := range g.spec.AllServices() {
			for _, c := range s.Checks {
				need = max(need, 2*c.Interval)
			}
		}
	}
	return need
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
