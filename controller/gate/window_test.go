package gate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestWindowMustLast(t *testing.T) {
	cases := map[string]struct {
		lasting time.Duration
		changes []change
		want    model.Verb
	}{
		"one pass is not enough":             {0, nil, model.Hold},
		"a little less than five seconds":    {4500 * time.Millisecond, nil, model.Hold},
		"five seconds":                       {5 * time.Second, nil, model.Promote},
		"less than two intervals of a check": {19500 * time.Millisecond, []change{slowCheck}, model.Hold},
		"two intervals of a slow check":      {20 * time.Second, []change{slowCheck}, model.Promote},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, _ := run(ready(), c.lasting, c.changes...)
			require.Equal(t, c.want, d.Verb, d.Message)
			if c.want == model.Hold {
				require.Equal(t, ReasonWindowRunning, d.Reason)
			}
		})
	}
}

func slowCheck(s *model.Snapshot) {
	s.Job.Value.Groups[0].Services[0].Checks[0].Interval = 10 * time.Second
}

// A blip that no single snapshot may show: each case interrupts a window that
// is one pass short of complete, then lets it go on.
func TestWindowStartsAgainAfterABlip(t *testing.T) {
	cases := map[string]change{
		"a check that flipped and came back between two passes": func(s *model.Snapshot) {
			registrationOf(s, firstCanary(s)).Checks[0].ModifyIndex = 9
		},
		"a proxy that is another process now": func(s *model.Snapshot) {
			s.Proxies.Value[0].Started.Value = start.Add(time.Second)
		},
		"another canary": func(s *model.Snapshot) {
			r, a := registrationOf(s, firstCanary(s)), firstCanary(s)
			a.ID = allocID("cf")
			r.AllocID = a.ID
			s.Deployment.Value.Groups[0].PlacedCanaries = []string{a.ID}
		},
	}
	for name, blip := range cases {
		t.Run(name, func(t *testing.T) {
			_, m := run(ready(), 4500*time.Millisecond)
			d, m := rerun(ready(), m, start.Add(5*time.Second), 4500*time.Millisecond, blip)
			require.Equal(t, ReasonWindowRunning, d.Reason, d.Message)
			d, _ = evaluate(ready(), m, start.Add(10*time.Second), blip)
			require.Equal(t, model.Promote, d.Verb, d.Message)
		})
	}
}

func TestWindowStartsAgainAfterAGap(t *testing.T) {
	_, m := run(ready(), 4500*time.Millisecond)
	d, m := evaluate(ready(), m, start.Add(7*time.Second))
	require.Equal(t, ReasonWindowRunning, d.Reason, "nobody looked for 2.5 s")
	_, m = rerun(ready(), m, start.Add(7500*time.Millisecond), 4*time.Second)
	d, _ = evaluate(ready(), m, start.Add(5*time.Second))
	require.Equal(t, ReasonWindowRunning, d.Reason, "the clock went backwards")
}

func TestWindowIsLostWithTheStartSide(t *testing.T) {
	_, m := run(ready(), 4500*time.Millisecond)
	d, m := evaluate(ready(), m, start.Add(5*time.Second), func(s *model.Snapshot) { unlist(s, 0, firstCanary(s)) })
	require.Equal(t, ReasonCanaryNotListed, d.Reason)
	d, _ = evaluate(ready(), m, start.Add(5500*time.Millisecond))
	require.Equal(t, ReasonWindowRunning, d.Reason)
}

func TestARestartedControllerStartsOver(t *testing.T) {
	_, _ = run(ready(), 10*time.Second)
	d, _ := evaluate(ready(), Memory{}, start.Add(10500*time.Millisecond))
	require.Equal(t, ReasonWindowRunning, d.Reason)
}

func TestCatalogThatWasUnreadableDelays(t *testing.T) {
	noLeader := func(s *model.Snapshot) {
		s.Catalog["group0"] = model.Unseen[[]model.Registration](s.Job.At, "no leader")
	}
	_, m := run(ready(), 10*time.Second)
	_, m = evaluate(ready(), m, start.Add(11*time.Second), noLeader)
	d, m := rerun(ready(), m, start.Add(11500*time.Millisecond), 19*time.Second)
	require.Equal(t, ReasonCatalogRecovering, d.Reason, d.Message)
	d, _ = rerun(ready(), m, start.Add(31*time.Second), time.Second)
	require.Equal(t, model.Promote, d.Verb, d.Message)
	require.Equal(t, start.Add(31*time.Second), d.ReadyAt)
}

func TestANewLeaderAssumesThatTheCatalogWasUnreadable(t *testing.T) {
	d, m := rerun(ready(), Memory{TakenOver: start}, start, 19*time.Second)
	require.Equal(t, ReasonLeaderChanged, d.Reason, d.Message)
	d, _ = rerun(ready(), m, start.Add(19500*time.Millisecond), time.Second)
	require.Equal(t, model.Promote, d.Verb, d.Message)
	require.Equal(t, start.Add(Recovery), d.ReadyAt)
}

func TestRouterThatVanishesIsAConflict(t *testing.T) {
	_, m := run(ready(), 2*time.Second)
	gone := proxy(0, func(p *model.Proxy) { p.Routing.Value = model.Routing{} })
	d, _ := evaluate(ready(), m, start.Add(2500*time.Millisecond), gone)
	require.Equal(t, ReasonRouterVanished, d.Reason, d.Message)
	require.Contains(t, d.Message, "group0@consulcatalog")
	d, _ = run(ready(), 2*time.Second, gone)
	require.Equal(t, ReasonOldNotListed, d.Reason, "never seen, so nothing vanished")
}

// The way in: the canary is first passing, later listed. What that took is a
// lower bound for T.
func TestTIsNeverLessThanShown(t *testing.T) {
	w := ready()
	w.proxies = 1
	notPassing := func(s *model.Snapshot) { registrationOf(s, firstCanary(s)).Status = model.StatusCritical }
	notListed := func(s *model.Snapshot) { unlist(s, 0, firstCanary(s)) }
	_, m := run(w, time.Second, notPassing, notListed)
	_, m = rerun(w, m, start.Add(1500*time.Millisecond), 30*time.Second, notListed)
	d, m := rerun(w, m, start.Add(32*time.Second), 10*time.Second)
	require.Equal(t, ReasonDrainUnsafe, d.Reason, d.Message)
	require.Contains(t, d.Message, "T = 30.5s")
	require.Contains(t, d.Message, "shown on the way in")

	restarted := proxy(0, func(p *model.Proxy) { p.Started.Value = start.Add(40 * time.Second) })
	d, _ = rerun(w, m, start.Add(42500*time.Millisecond), 10*time.Second, restarted)
	require.Equal(t, model.Promote, d.Verb, "another process has shown nothing: %s", d.Message)
}

func TestTimeThatSpansBlindnessShowsNothing(t *testing.T) {
	w := ready()
	w.proxies = 1
	notPassing := func(s *model.Snapshot) { registrationOf(s, firstCanary(s)).Status = model.StatusCritical }
	notListed := func(s *model.Snapshot) { unlist(s, 0, firstCanary(s)) }
	cases := map[string]change{
		"the catalog": func(s *model.Snapshot) {
			s.Catalog["group0"] = model.Unseen[[]model.Registration](s.Job.At, "no leader")
		},
		"the proxy": proxy(0, func(p *model.Proxy) {
			p.Routing = model.Unseen[model.Routing](p.Started.At, "refused")
		}),
	}
	for name, blind := range cases {
		t.Run(name, func(t *testing.T) {
			_, m := run(w, time.Second, notPassing, notListed)
			_, m = rerun(w, m, start.Add(1500*time.Millisecond), time.Second, notListed)
			_, m = rerun(w, m, start.Add(3*time.Second), 30*time.Second, blind)
			_, m = rerun(w, m, start.Add(33500*time.Millisecond), 5*time.Second, notListed)
			d, m := rerun(w, m, start.Add(39*time.Second), 30*time.Second)
			require.Equal(t, model.Promote, d.Verb, d.Message)
			require.Empty(t, m.Shown)
		})
	}
}

func TestMemoryGivenIsNotChanged(t *testing.T) {
	_, m := run(ready(), 2*time.Second)
	pools, since := len(m.Pools), m.Since
	_, _ = evaluate(ready(), m, start.Add(2500*time.Millisecond), proxy(0, func(p *model.Proxy) { p.Name = "other" }))
	require.Len(t, m.Pools, pools)
	require.Equal(t, since, m.Since)
}
