package forecast

import "time"

// Range is a loss over the phases that a deploy can meet, as a length of time
// in which every request is lost: one second at 100 requests a second is 100
// requests.
type Range struct{ Best, Mean, Worst time.Duration }

// Loss is what a deploy loses. Start is on the side of the new instances: sent
// to one that is not ready, or to a pool in which nobody could answer because
// they are not in it yet. Stop is on the side of the old ones: sent to one that
// has ended, beside others that could answer. The worst of the sum need not be
// the sum of the worst.
type Loss struct{ Total, Start, Stop Range }

// resolution is the size of the grid: phases of the loads, and, at each of them,
// points of everything else.
type resolution struct{ loads, points int }

// fine is the resolution that a deploy is swept with. One of more than a few
// turns meets many phases in one run and takes longer to follow, so fewer do.
func (d Deploy) fine() resolution {
	if d.turns() > 4 {
		return resolution{loads: 40, points: 4}
	}
	return resolution{loads: 120, points: 6}
}

// each calls with every phase of the grid, and says which are for the mean:
// those where everything that is not chosen takes the shortest or the longest
// count for best and worst only.
func (r resolution) each(call func(c chance, mean bool)) {
	for i := range r.loads {
		at := (float64(i) + 0.5) / float64(r.loads)
		for k := range r.points {
			p := spread(i*r.points + k)
			call(chance{load: at, throttle: p.in(proxyThrottle), check: p.in(proxyCheck), apply: p.in(proxyApply), turn: p}, true)
		}
		for corner := range 1 << 3 {
			at := func(bit int) float64 { return float64(corner>>bit&1) * almost }
			call(chance{load: float64(i) / float64(r.loads), throttle: at(0), check: at(0), apply: at(1), turn: same(at(2))}, false)
		}
	}
}

// almost is the largest share.
const almost = 0.999

// sweep runs a deploy over all phases, and returns also the one with the
// largest loss.
func (d Deploy) sweep(r resolution, when func(chance) promoter) (Loss, chance) {
	var total, start, stop tally
	var worst chance
	r.each(func(c chance, mean bool) {
		l, _ := d.run(c, when(c), nil)
		if total.n == 0 || l.total() > total.Worst {
			worst = c
		}
		total.add(l.total(), mean)
		start.add(l.start, mean)
		stop.add(l.stop, mean)
	})
	return Loss{total.end(), start.end(), stop.end()}, worst
}

// tally takes the smallest, the largest and the mean.
type tally struct {
	Range
	n, counted int
	sum        time.Duration
}

func (t *tally) add(d time.Duration, mean bool) {
	if t.n == 0 {
		t.Best, t.Worst = d, d
	}
	t.n++
	t.Best, t.Worst = min(t.Best, d), max(t.Worst, d)
	if mean {
		t.counted++
		t.sum += d
	}
}

func (t *tally) end() Range {
	t.Mean = t.sum / time.Duration(max(1, t.counted))
	return t.Range
}

// Outcome is what becomes of a deploy.
type Outcome struct {
	Loss Loss
	// Story is the course of the deploy at the phase at which most is lost.
	Story Story
}

// AutoPromote is the deploy where Nomad promotes the moment the canaries are
// healthy, or where there are no canaries to promote.
func (d Deploy) AutoPromote() Outcome { return d.outcome(func(chance) promoter { return atOnce }) }

// Gated is the deploy where draingate promotes: when every proxy has had the
// canaries in its pool for the window.
func (d Deploy) Gated() Outcome { return d.outcome(d.gated) }

// Held is the deploy where nobody promotes.
func (d Deploy) Held() Outcome { return d.outcome(func(chance) promoter { return notAtAll }) }

func (d Deploy) outcome(when func(chance) promoter) Outcome {
	l, worst := d.sweep(d.fine(), when)
	return Outcome{l, d.story(worst, when(worst))}
}

func atOnce(healthy, _ time.Duration) time.Duration { return healthy }

func notAtAll(time.Duration, time.Duration) time.Duration { return never }

func (d Deploy) gated(c chance) promoter {
	return func(healthy, seen time.Duration) time.Duration {
		return max(healthy, seen) + d.Window + c.latency(0, latencyHealth, PollLatency)
	}
}
