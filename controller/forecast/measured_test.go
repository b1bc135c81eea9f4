package forecast

import (
	"slices"
	"testing"
	"time"
)

// measured is a deploy that was run on real servers, with the share of good
// answers in percent of each run and how long the load lasted.
type measured struct {
	deploy Deploy
	good   []float64
	load   time.Duration
}

// protocol is the deploy of the measurements: Nomad 1.11.3, Consul 1.22.3 and
// Traefik 3.6.12 on one machine, one instance, one canary, auto_promote.
func protocol(change func(*Deploy)) Deploy {
	d := Deploy{
		Count: 1, Canary: 1, MaxParallel: 1, MinHealthyTime: 2 * time.Second, CheckInterval: 2 * time.Second, WarmUp: 8 * time.Second,
		Proxy: Proxy{RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second, Apply: 500 * time.Millisecond},
	}
	change(&d)
	return d
}

func refresh(d *Deploy, every time.Duration) { d.Proxy.RefreshInterval = every }

// native is Traefik's Nomad provider: it lists what is registered, and drops
// what did not change before the throttle.
func native(d *Deploy) { d.Listed, d.Proxy.Throttle = ListedAlways, 0 }

func checked(d *Deploy) { d.Proxy.CheckEvery, d.Proxy.RecheckEvery = time.Second, time.Second }

func drains(d *Deploy, t time.Duration) { d.Served, d.Drain = t, t }

func rows() map[string]measured {
	const load = 45 * time.Second
	return map[string]measured{
		"E1 Nomad provider":                      {protocol(native), []float64{85.7, 84.9}, load},
		"E2 Nomad provider and health check":     {protocol(func(d *Deploy) { native(d); checked(d) }), []float64{99.19, 99.17}, load},
		"E4 no delay":                            {protocol(func(*Deploy) {}), []float64{75.4, 75.3}, load},
		"E4b shutdown_delay 6s":                  {protocol(func(d *Deploy) { d.Served = 6 * time.Second }), []float64{87.6, 89.7}, load},
		"E4c health check":                       {protocol(checked), []float64{77.2, 78.9}, load},
		"E4d drain 5s":                           {protocol(func(d *Deploy) { drains(d, 5*time.Second) }), []float64{88.5, 84.2}, load},
		"S1 refreshInterval 2s, delay 6s":        {protocol(func(d *Deploy) { refresh(d, 2*time.Second); d.Served = 6 * time.Second }), []float64{100, 100}, load},
		"S2 delay 20s":                           {protocol(func(d *Deploy) { d.Served = 20 * time.Second }), []float64{100}, time.Minute},
		"S3 watch, throttle 200ms, delay 3s":     {protocol(func(d *Deploy) { refresh(d, 0); d.Proxy.Throttle, d.Served = 200*time.Millisecond, 3*time.Second }), []float64{100}, load},
		"D1 refreshInterval 2s, drain 6s":        {protocol(func(d *Deploy) { refresh(d, 2*time.Second); drains(d, 6*time.Second) }), []float64{100}, load},
		"R1 refreshInterval 2s, check and retry": {protocol(func(d *Deploy) { refresh(d, 2*time.Second); checked(d); d.Proxy.Attempts = 4 }), []float64{100}, load},
		"E7 the same and drain 6s": {
			protocol(func(d *Deploy) { refresh(d, 2*time.Second); checked(d); d.Proxy.Attempts = 4; drains(d, 6*time.Second) }),
			[]float64{100}, 40 * time.Second,
		},
		"F3 three instances, one canary, refreshInterval 5s": {protocol(func(d *Deploy) { refresh(d, 5*time.Second); d.Count = 3 }), []float64{98.35}, time.Minute},
	}
}

// good turns a loss into a share of good answers.
func good(lost, load time.Duration) float64 { return 100 * (1 - lost.Seconds()/load.Seconds()) }

// What was measured lies in what is predicted, and the prediction says
// something: it is no wider than the one phase that nobody chooses, the
// throttle, and two points.
func TestPredictsWhatWasMeasured(t *testing.T) {
	const points = 2.0
	for name, m := range rows() {
		t.Run(name, func(t *testing.T) {
			r := m.deploy.AutoPromote().Loss.Total
			worst, mean, best := good(r.Worst, m.load), good(r.Mean, m.load), good(r.Best, m.load)
			t.Logf("measured %v, predicted %.2f to %.2f, mean %.2f", m.good, worst, best, mean)
			if slices.Min(m.good) < worst || slices.Max(m.good) > best {
				t.Errorf("measured %v %% good, predicted %.2f to %.2f", m.good, worst, best)
			}
			unchosen := m.deploy.Proxy.RefreshInterval + m.deploy.Proxy.Throttle
			if bound := 100*unchosen.Seconds()/m.load.Seconds() + points; best-worst > bound {
				t.Errorf("range of %.2f points, want at most %.2f: (refreshInterval + throttle = %s) of %s and %g points", best-worst, bound, unchosen, m.load, points)
			}
		})
	}
}

// Every run with a refresh of 15 s came out near its worst case, which phases
// that have nothing to do with each other would not do. One phase, known to a
// second, explains them all within the same two points: a load of the catalog
// between the submission and the passing of the canary.
func TestOnePhaseExplainsAllRunsOfOneProtocol(t *testing.T) {
	var fits []int
	for second := range 15 {
		all := true
		for _, m := range rows() {
			if m.deploy.Proxy.RefreshInterval == 15*time.Second {
				all = all && m.fits(time.Duration(second)*time.Second)
			}
		}
		if all {
			fits = append(fits, second)
		}
	}
	t.Logf("seconds after the submission: %v", fits)
	if len(fits) == 0 || len(fits) > 5 || fits[len(fits)-1]-fits[0] >= len(fits) {
		t.Errorf("loads of the catalog, in seconds after the submission, that explain every run: got %v, want one to five that follow each other", fits)
	}
}

// fits reports whether all runs lie within what is predicted for the phases
// from a time to a second later.
func (m measured) fits(from time.Duration) bool {
	var low, high time.Duration = never, 0
	m.deploy.fine().each(func(c chance, _ bool) {
		at := part(c.load, m.deploy.Proxy.RefreshInterval)
		if at < from || at > from+time.Second {
			return
		}
		l, _ := m.deploy.run(c, atOnce, nil)
		low, high = min(low, l.total()), max(high, l.total())
	})
	return slices.Min(m.good) >= good(high, m.load)-2 && slices.Max(m.good) <= good(low, m.load)+2
}

// Stop before start, measured as 75.9 % of 50 s: a service at task level that
// stays in the catalog for the 6 s of its group, serves for 6 s after that, and
// needs 5 s to start. Two phases count here, one out and one in, and the check.
func TestPredictsStopBeforeStart(t *testing.T) {
	const load, measuredGood = 50 * time.Second, 75.9
	d := protocol(func(d *Deploy) {
		refresh(d, 2*time.Second)
		d.Canary, d.WarmUp, d.Lead, d.Served = 0, 5*time.Second, 6*time.Second, 6*time.Second
	})
	out := d.AutoPromote().Loss
	worst, best := good(out.Total.Worst, load), good(out.Total.Best, load)
	if measuredGood < worst || measuredGood > best {
		t.Errorf("measured %g %% good, predicted %.2f to %.2f", measuredGood, worst, best)
	}
	unchosen := 2*(d.Proxy.RefreshInterval+d.Proxy.Throttle) + d.CheckInterval
	if bound := 100*unchosen.Seconds()/load.Seconds() + 2; best-worst > bound {
		t.Errorf("range of %.2f points, want at most %.2f", best-worst, bound)
	}
	if out.Stop.Worst != 0 {
		t.Errorf("lost on the stop side: got %s, want none: the delay outlasts the refresh", out.Stop.Worst)
	}
}
