//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// What becomes of a fence where an instance of draingate ends or begins, a person
// has a say, or Consul's agent loses what it was told.

// An instance that is told to end leaves no fence behind, and one that begins
// lifts what another has left.
func TestFenceEndsWithItsInstance(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	d := standingFence(t, s, harness.Sample{}, through, g)
	at := time.Now()
	require.NoError(t, g.process.Signal(syscall.SIGTERM))
	require.NoError(t, g.process.Err(), "draingate ends cleanly")
	t.Logf("ended %s after SIGTERM", time.Since(at).Round(10*time.Millisecond))
	require.Empty(t, agentFences(t, s, d.job), "fences after the end of the process")
	require.NoError(t, harness.AwaitRouted(within(t, 20*time.Second), d.old, through...))

	orphan := serviceID(d.job, d.old[0])
	require.NoError(t, s.Consul.Agent().EnableServiceMaintenance(orphan, "draingate/00000000-0000-4000-8000-000000000000@"+g.key()))
	d.watch.untilFenced(d.old[0])
	require.NoError(t, harness.AwaitDropped(within(t, 20*time.Second), d.old, through...))
	at = time.Now()
	g.start()
	took := d.watch.untilLifted(30*time.Second, at)
	t.Logf("an orphan was lifted %s after the start", took.Round(10*time.Millisecond))
	require.Less(t, took, 15*time.Second)
	d.aborted("does not lead any more")
	d.leavesNothing()
	d.keepsServing(g, 3*time.Second)
}

// agentFences are the services of the job that an agent itself, not yet the
// catalog, has in a maintenance of draingate's.
func agentFences(t *testing.T, s *harness.Stack, job harness.Sample) []string {
	t.Helper()
	checks, err := s.Consul.Agent().ChecksWithFilterOpts("", (&consul.QueryOptions{}).WithContext(t.Context()))
	require.NoError(t, err)
	var out []string
	for _, c := range checks {
		if c.ServiceName == job.Name && strings.HasPrefix(c.Notes, "draingate/") {
			out = append(out, c.ServiceID)
		}
	}
	return out
}

// A deployment that draingate has promoted and paused, whose next batch a person
// has lifted, goes on without a fence when a person says so, and not before.
func TestUnpausedWhereAFenceEndedHalfWay(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	d := fencing(t, s, harness.Sample{Count: 3, Canary: 1}, through, g, "5s", nil)
	d.untilRolling(g.key())
	code, said := draingate(t, s, nil, "fence", "lift", d.job.Name, "--leader-key", g.key())
	require.Zero(t, code, said)
	g.holds(d.job.Name, "FenceAborted", "draingate unpause")
	d.watch.untilLifted(5*time.Second, time.Now())
	for held := time.Now(); time.Since(held) < 5*time.Second; time.Sleep(100 * time.Millisecond) {
		require.Equal(t, nomad.DeploymentStatusPaused, deploymentOf(t, s, d.job.Name, 1).Status)
	}
	d.lostNothing() // without a fence and without a delay the rest is lost
	code, said = draingate(t, s, nil, "unpause", d.job.Name)
	require.Zero(t, code, said)
	_, err := s.AwaitDeployment(within(t, time.Minute), d.job.Name, "success", func(n *nomad.Deployment) bool {
		return n.JobVersion == 1 && n.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(t, err)
	d.leavesNothing()
}

// untilRolling waits until a batch after the promotion is fenced.
func (d *standing) untilRolling(key string) {
	d.t.Helper()
	d.watch.until(2*time.Minute, "rolling", func(c catalog) bool {
		r := records(d.t, d.stack, key)[d.id]
		return r.Rolling && r.Step == "fencing" && len(r.Set) > 0 && slices.ContainsFunc(c.fenced(), func(id string) bool { return !c.told[id] })
	})
}

// A service that is registered again, as Nomad does it after a change, has lost its
// maintenance, and nobody tells: the fence sees it.
func TestFencedServiceIsRegisteredAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		soak bool
		// again returns when the service was registered again.
		again func(*standing, harness.Instance) time.Time
	}{
		"in one step":            {again: (*standing).registerAgain},
		"after it was not there": {soak: true, again: (*standing).awaitNomadsSync},
	}
	for name, c := range cases {
		if c.soak && !everyFence() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Shared(t)
			through := oneProxy(t, s)
			d := fencing(t, s, harness.Sample{Count: 2, Canary: 2}, through, gate(t, s, through), "12s", nil)
			d.untilOut()
			d.fencedAgainOrAborted(c.again(d, d.old[0]), 12*time.Second)
		})
	}
}

// registerAgain registers the service of an instance as it is, with its own check
// and no other, as an update in place does.
func (d *standing) registerAgain(i harness.Instance) time.Time {
	d.t.Helper()
	agent, id := d.stack.Consul.Agent(), serviceID(d.job, i)
	service, _, err := agent.Service(id, nil)
	require.NoError(d.t, err)
	checks, err := agent.ChecksWithFilterOpts("", (&consul.QueryOptions{}).WithContext(d.t.Context()))
	require.NoError(d.t, err)
	again := consul.AgentServiceRegistration{ID: id, Name: service.Service, Tags: service.Tags, Port: service.Port, Address: service.Address, Meta: service.Meta}
	for _, check := range checks {
		if check.ServiceID == id && strings.HasPrefix(check.CheckID, "_nomad-check-") {
			again.Checks = append(again.Checks, &consul.AgentServiceCheck{
				CheckID: check.CheckID, Name: check.Name, HTTP: "http://" + i.Addr + "/readyz", Interval: "1s", Timeout: "2s",
				Header: map[string][]string{"X-Alloc": {i.AllocID}}, Status: consul.HealthPassing,
			})
		}
	}
	require.Len(d.t, again.Checks, 1)
	require.NoError(d.t, agent.ServiceRegisterOpts(&again, consul.ServiceRegisterOpts{ReplaceExistingChecks: true}))
	at := time.Now()
	require.NotContains(d.t, agentFences(d.t, d.stack, d.job), id, "to register it again ends its maintenance")
	return at
}

// awaitNomadsSync takes the service of an instance out of its agent, and waits for
// Nomad to register it again, which it does within half a minute.
func (d *standing) awaitNomadsSync(i harness.Instance) time.Time {
	d.t.Helper()
	id := serviceID(d.job, i)
	require.NoError(d.t, d.stack.Consul.Agent().ServiceDeregister(id))
	at := time.Now()
	d.watch.until(10*time.Second, "taken out", func(c catalog) bool { _, there := c.services[id]; return !there })
	back := d.watch.until(time.Minute, "registered again", func(c catalog) bool { _, there := c.services[id]; return there }).at
	d.t.Logf("registered again after %s", back.Sub(at).Round(10*time.Millisecond))
	return back
}

// fencedAgainOrAborted requires that a fence that was broken is whole again, or
// has ended, within some seconds; that nothing is promoted before it was whole for
// as long as a request may take; and that nothing is lost.
func (d *standing) fencedAgainOrAborted(at time.Time, longest time.Duration) {
	d.t.Helper()
	whole := func(c catalog) bool {
		return !slices.ContainsFunc(d.old, func(i harness.Instance) bool {
			_, there := c.services[serviceID(d.job, i)]
			return there && !slices.Contains(c.fenced(), serviceID(d.job, i))
		})
	}
	noticed := d.watch.until(10*time.Second, "fenced again or lifted", func(c catalog) bool {
		return c.at.After(at) && (len(c.fenced()) == 0 || whole(c))
	})
	d.t.Logf("%s later %d of %d are fenced", noticed.at.Sub(at).Round(10*time.Millisecond), len(noticed.fenced()), len(d.old))
	var end deployment
	d.gate.eventually(2*time.Minute, "promoted or aborted", func() (bool, string) {
		end, _ = d.gate.of(d.job.Name, 1)
		return end.Reason == "FenceAborted" || deploymentOf(d.t, d.stack, d.job.Name, 1).TaskGroups["web"].Promoted, end.String()
	})
	d.t.Logf("%s later: %s", time.Since(at).Round(time.Second), end)
	if end.Reason == "FenceAborted" {
		d.leavesNothing()
		d.keepsServing(d.gate, 5*time.Second)
		return
	}
	require.Greater(d.t, time.Since(at), longest, "promoted without the whole time of the longest request since")
	d.losesNothing(d.gate)
	d.leavesNothing()
}
