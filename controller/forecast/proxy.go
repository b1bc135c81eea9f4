package forecast

import (
	"slices"
	"time"
)

// view is a proxy at one phase.
type view struct {
	loads, deliveries grid
	lag               time.Duration
	// before is when the configuration that the deploy found came into force.
	before time.Duration
}

// at fixes the phases of a proxy.
//
// A proxy that polls loads every RefreshInterval. The throttle lets a
// configuration through and sleeps; of what comes meanwhile the newest is next
// (Traefik v3.6.12, pkg/provider/aggregator/aggregator.go, ring_channel.go).
// With loads further apart than that it never waits. Otherwise the sleeps and
// the loads drift apart, so that each has a phase of its own.
func (p Proxy) at(c chance) view {
	v := view{lag: p.Load + part(c.apply, p.Apply+p.Load), before: -p.CheckEvery - part(c.check, p.CheckEvery)}
	v.loads = grid{first: part(c.load, p.RefreshInterval), period: p.RefreshInterval}
	if p.throttled() {
		v.deliveries = grid{first: part(c.throttle, p.Throttle), period: p.Throttle}
	}
	return v
}

func (p Proxy) throttled() bool { return p.RefreshInterval <= p.Throttle }

// next is the load by which the proxy sees what is in the catalog from t on,
// and when that is in force.
func (v view) next(t time.Duration) (load, force time.Duration) {
	delivered := v.deliveries.next(v.loads.next(t))
	return v.loads.last(delivered), delivered + v.lag
}

// reload is a configuration that comes into force, with the cohorts in it.
type reload struct {
	at   time.Duration
	pool []*cohort
}

// reloads are the configurations of a deploy, in order. One that equals the one
// before it is not applied (pkg/server/configurationwatcher.go), and so does not
// bring servers back UP.
func (v view) reloads(all []*cohort) []reload {
	out := []reload{{at: v.before, pool: listed(all, -1)}}
	seen := time.Duration(-1)
	for _, change := range changes(all) {
		if change <= seen {
			continue
		}
		load, force := v.next(change)
		seen = load
		if pool := listed(all, load); !slices.Equal(pool, out[len(out)-1].pool) {
			out = append(out, reload{at: force, pool: pool})
		}
	}
	return out
}

// changes are the times at which the catalog changes.
func changes(all []*cohort) []time.Duration {
	var out []time.Duration
	for _, c := range all {
		for _, t := range []time.Duration{c.early.from, c.early.to, c.listed.from, c.listed.to} {
			if t >= 0 && t < never {
				out = append(out, t)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func listed(all []*cohort, at time.Duration) []*cohort {
	var out []*cohort
	for _, c := range all {
		if c.early.has(at) || c.listed.has(at) {
			out = append(out, c)
		}
	}
	return out
}

// down is when the proxy's own health check has the cohort DOWN under a
// configuration that came into force at r: all servers are UP then, and the
// first check is one interval later (Traefik v3.6.12,
// pkg/healthcheck/healthcheck.go, pkg/server/service/service.go).
func (p Proxy) down(c *cohort, r time.Duration) []span {
	if p.CheckEvery <= 0 {
		return nil
	}
	up, again := grid{r, p.CheckEvery}, grid{r, p.RecheckEvery}
	var out []span
	first := r + p.CheckEvery
	if first < c.fit.from {
		out = append(out, span{first, again.next(c.fit.from)})
		first = out[0].to
	}
	if c.fit.to < never {
		out = append(out, span{up.next(max(first, c.fit.to)), never})
	}
	return out
}
