package leader

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plan is what befalls some instances.
type plan struct {
	Patience float64
	Trips    [][]trip
	Events   []event
}

// event destroys the session of the lock, or cuts an instance off or back on.
type event struct {
	After    time.Duration
	Instance int
	Kind     int
}

func drawPlan(rt *rapid.T) plan {
	ms := func(limit int, name string) time.Duration {
		return time.Duration(rapid.IntRange(0, limit).Draw(rt, name)) * time.Millisecond
	}
	trips := rapid.Custom(func(rt *rapid.T) trip {
		t := trip{There: ms(300, "there"), Back: ms(300, "back"), Lost: rapid.IntRange(0, 9).Draw(rt, "lost") == 0}
		switch rapid.IntRange(0, 9).Draw(rt, "kind") {
		case 0:
			t.There = ms(30_000, "late")
		case 1:
			t.Stop = ms(40_000, "stopped")
		case 2:
			t.Back = ms(4_000, "slow")
		}
		return t
	})
	events := rapid.Custom(func(rt *rapid.T) event {
		return event{After: ms(20_000, "after"), Instance: rapid.IntRange(0, 2).Draw(rt, "who"), Kind: rapid.IntRange(0, 2).Draw(rt, "what")}
	})
	p := plan{Patience: rapid.Float64Range(1, 2).Draw(rt, "patience"), Events: rapid.SliceOfN(events, 0, 12).Draw(rt, "events")}
	for range 3 {
		p.Trips = append(p.Trips, rapid.SliceOfN(trips, 1, 12).Draw(rt, "trips"))
	}
	return p
}

// Whatever stops processes, delays or loses calls, and ends sessions: never may
// two instances act at the same time.
func TestNeverTwoAtATime(t *testing.T) {
	var led int
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var both string
		synctest.Test(t, func(t *testing.T) { both = p.play(t, &led) })
		if both != "" {
			rt.Fatal(both)
		}
	})
	require.Positive(t, led, "no plan had a leader at all")
}

// play lets three instances live through a plan, and says when two could act.
func (p plan) play(t *testing.T, led *int) (both string) {
	c := newConsul(p.Patience)
	var all []*instance
	for i, trips := range p.Trips {
		all = append(all, join(t, c, fmt.Sprint(i), trips...))
	}
	began := time.Now()
	at, next := began, 0
	for range 4000 {
		time.Sleep(47 * time.Millisecond)
		for next < len(p.Events) && time.Since(at) > p.Events[next].After {
			at = time.Now()
			p.Events[next].befall(c, all)
			next++
		}
		acting := 0
		for _, i := range all {
			if i.Left() > 0 {
				acting++
			}
		}
		*led += acting
		if acting > 1 && both == "" {
			both = fmt.Sprintf("%d instances may act after %s", acting, time.Since(began))
		}
	}
	for _, i := range all {
		i.set(false)
		i.stop()
	}
	return both
}

func (e event) befall(c *fakeConsul, all []*instance) {
	switch e.Kind {
	case 0:
		lock, _ := c.read()
		c.end(lock.Session)
	case 1:
		all[e.Instance].set(true)
	default:
		all[e.Instance].set(false)
	}
}
