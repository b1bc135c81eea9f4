//go:build e2e

package e2e

import (
	"sync"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// Canaries whose process ends before the promotion. What a proxy sends to a
// process that is gone is lost whatever draingate does; so the canary turns
// critical first and ends when no proxy routes to it any more, and from then on
// not one request may be lost.

// quietly ends the process of the only instance of version 2 once no proxy
// routes to it: none lists it, and for a second it has answered nothing.
func (d *deploy) quietly(i harness.Instance) {
	d.t.Helper()
	require.NoError(d.t, d.stack.SetReady(d.t.Context(), i, false))
	require.NoError(d.t, harness.AwaitDropped(within(d.t, time.Minute), []harness.Instance{i}, d.through...))
	answered, since := d.answered("2"), time.Now()
	for deadline := time.Now().Add(time.Minute); time.Since(since) < time.Second; time.Sleep(50 * time.Millisecond) {
		require.True(d.t, time.Now().Before(deadline), "an instance that no proxy lists goes on answering")
		if now := d.answered("2"); now != answered {
			answered, since = now, time.Now()
		}
	}
	d.t.Logf("%s ends at %s", i.AllocID[:8], time.Now().UTC().Format("15:04:05.000"))
	require.NoError(d.t, d.stack.Exit(d.t.Context(), i))
}

// answered counts the good answers that a version has given so far.
func (d *deploy) answered(version string) int {
	sum := 0
	for _, l := range d.loads {
		sum += l.Snapshot().Versions[version]
	}
	return sum
}

// traced logs every change of what draingate says of a version until the case
// ends.
func (c *controller) traced(job string, version uint64) {
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		last := ""
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
			if d, ok := c.of(job, version); ok && d.Reason+d.Decision != last {
				last = d.Reason + d.Decision
				c.t.Logf("%s %s", time.Now().UTC().Format("15:04:05.000"), d)
			}
		}
	})
	c.t.Cleanup(func() { close(stop); ended.Wait() })
}

// newest is the canary that was placed last.
func newest(t *testing.T, s *harness.Stack, d *nomad.Deployment, group string) harness.Instance {
	t.Helper()
	placed := d.TaskGroups[group].PlacedCanaries
	return instanceOf(t, s, d.JobID, "canary of group "+group, func(i harness.Instance) bool { return i.AllocID == placed[len(placed)-1] })
}

func TestACanaryThatFailsBeforeItIsHealthyIsRescheduled(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "rescheduled")
	job.RescheduleDelay, job.CheckInterval = 5*time.Second, time.Second
	d := begin(t, s, job, through, func(next *harness.Sample) { next.MinHealthyTime = 8 * time.Second })
	g.traced(job.Name, 1)
	g.holds(job.Name, "CanaryNotHealthy", "is running and its health is unset")
	first := canaryOf(t, s, job.Name)
	require.NoError(t, harness.AwaitRouted(within(t, time.Minute), []harness.Instance{first}, through...))
	d.quietly(first)
	g.holds(job.Name, "CanaryNotPlaced", first.AllocID[:8])
	placed, err := s.AwaitDeployment(within(t, time.Minute), job.Name, "a second canary", func(d *nomad.Deployment) bool {
		return len(d.TaskGroups["web"].PlacedCanaries) == 2
	})
	require.NoError(t, err)
	second := newest(t, s, placed, "web")
	g.holds(job.Name, "CanaryNotHealthy", second.AllocID[:8])
	g.holds(job.Name, "WindowRunning")
	d.losesNothing(g)
}

// A process that Nomad starts again in place is the same canary, healthy for
// Nomad throughout.
func TestACanaryThatIsRestartedInPlace(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "restarted")
	job.Restarts, job.CheckInterval = 2, time.Second
	d := begin(t, s, job, through, nil)
	g.traced(job.Name, 1)
	g.almost(job.Name, 1)
	canary := canaryOf(t, s, job.Name)
	d.quietly(canary)
	g.staysHeld(job.Name, 3*time.Second)
	d.losesNothing(g)
}

// Nomad replaces no canary that was healthy before it failed. Waiting does not
// help, and draingate says what does.
func TestACanaryThatFailsAfterItWasHealthy(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "stuck")
	job.RescheduleDelay, job.CheckInterval = 5*time.Second, time.Second
	d := begin(t, s, job, through, nil)
	g.traced(job.Name, 1)
	g.almost(job.Name, 1)
	canary := canaryOf(t, s, job.Name)
	d.quietly(canary)
	g.holds(job.Name, "CanaryNotPlaced", canary.AllocID[:8], "nomad alloc stop "+canary.AllocID[:8])
	g.staysHeld(job.Name, 10*time.Second)
	require.Len(t, g.nomadDeployment(job.Name).TaskGroups["web"].PlacedCanaries, 1, "nothing was placed")
	alloc, _, err := s.Nomad.Allocations().Info(canary.AllocID, nil)
	require.NoError(t, err)
	_, err = s.Nomad.Allocations().Stop(alloc, (&nomad.QueryOptions{}).WithContext(t.Context()))
	require.NoError(t, err)
	d.losesNothing(g)
}
