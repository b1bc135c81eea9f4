//go:build e2e

package e2e

import (
	"context"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// How fences end that do not end with a promotion. The process of the old
// instances exits at once on the stop signal, and nothing delays its stop.

func nomadQuery(ctx context.Context) *nomad.QueryOptions {
	return (&nomad.QueryOptions{}).WithContext(ctx)
}

// A proxy that is cut off from Consul goes on as it is: it never drops what is
// fenced, so that nothing is promoted.
func TestFenceLiftedWhereAProxyNeverSeesIt(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	port, err := s.Port()
	require.NoError(t, err)
	relay, err := harness.NewRelay(port, s.ConsulAddr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, relay.Close()) })
	through := oneProxy(t, s)
	opts := through[0].Options
	opts.Extra = map[string]string{"providers.consulCatalog.endpoint.address": relay.Addr}
	cut, err := s.StartTraefik(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cut.Stop()) })
	through = append(through, cut)

	g := gate(t, s, through, "--fence-timeout", "15s")
	d := fencing(t, s, harness.Sample{Count: 2, Canary: 2}, through, g, "0s", nil)
	g.almost(d.job.Name, 1)
	relay.Set(harness.RelayHang)
	fenced := d.watch.untilFenced(d.old...).at
	require.NoError(t, harness.AwaitDropped(within(t, 20*time.Second), d.old, through[0]))
	lasted := d.watch.untilLifted(30*time.Second, fenced)
	t.Logf("fenced for %s; a fence may take 15s", lasted.Round(10*time.Millisecond))
	require.InDelta(t, 15, lasted.Seconds(), 2)
	d.aborted("still lists old allocation")
	require.NoError(t, harness.AwaitRouted(within(t, 20*time.Second), d.old, through...))
	d.leavesNothing()
	d.keepsServing(g, 5*time.Second)
}

// The canaries go while the old instances are fenced: those are put back at
// once. What is lost until the proxies see that cannot be saved.
func TestFenceEndsWithItsDeployment(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		soak bool
		// event returns when it has begun.
		event func(*standing) time.Time
		// stops is true where the old instances are to end as well.
		stops bool
	}{
		"a newer version": {event: func(d *standing) time.Time {
			return d.called(func() error {
				next := d.job
				next.Version = "3"
				return d.stack.Submit(within(d.t, 30*time.Second), next)
			})
		}},
		"deployment fail": {soak: true, event: func(d *standing) time.Time {
			return d.called(func() error {
				_, _, err := d.stack.Nomad.Deployments().Fail(d.id, write(d.t))
				return err
			})
		}},
		"job stop": {soak: true, stops: true, event: func(d *standing) time.Time {
			d.lostNothing() // what follows is an outage that somebody asked for
			return d.called(func() error {
				_, _, err := d.stack.Nomad.Jobs().Deregister(d.job.Name, false, write(d.t))
				return err
			})
		}},
		"the canary turns critical": {event: func(d *standing) time.Time {
			canary := canaryOf(d.t, d.stack, d.job.Name)
			require.NoError(d.t, d.stack.SetReady(d.t.Context(), canary, false))
			return d.watch.until(10*time.Second, "critical", func(c catalog) bool { return !c.passing[serviceID(d.job, canary)] }).at
		}},
	}
	for name, c := range cases {
		if c.soak && !everyFence() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Shared(t)
			through := oneProxy(t, s)
			d := standingFence(t, s, harness.Sample{}, through, gate(t, s, through))
			at := c.event(d)
			if c.stops {
				require.NoError(t, s.AwaitEnded(within(t, time.Minute), d.job.Name, d.old))
				d.leavesNothing()
				return
			}
			took := d.watch.untilLifted(10*time.Second, at)
			seen := d.decidedToLift().Sub(at)
			t.Logf("seen after %s, lifted after %s", seen.Round(10*time.Millisecond), took.Round(10*time.Millisecond))
			require.Less(t, seen, 3*time.Second)
			require.Less(t, took-seen, time.Second, "lifted within a second of seeing it")
			d.lostUntilSeen(at, took)
			d.leavesNothing()
		})
	}
}

// decidedToLift is when the pass began that had the fence lifted, by draingate's log.
func (d *standing) decidedToLift() time.Time {
	d.t.Helper()
	line := regexp.MustCompile(`(?m)^time=(\S+) .*msg=fence .*deployment=` + d.id + ` .*do=Lift .*tookMs=(\d+)$`)
	var found []string
	d.gate.eventually(5*time.Second, "told in the log", func() (bool, string) {
		log, err := os.ReadFile(d.gate.process.Log)
		require.NoError(d.t, err)
		found = line.FindStringSubmatch(string(log))
		return found != nil, d.gate.process.Log
	})
	at, err := time.Parse(time.RFC3339Nano, found[1])
	require.NoError(d.t, err)
	took, err := time.ParseDuration(found[2] + "ms")
	require.NoError(d.t, err)
	return at.Add(-took)
}

// called returns when a call was begun that must succeed.
func (d *standing) called(call func() error) time.Time {
	d.t.Helper()
	at := time.Now()
	require.NoError(d.t, call())
	return at
}

// lostUntilSeen requires that no more was lost than what came until the proxies
// saw the end of the fence, and in a second more or, where draingate did not see it
// sooner, until it was lifted.
func (d *standing) lostUntilSeen(at time.Time, lifted time.Duration) {
	d.t.Helper()
	require.NoError(d.t, harness.AwaitRouted(within(d.t, 30*time.Second), d.old, d.through...))
	seeing := time.Since(at) - lifted
	// What is lost later than that counts as well.
	settle(d.t, 3*time.Second)
	for i, r := range stop(d.t, d.loads) {
		lost := time.Duration(r.Lost) * 10 * time.Millisecond
		d.t.Logf("through %s: lost what came in %s; the proxy saw the end of the fence %s after it; lost %s", d.at(i), lost, seeing.Round(10*time.Millisecond), r.LostAt())
		if most := seeing + max(lifted, time.Second); lost > most {
			d.t.Errorf("through %s: got %s, want no more lost than what comes in %s", d.at(i), r, most)
		}
		if r.Versions["1"] == 0 {
			d.t.Errorf("through %s: the old version answered nothing: %v", d.at(i), r.Versions)
		}
	}
}

// settle lets load go on for a while, to see what it still loses.
func settle(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

// A person's maintenance of one old instance is theirs: a fence neither replaces
// nor lifts it.
func TestFenceLeavesAPersonsMaintenance(t *testing.T) {
	t.Parallel()
	for name, promotes := range map[string]bool{"lifted by hand": false, "promoted": true} {
		if promotes && !everyFence() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Shared(t)
			through := oneProxy(t, s)
			g := gate(t, s, through)
			longest := "30s"
			if promotes {
				longest = "0s"
			}
			theirs, stop := "", func() {}
			d := fencing(t, s, harness.Sample{Count: 3, Canary: 3}, through, g, longest, func(next *harness.Sample) {
				theirs, stop = maintainedBy(t, s, *next, "disk swap")
			})
			defer stop()
			if promotes {
				d.losesNothing(g)
				d.leavesNothing()
				return
			}
			var ours []harness.Instance
			for _, i := range d.old {
				if serviceID(d.job, i) != theirs {
					ours = append(ours, i)
				}
			}
			d.watch.untilFenced(ours...)
			d.liftedByHand()
			require.Equal(t, "disk swap", d.watch.now().services[theirs])
			d.leavesNothing()
			d.keepsServing(g, 5*time.Second)
		})
	}
}

// maintainedBy puts one instance of a job into maintenance for a reason, and
// returns its service. Until the end, which it returns as well, that reason must
// not change.
func maintainedBy(t *testing.T, s *harness.Stack, job harness.Sample, reason string) (id string, stop func()) {
	t.Helper()
	all, err := s.Instances(t.Context(), job.Name)
	require.NoError(t, err)
	id = serviceID(job, all[0])
	require.NoError(t, s.Consul.Agent().EnableServiceMaintenance(id, reason))
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			checks, _, err := s.Consul.Health().Checks(job.Name, (&consul.QueryOptions{RequireConsistent: true}).WithContext(ctx))
			there := slices.ContainsFunc(checks, func(c *consul.HealthCheck) bool { return c.ServiceID == id })
			ours := slices.ContainsFunc(checks, func(c *consul.HealthCheck) bool {
				return c.CheckID == "_service_maintenance:"+id && c.Notes == reason
			})
			if err == nil && there && !ours {
				t.Errorf("service %s is not in the maintenance %q any more", id, reason)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return id, func() { cancel(); watching.Wait() }
}

// liftedByHand shows the fence, as a person sees it, and ends it.
func (d *standing) liftedByHand() {
	d.t.Helper()
	code, said := draingate(d.t, d.stack, nil, "fence", "list", "--addr", d.gate.addr)
	require.Zero(d.t, code, said)
	require.Contains(d.t, said, d.job.Name)
	require.Contains(d.t, said, "fencing")
	for _, i := range d.old {
		require.Contains(d.t, said, i.AllocID[:8])
	}
	at := time.Now()
	code, said = draingate(d.t, d.stack, nil, "fence", "lift", d.job.Name, "--leader-key", d.gate.key())
	require.Zero(d.t, code, said)
	d.t.Logf("lifted by hand after %s", d.watch.untilLifted(5*time.Second, at).Round(10*time.Millisecond))
	d.aborted("lifted by a person")
}

// Where no fence is wanted none is set, whatever a promotion without it would
// lose.
func TestNoFenceWhereNoneIsWanted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		soak bool
		args []string
		meta map[string]string
	}{
		"draingate_fence = never": {meta: map[string]string{"draingate_fence": "never"}},
		"--fence off":             {soak: true, args: []string{"--fence", "off"}},
		"--fence never":           {soak: true, args: []string{"--fence", "never"}},
	} {
		if c.soak && !everyFence() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Shared(t)
			through := oneProxy(t, s)
			g := gate(t, s, through, c.args...)
			job := harness.Sample{Name: s.Name("ends"), Warmup: time.Second, CheckInterval: time.Second, Meta: c.meta}
			d := &standing{deploy: begin(t, s, job, through, nil)}
			d.watch = watchFence(t, s, d.job, d.old, through)
			g.holds(d.job.Name, "DrainUnsafe")
			held := time.Now()
			for time.Since(held) < 8*time.Second {
				require.Empty(t, d.watch.now().fenced())
				require.Empty(t, records(t, s, g.key()))
				time.Sleep(20 * time.Millisecond)
			}
			require.True(t, d.watch.now().at.After(held))
			d.keepsServing(g, time.Second)
		})
	}
}
