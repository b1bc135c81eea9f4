package forecast

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestShareThatIsLost(t *testing.T) {
	cases := map[string]struct {
		pool        pool
		attempts    int
		start, stop float64
	}{
		"everybody answers":                         {pool{good: 3}, 0, 0, 0},
		"nobody is there":                           {pool{}, 0, 1, 0},
		"only one that ended":                       {pool{gone: 1}, 4, 1, 0},
		"only a warming one":                        {pool{warming: 1}, 4, 1, 0},
		"one of two ended":                          {pool{good: 1, gone: 1}, 1, 0, 0.5},
		"one of two ended, two attempts":            {pool{good: 1, gone: 1}, 2, 0, 0.25},
		"one of two is warming: an answer is final": {pool{good: 1, warming: 1}, 4, 0.5, 0},
		"one of two is cut off: it was written":     {pool{good: 1, cut: 1}, 4, 0, 0.5},
		"a second attempt may reach a warming one":  {pool{good: 2, warming: 1, gone: 1}, 2, 0.25 * 1.25, 0.0625},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			start, stop := c.pool.lost(c.attempts)
			require.InDelta(t, c.start, start, 1e-9, "start side")
			require.InDelta(t, c.stop, stop, 1e-9, "stop side")
		})
	}
}

// When a proxy sees what happens at 10 s, and when that is in force.
func TestNextLoad(t *testing.T) {
	const s = time.Second
	cases := map[string]struct {
		proxy       Proxy
		chance      chance
		load, force time.Duration
	}{
		"the next load of 15 s":                      {Proxy{RefreshInterval: 15 * s, Throttle: 2 * s}, chance{load: 0.2}, 18 * s, 18 * s},
		"a load at that very moment":                 {Proxy{RefreshInterval: 10 * s}, chance{}, 10 * s, 10 * s},
		"it takes a while to apply":                  {Proxy{RefreshInterval: 15 * s, Apply: s}, chance{load: 0.2, apply: 0.5}, 18 * s, 18*s + s/2},
		"two loads at most, the seen and the next":   {Proxy{RefreshInterval: 15 * s, Load: s}, chance{load: 0.2, apply: 0.5}, 18 * s, 19*s + s/2},
		"the throttle delays, and the newest counts": {Proxy{RefreshInterval: s, Throttle: 4 * s}, chance{load: 0.5, throttle: 0.25}, 12*s + s/2, 13 * s},
		"a watch sees it at once":                    {Proxy{}, chance{}, 10 * s, 10 * s},
		"a watch waits for the throttle":             {Proxy{Throttle: 4 * s}, chance{throttle: 0.25}, 13 * s, 13 * s},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			load, force := c.proxy.at(c.chance).next(10 * s)
			require.Equal(t, c.load, load, "load")
			require.Equal(t, c.force, force, "in force")
		})
	}
}

// A reload marks all servers UP, and the first check is one interval later.
func TestHealthCheckOfTheProxy(t *testing.T) {
	const s = time.Second
	p := Proxy{CheckEvery: 2 * s, RecheckEvery: 3 * s}
	cases := map[string]struct {
		fit  span
		want []span
	}{
		"fit all along":                   {span{0, never}, nil},
		"warming until after two checks":  {span{14 * s, never}, []span{{12 * s, 16 * s}}},
		"ready before the first check":    {span{11 * s, never}, nil},
		"stops between two checks":        {span{0, 15 * s}, []span{{16 * s, never}}},
		"gone before the reload":          {span{0, 5 * s}, []span{{12 * s, never}}},
		"warming, then fit, then stopped": {span{14 * s, 17 * s}, []span{{12 * s, 16 * s}, {18 * s, never}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, p.down(&cohort{fit: c.fit}, 10*s), cmp.AllowUnexported(span{})); diff != "" {
				t.Errorf("DOWN after a reload at 10s (-want +got):\n%s", diff)
			}
		})
	}
	require.Empty(t, Proxy{}.down(&cohort{}, 0), "without a health check nobody is DOWN")
}

func TestGrid(t *testing.T) {
	g := grid{first: 3, period: 10}
	for at, want := range map[time.Duration][2]time.Duration{3: {3, 3}, 4: {13, 3}, 13: {13, 13}, 0: {3, -7}, -7: {-7, -7}, -8: {-7, -17}} {
		require.Equal(t, want, [2]time.Duration{g.next(at), g.last(at)}, "around %d", at)
	}
}

// How an old instance ends that is told to at 100 s.
func TestStop(t *testing.T) {
	const s = time.Second
	k := running(1)
	end := Deploy{Lead: 4 * s, Served: 9 * s, Drain: 2 * s, Request: 3 * s}.stop(k, 100*s)
	require.Equal(t, 113*s, end)
	require.Equal(t, 104*s, k.listed.to, "it leaves the catalog after the lead")
	require.Equal(t, 113*s, k.up.to, "it ends S later")
	require.Equal(t, 110*s, k.serves.to, "what comes later is cut off")
	require.Equal(t, 111*s, k.fit.to, "it fails its checks from the stop signal on")
}
