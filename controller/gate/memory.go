package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// Memory is what the gate remembers of one deployment from pass to pass. The
// zero Memory is that of a deployment never seen before. What is lost with it only
// delays a promotion, but for trouble with the catalog, for which TakenOver stands
// in, and Shown, which only ever adds to what the settings say.
type Memory struct {
	// Since is when the unbroken run of the start side began; zero while it
	// is not true.
	Since time.Time
	// Last is when the start side was last found true.
	Last time.Time
	// Fingerprint identifies what was found: the proxies' identities, the
	// canaries, and the state of each of their checks.
	Fingerprint string
	// AwaitingSince is when the deployment was first seen to wait for nothing
	// but its promotion.
	AwaitingSince time.Time
	// CatalogTrouble is when the catalog was last unreadable.
	CatalogTrouble time.Time
	// TakenOver is when an instance began to look after another one had led; zero
	// where none had. Whoever keeps memories sets it in the first of each deployment.
	TakenOver time.Time
	// Pools are the routers and services that each proxy used for old instances.
	Pools map[string][]string
	// OldAddresses are where proxies list the old instances, sorted; kept after
	// promotion, when the instances leave the catalog.
	OldAddresses []string
	// DrainedSince is when all old allocations of the promoted deployment were
	// first seen to have ended; zero before.
	DrainedSince time.Time
	// Arrivals follow each canary on its way in.
	Arrivals map[string]Arrival
	// Fence is what is remembered of the deployment's fence.
	Fence fence.Memory
	// FencedOut is true once a fence was seen to have done all that it was to do.
	FencedOut bool
	// Shown is the longest time each proxy took from a canary's first passing
	// to its listing, by identity of the proxy.
	Shown map[string]time.Duration
}

// Arrival follows one canary from not passing to listed.
type Arrival struct {
	// SeenNotPassing is true once the canary was seen registered or running
	// but not passing, so that the moment of its first passing is known.
	SeenNotPassing bool
	// Passing is the pass in which it was first seen passing.
	Passing time.Time
	// Waiting is since when each proxy, by identity, is seen not to list it.
	Waiting map[string]time.Time
	// Done holds the proxies that have listed it or whose time is void.
	Done map[string]bool
}

// proxyKey is a proxy's identity: its address and its start date.
func proxyKey(p *model.Proxy) string {
	return p.Name + " started " + p.Started.Value.UTC().Format(time.RFC3339Nano)
}

// advance returns the memory after this pass.
func advance(v *view) Memory {
	m := v.Memory
	if consulUnknown(v) != "" {
		m.CatalogTrouble = v.Now
	}
	m.AwaitingSince = awaitingSince(v)
	m.FencedOut = m.FencedOut || v.record != nil && v.record.Step == fence.StepEnded && v.record.Reason == ""
	m.Pools = rememberPools(v)
	m.OldAddresses = rememberOld(v)
	m.DrainedSince = drainedSince(v)
	m.Arrivals, m.Shown = follow(v)
	v.memory = m
	if found, _ := first(v, observed); found != nil {
		m.Since, m.Last, m.Fingerprint = time.Time{}, time.Time{}, ""
		return m
	}
	print := fingerprint(v)
	if m.Since.IsZero() || print != m.Fingerprint || !within(v.Now.Sub(m.Last), MaxAge) {
		m.Since = v.Now
	}
	m.Last, m.Fingerprint = v.Now, print
	return m
}

// within reports whether d is neither negative nor longer than limit: a clock
// that went backwards breaks a run as surely as a gap does.
func within(d, limit time.Duration) bool { return d >= 0 && d <= limit }

// fingerprint changes with everything that could blip between two passes.
func fingerprint(v *view) string {
	var parts []string
	for i := range v.Snapshot.Proxies.Value {
		parts = append(parts, proxyKey(&v.Snapshot.Proxies.Value[i]))
	}
	for _, g := range v.groups {
		for _, a := range g.canaries {
			parts = append(parts, a.ID)
			for _, r := range v.byAlloc[a.ID] {
				for _, c := range r.Checks {
					parts = append(parts, fmt.Sprintf("%s %s %d", r.ServiceID, c.ID, c.ModifyIndex))
				}
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}

// rememberPools adds what the proxies route now to what they have routed.
func rememberPools(v *view) map[string][]string {
	out := maps.Clone(v.Memory.Pools)
	if out == nil {
		out = map[string][]string{}
	}
	for _, g := range v.bound {
		for _, p := range g.pools {
			key := poolKey(g, p)
			names := slices.Concat(out[key], p.names())
			slices.Sort(names)
			if names = slices.Compact(names); len(names) > 0 {
				out[key] = names
			}
		}
	}
	return out
}

// poolKey does not contain the start date: a proxy that restarts is expected
// to route what it routed before.
func poolKey(g group, p pool) string { return p.proxy.Name + " " + g.state.Name }

// names are the routers and services of the pool.
func (p pool) names() []string {
	var out []string
	for _, s := range p.services {
		out = append(out, "service "+s.Name)
	}
	for _, r := range p.routers {
		out = append(out, "router "+r)
	}
	return out
}

// follow measures how long each proxy takes to list a canary. A pass in which
// the catalog is not known voids what was begun, and one in which a proxy is
// not known voids that proxy's: a time that spans blindness says nothing.
func follow(v *view) (map[string]Arrival, map[string]time.Duration) {
	arrivals, shown := map[string]Arrival{}, maps.Clone(v.Memory.Shown)
	if shown == nil {
		shown = map[string]time.Duration{}
	}
	if consulUnknown(v) != "" {
		return arrivals, shown
	}
	for _, g := range v.groups {
		for _, a := range g.canaries {
			before := v.Memory.Arrivals[a.ID]
			arrival := before.clone()
			if canaryStatus(v, a) != "" {
				arrivals[a.ID] = Arrival{SeenNotPassing: true}
				continue
			}
			if arrival.SeenNotPassing && arrival.Passing.IsZero() {
				arrival.Passing = v.Now
			}
			if !arrival.Passing.IsZero() {
				v.arrive(g, a, arrival, shown)
			}
			arrivals[a.ID] = arrival
		}
	}
	return arrivals, shown
}

// arrive notes the proxies that list the canary in this pass.
func (v *view) arrive(g group, a model.Allocation, arrival Arrival, shown map[string]time.Duration) {
	for _, p := range g.pools {
		key := proxyKey(p.proxy)
		switch {
		case arrival.Done[key]:
		case !p.proxy.Routing.Fresh(v.Now, MaxAge):
			arrival.Done[key] = true
		case len(p.services) == 0 || v.unlisted(p, a) != "":
			if _, seen := arrival.Waiting[key]; !seen {
				arrival.Waiting[key] = v.Now
			}
		default:
			arrival.Done[key] = true
			if since, seen := arrival.Waiting[key]; seen {
				shown[key] = max(shown[key], v.Now.Sub(since))
			}
		}
	}
}

// clone returns a copy that shares nothing and has no nil maps.
func (a Arrival) clone() Arrival {
	out := Arrival{SeenNotPassing: a.SeenNotPassing, Passing: a.Passing, Waiting: map[string]time.Time{}, Done: map[string]bool{}}
	maps.Copy(out.Waiting, a.Waiting)
	maps.Copy(out.Done, a.Done)
	return out
}

// rememberOld returns where the old instances are listed, or what was
// remembered once there is nothing awaiting promotion any more.
func rememberOld(v *view) []string {
	all := map[string]bool{}
	for _, g := range v.groups {
		for _, p := range g.pools {
			maps.Copy(all, v.hostPorts(p.proxy, g.olds))
		}
	}
	if len(all) == 0 {
		return v.Memory.OldAddresses
	}
	return slices.Sorted(maps.Keys(all))
}
