//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// singleWriter is a job that stops before it starts, since its process holds an
// exclusive lock. Its service is at the level of the task, so that the catalog
// goes on listing the old instance, which serves, for the group's delay.
func singleWriter(t *testing.T, s *harness.Stack, prefix string) harness.Sample {
	t.Helper()
	lock, err := s.NewWriter()
	require.NoError(t, err)
	job := harness.Sample{
		Name: s.Name("writer"), Version: "1", Warmup: warmup, Writer: lock, NoCanary: true, TaskService: true,
		ShutdownDelay: 6 * time.Second, TaskShutdownDelay: 6 * time.Second,
	}
	job.Tags = job.Route(prefix)
	return job
}

// journalOf reads what the writers of a job noted, and fails where two met.
func journalOf(t *testing.T, job harness.Sample) []harness.WriterEvent {
	t.Helper()
	journal, err := job.Writer.Journal()
	require.NoError(t, err)
	require.Empty(t, harness.Overlap(journal), "two writers met")
	return journal
}

// Left alone, a deploy of a single writer is an outage: the proxy has nowhere to
// send requests from the end of the old instance until it lists the new one.
// A load that saw none here would prove nothing where requests are parked.
func TestDeployOfASingleWriterIsAnOutage(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	job := singleWriter(t, s, through[0].Options.Prefix)
	old := running(t, s, job, through)
	body := strings.Repeat("b", 1<<10)
	load, err := through[0].LoadOf(harness.LoadOptions{Host: job.Host(), Rate: 100, Method: "POST", Body: body, ID: job.Name})
	require.NoError(t, err)
	t.Cleanup(func() { load.Stop() })

	ctx := within(t, 3*time.Minute)
	job.Version = "2"
	require.NoError(t, s.Submit(ctx, job))
	_, err = s.AwaitDeployment(ctx, job.Name, "a successful deployment of version 1", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == 1 && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(t, err)
	instances, err := s.Instances(ctx, job.Name)
	require.NoError(t, err)
	require.Len(t, instances, 2)
	require.NoError(t, harness.AwaitRouted(ctx, instances[1:], through...))
	require.NoError(t, s.AwaitEnd(ctx, job.Name, old, through...))

	r := load.Stop()
	t.Log(r)
	require.Positive(t, r.Versions["1"])
	require.Positive(t, r.Versions["2"])
	if r.Gap < warmup {
		t.Errorf("longest gap: got %s, want no less than the warm-up of %s", r.Gap, warmup)
	}
	journal := journalOf(t, job)
	require.Equal(t, []string{old[0].AllocID, instances[1].AllocID}, harness.Writers(journal))
	wrote := harness.Wrote(journal)
	for id, n := range wrote {
		require.Equal(t, 1, n, "times that %s was worked on", id)
	}
	// A request whose answer was lost on its way may have been worked on too.
	require.GreaterOrEqual(t, len(wrote), r.Requests-r.Lost)
}
