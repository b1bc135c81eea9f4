package forecast

import "time"

// span is a time from a point up to but not including another.
type span struct{ from, to time.Duration }

func (s span) has(t time.Duration) bool { return s.from <= t && t < s.to }

// cohort are instances that start and end together.
type cohort struct {
	size int
	old  bool
	// early and listed are when the catalog has them with a status that the
	// proxy accepts.
	early, listed span
	// serves is when a request is answered, up is when it can be connected to: a
	// warming instance answers 503, and what outlasts the instance is cut off.
	serves, up span
	// fit is when they pass a health check: until the stop signal.
	fit span
}

// running are instances that were there before the deploy.
func running(size int) *cohort {
	always := span{-never, never}
	return &cohort{size: size, old: true, listed: always, serves: always, up: always, fit: always}
}

// started are new instances whose task starts at t.
func (d Deploy) started(size int, t time.Duration, c chance, turn int) (k *cohort, passing, healthy time.Duration) {
	ready := t + d.WarmUp
	k = &cohort{size: size, up: span{t, never}, serves: span{ready, never}, fit: span{ready, never}}
	first, passing := d.passes(d.CheckInterval, t, c, turn)
	k.listed = span{passing, never}
	switch {
	case d.CheckInterval == 0 || d.Listed == ListedAlways:
		k.listed.from = t
	case d.Listed == ListedFirst:
		k.early = span{t, first}
	}
	healthy = t
	if !d.Blind {
		healthy = passing
	}
	if d.Others > 0 {
		_, others := d.passes(d.Others, t, c, turn)
		healthy = max(healthy, others)
	}
	return k, passing, healthy + d.MinHealthyTime
}

// passes is when a check of new instances first runs, and when it first passes;
// both are at once without a check. It first runs at a random time within its
// interval, and then every interval (Consul v1.22.6, agent/checks/check.go).
func (d Deploy) passes(interval, t time.Duration, c chance, turn int) (first, passing time.Duration) {
	if interval == 0 {
		return t, t
	}
	first = t + c.latency(turn, latencyCheck, interval)
	return first, grid{first, interval}.next(max(first, t+d.WarmUp))
}

// stop tells instances to stop at t, and returns when they have ended.
func (d Deploy) stop(k *cohort, t time.Duration) time.Duration {
	out := t + d.Lead
	end := out + d.Served
	k.listed.to = out
	k.up.to = end
	k.serves.to = end - d.Request
	k.fit.to = end - d.Drain
	return end
}

// schedule is what becomes of all instances.
type schedule struct {
	all []*cohort
	// passing is when the checks of the canaries pass, healthy when Nomad could
	// promote them, promoted when it does, never if it does not. All are 0 for a
	// deploy without canaries.
	passing, healthy, promoted time.Duration
}

// promoter says when a deploy is promoted: from the time at which Nomad calls
// the canaries healthy, and that at which they pass and the proxy has them in
// its pool.
type promoter func(healthy, seen time.Duration) time.Duration

// plan follows a deploy through all its turns.
func (d Deploy) plan(c chance, when promoter) schedule {
	if d.Canary == 0 {
		var s schedule
		d.roll(&s, c, 0, 0, d.Count)
		return s
	}
	canaries, passing, healthy := d.started(d.Canary, 0, c, 0)
	_, seen := d.Proxy.at(c).next(canaries.listed.from)
	s := schedule{all: []*cohort{canaries}, passing: passing, healthy: healthy}
	s.promoted = when(healthy, max(passing, seen))
	if s.promoted >= never {
		s.all = append(s.all, running(d.Count))
		if d.Apart {
			canaries.early, canaries.listed = span{}, span{never, never}
		}
		return s
	}
	if d.Apart {
		canaries.early = span{}
		canaries.listed.from = max(canaries.listed.from, s.promoted)
	}
	stopping := s.promoted + c.latency(0, latencyHealth, HealthLatency)
	named := min(d.Canary, d.Count)
	leave := running(named)
	d.stop(leave, stopping)
	s.all = append(s.all, leave)
	d.roll(&s, c, 1, stopping, d.Count-named)
	return s
}

// roll replaces the rest of the old instances, batch by batch: those of a batch
// start when the ones that they replace have ended, and the next batch is
// stopped when they are healthy (Nomad v1.11.3,
// scheduler/reconciler/reconcile_cluster.go, client/allocrunner/upstream_allocs_hook.go).
func (d Deploy) roll(s *schedule, c chance, turn int, t time.Duration, rest int) {
	for ; rest > 0; turn++ {
		n := min(rest, d.batch())
		rest -= n
		leave := running(n)
		end := d.stop(leave, t)
		fresh, _, healthy := d.started(n, end+c.latency(turn, latencyRestart, RestartLatency), c, turn)
		s.all = append(s.all, leave, fresh)
		t = healthy + time.Second + c.latency(turn, latencyHealth, HealthLatency+BatchLatency-time.Second)
	}
}
