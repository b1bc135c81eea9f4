//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// Jobs of several groups, each with a service of its own under load: they are
// promoted together, or not at all.

// several is a job of the groups "web" and "api", and of "admin" where three
// are wanted.
func several(s *harness.Stack, name string, groups int) harness.Sample {
	job := quick(s, name)
	for _, group := range []string{"api", "admin"}[:groups-1] {
		more := job
		more.Name, more.Group = job.Name+"-"+group, group
		job.More = append(job.More, more)
	}
	return job
}

// of returns the instances of a group.
func of(all []harness.Instance, group string) []harness.Instance {
	return slices.DeleteFunc(slices.Clone(all), func(i harness.Instance) bool { return i.Group != group })
}

// One group is ready long before the other: neither is promoted before both are.
func TestSeveralGroupsArePromotedTogether(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := several(s, "groups", 3)
	d := begin(t, s, job, through, func(next *harness.Sample) { next.More[0].Warmup = 20 * time.Second })
	ready := fmt.Sprintf("group %q", "api")
	g.holds(job.Name, "CanaryNotHealthy", ready)
	_, err := s.AwaitDeployment(within(t, time.Minute), job.Name, "two groups ready and one not", func(d *nomad.Deployment) bool {
		return d.TaskGroups["web"].HealthyAllocs == 1 && d.TaskGroups["admin"].HealthyAllocs == 1 && d.TaskGroups["api"].HealthyAllocs == 0
	})
	require.NoError(t, err)
	g.holds(job.Name, "CanaryNotHealthy", ready)
	g.staysHeld(job.Name, 7*time.Second)
	d.losesNothing(g)
	for name, group := range g.nomadDeployment(job.Name).TaskGroups {
		require.True(t, group.Promoted, name)
	}
}

func TestOneUnsafeGroupHoldsThemAll(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through, "--fence", "never")
	job := several(s, "unsafe", 2)
	job.More[0].ShutdownDelay = 0
	d := begin(t, s, job, through, nil)
	seen := g.holds(job.Name, "DrainUnsafe", `of group "api"`, "S = 0s", `group "api" shutdown_delay = "6s"`)
	require.Equal(t, of(d.old, "api")[0].AllocID[:8], oldNamed(seen.Message))
	d.keepsServing(g, 6*time.Second)
}

// oldNamed is the short ID after "old allocation" in a message.
func oldNamed(message string) string {
	var id string
	_, _ = fmt.Sscanf(message, "old allocation %s", &id)
	return id
}

// A group that the new version does not change has nothing to promote, and is
// not touched.
func TestAGroupThatDoesNotChangeIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	gate(t, s, through)
	job := several(s, "unchanged", 2)
	// It could not be promoted without a loss, and need not be.
	job.More[0].ShutdownDelay = 0
	d := begin(t, s, job, through, func(next *harness.Sample) { next.More[0].Version = "1" })
	all := d.old
	d.old = of(all, "web")
	awaitPromoted(t, s, job.Name, 1)
	require.NoError(t, s.AwaitEnd(within(t, time.Minute), job.Name, d.old, through...))
	d.lostNothing()
	now, err := s.Instances(t.Context(), job.Name)
	require.NoError(t, err)
	require.Len(t, of(now, "api"), 1)
	require.Equal(t, of(all, "api")[0].AllocID, of(now, "api")[0].AllocID)
	require.False(t, of(now, "api")[0].Terminal())
}

// Nomad replaces a group without canaries as soon as the version is submitted,
// one after the other and whatever becomes of the promotion. That is said, and
// the other group is gated all the same.
func TestAGroupWithoutCanariesIsNotGated(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := several(s, "rolling", 2)
	job.More[0].Count, job.More[0].NoCanary = 2, true
	d := begin(t, s, job, through, func(next *harness.Sample) { next.Warmup = 12 * time.Second })
	g.holds(job.Name, "CanaryNotHealthy", `of group "web"`)
	_, err := s.AwaitDeployment(within(t, time.Minute), job.Name, "an instance that was replaced", func(d *nomad.Deployment) bool {
		return d.TaskGroups["api"].PlacedAllocs > 0
	})
	require.NoError(t, err)
	require.False(t, g.nomadDeployment(job.Name).TaskGroups["web"].Promoted)
	d.losesNothing(g)
}
