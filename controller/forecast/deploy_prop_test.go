package forecast

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

// anyDeploy is a deploy of a service whose new instances are routed when they
// pass, with times that meet at the same moments now and then.
func anyDeploy(t *rapid.T) Deploy {
	seconds := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, 2*most).Draw(t, name)) * 500 * time.Millisecond
	}
	d := Deploy{
		Count: rapid.IntRange(1, 4).Draw(t, "count"), MaxParallel: rapid.IntRange(0, 4).Draw(t, "max_parallel"),
		MinHealthyTime: seconds("min_healthy_time", 12), CheckInterval: time.Second + seconds("check", 10), WarmUp: seconds("warm-up", 20),
		Served: seconds("S", 25), Lead: seconds("lead", 5), Window: 5 * time.Second,
		Proxy: Proxy{
			RefreshInterval: seconds("refresh", 20), Throttle: seconds("throttle", 4), Apply: drain.Apply,
			CheckEvery: seconds("health check", 4), Attempts: rapid.IntRange(0, 4).Draw(t, "attempts"),
		},
	}
	d.Proxy.RecheckEvery = max(d.Proxy.CheckEvery, 500*time.Millisecond)
	d.Canary = rapid.IntRange(1, d.Count).Draw(t, "canary")
	d.Others = seconds("another check", 5)
	d.Drain, d.Request = min(d.Served, seconds("drain", 6)), seconds("L", 3)
	return d
}

// bound is T as package drain has it.
func (d Deploy) bound() time.Duration {
	s := model.ProxySettings{ConsulCatalog: true, RefreshInterval: d.Proxy.RefreshInterval, Throttle: d.Proxy.Throttle}
	t, _ := drain.TimeToStopRouting(s, model.Load{Took: d.Proxy.Load}, 0)
	return t
}

// anyChance is one phase of everything that nobody chooses.
func anyChance(t *rapid.T) chance {
	share := func(name string) float64 { return rapid.Float64Range(0, 0.999).Draw(t, name) }
	return chance{load: share("load"), throttle: share("throttle"), check: share("check"), apply: share("apply"), turn: spread(rapid.IntRange(0, 5000).Draw(t, "turn"))}
}

// chances are phases of the loads all over the interval.
func chances(t *rapid.T) []chance {
	var out []chance
	for i := range 60 {
		c := anyChance(t)
		c.load = float64(i) / 60
		out = append(out, c)
	}
	return out
}

// What the gate promotes loses nothing, whatever the phases.
func TestPropTheGateLosesNothingWhereTheWindowIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDeploy(t)
		d.Served = d.bound() + d.Request + time.Duration(rapid.IntRange(0, 3000).Draw(t, "in hand"))*time.Millisecond
		for _, c := range chances(t) {
			if l, _ := d.run(c, d.gated(c), nil); l.total() != 0 {
				t.Fatalf("S = T + L or more and the gate loses %s on the start side and %s on the stop side at %+v", l.start, l.stop, c)
			}
		}
	})
}

// The gate promotes when the canaries pass, are healthy and have been in the
// proxy's pool for the window, at every phase.
func TestPropTheGateWaitsForTheProxy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, c := anyDeploy(t), anyChance(t)
		_, s := d.run(c, d.gated(c), nil)
		_, seen := d.Proxy.at(c).next(s.all[0].listed.from)
		if least := max(s.healthy, s.passing, seen) + d.Window; s.promoted < least || s.promoted > least+PollLatency {
			t.Fatalf("promoted at %s; healthy at %s, passing at %s, routed at %s, window %s", s.promoted, s.healthy, s.passing, seen, d.Window)
		}
	})
}

// What is held loses nothing either, as long as nobody is routed too early.
func TestPropAHoldLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDeploy(t)
		for _, c := range chances(t) {
			if l, _ := d.run(c, notAtAll, nil); l.total() != 0 {
				t.Fatalf("nobody is stopped, and %s is lost at %+v", l.total(), c)
			}
		}
	})
}

// An old instance that serves for longer never makes it worse, at any phase, as
// long as no batch waits for its end. A health check can notice the later end
// one interval later.
func TestPropMoreServableTimeLosesNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, c := anyDeploy(t), anyChance(t)
		d.Canary = d.Count
		longer := d
		longer.Served += time.Duration(rapid.IntRange(1, 10_000).Draw(t, "more")) * time.Millisecond
		before, _ := d.run(c, atOnce, nil)
		after, _ := longer.run(c, atOnce, nil)
		if after.total() > before.total()+d.Proxy.CheckEvery+time.Microsecond {
			t.Fatalf("S %s loses %s, S %s loses %s", d.Served, before.total(), longer.Served, after.total())
		}
	})
}

// coarse is a resolution for what holds with any.
var coarse = resolution{loads: 12, points: 2}

func automatic(chance) promoter { return atOnce }

// The figures are in order, and both sides add up to the whole.
func TestPropFiguresAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDeploy(t)
		d.Listed = rapid.SampledFrom([]Listing{ListedPassing, ListedFirst, ListedAlways}).Draw(t, "listed")
		d.Apart, d.Blind = rapid.Bool().Draw(t, "apart"), rapid.Bool().Draw(t, "blind")
		if rapid.Bool().Draw(t, "no canaries") {
			d.Canary = 0
		}
		l, _ := d.sweep(coarse, automatic)
		for _, r := range []Range{l.Total, l.Start, l.Stop} {
			if r.Best < 0 || r.Best > r.Mean || r.Mean > r.Worst {
				t.Fatalf("best %s, mean %s, worst %s", r.Best, r.Mean, r.Worst)
			}
		}
		if off := (l.Total.Mean - l.Start.Mean - l.Stop.Mean).Abs(); off > time.Microsecond {
			t.Fatalf("the sides add up to %s less than the whole", off)
		}
	})
}

// A story is of one deploy from its submission on, or from the first request that
// it cuts off, without a hole, and loses what the figures say.
func TestPropTheStoryIsThatOfTheWorst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDeploy(t)
		loss, worst := d.sweep(coarse, automatic)
		story := d.story(worst, atOnce)
		at, lost := story.Begin(), 0.0
		if at > 0 || at < -d.Request {
			t.Fatalf("begins at %s where requests last %s", at, d.Request)
		}
		for _, st := range story.Steps {
			if st.From != at || st.To <= st.From {
				t.Fatalf("a step from %s to %s follows one to %s", st.From, st.To, at)
			}
			at = st.To
			lost += (st.Start + st.Stop) * float64(st.To-st.From)
		}
		if off := (time.Duration(lost) - loss.Total.Worst).Abs(); off > time.Microsecond {
			t.Fatalf("the story loses %s, the worst case is %s", time.Duration(lost), loss.Total.Worst)
		}
	})
}
