//go:build e2e

package e2e

import (
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

const (
	// warmup is how long the sample service warms up in cases that measure what is
	// lost, or that rest on the time between the placement of a canary and its check.
	warmup = 5 * time.Second
	// brief is how long in all others: longer than nothing, so that a check fails first.
	brief = 2 * time.Second
)

// Without draingate, with Traefik's default refresh and no delay, Nomad's own
// promotion loses requests, and the load sees it. A load that saw nothing here
// would prove nothing anywhere else.
func TestAutoPromoteLosesRequests(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 15 * time.Second})
	job := harness.Sample{Name: s.Name("auto"), Version: "1", AutoPromote: true, Warmup: warmup}
	job.Tags = job.Route(through[0].Options.Prefix)
	old := running(t, s, job, through)

	load := loads(t, job, simulateRate, through)
	ctx := within(t, 3*time.Minute)
	job.Version = "2"
	require.NoError(t, s.Submit(ctx, job))
	awaitPromoted(t, s, job.Name, 1)
	require.NoError(t, s.AwaitEnd(ctx, job.Name, old, through...))

	r := stop(t, load)[0]
	if r.Success() > 98 {
		t.Errorf("auto_promote without a delay: got %s, want at least 2 %% lost", r)
	}
	if r.Versions["1"] == 0 || r.Versions["2"] == 0 {
		t.Errorf("answers by version: got %v, want some of both", r.Versions)
	}
	simulated(t, s, job, warmup, "--traefik-config", through[0].File).contains(t, r)
}

// The same by hand, as draingate will do it: promote once Traefik lists the
// canary, with a delay that is longer than Traefik needs to stop routing.
func TestPromotionByHandLosesNothing(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 2, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	job := harness.Sample{Name: s.Name("hand"), Version: "1", Warmup: warmup, ShutdownDelay: 6 * time.Second}
	job.Tags = job.Route(through[0].Options.Prefix)
	old := running(t, s, job, through)

	load := loads(t, job, 100, through)
	ctx := within(t, 3*time.Minute)
	job.Version = "2"
	require.NoError(t, s.Submit(ctx, job))
	d, err := s.AwaitCanaries(ctx, job.Name, 1)
	require.NoError(t, err)
	instances, err := s.Instances(ctx, job.Name)
	require.NoError(t, err)
	require.Len(t, instances, 2)
	require.NoError(t, harness.AwaitRouted(ctx, instances[1:], through...))
	_, _, err = s.Nomad.Deployments().PromoteAll(d.ID, nil)
	require.NoError(t, err)
	awaitPromoted(t, s, job.Name, 1)
	require.NoError(t, s.AwaitEnd(ctx, job.Name, old, through...))

	for i, r := range stop(t, load) {
		if r.Lost != 0 {
			t.Errorf("through %s: got %s, want none lost", through[i], r)
		}
		if r.Versions["1"] == 0 || r.Versions["2"] == 0 {
			t.Errorf("answers by version through %s: got %v, want some of both", through[i], r.Versions)
		}
	}
}

// awaitPromoted waits until a version of a job, as Nomad numbers them, is promoted.
func awaitPromoted(t *testing.T, s *harness.Stack, jobID string, version uint64) {
	t.Helper()
	_, err := s.AwaitDeployment(within(t, 2*time.Minute), jobID, "promotion", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == version && d.TaskGroups["web"].Promoted
	})
	require.NoError(t, err)
}
