//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// simulateRate is the rate of the loads that are compared with a prediction.
const simulateRate = 100

// forecast is the part of what `draingate simulate` prints that is compared.
type forecast struct {
	Unknown     string
	AutoPromote struct {
		Lost struct {
			Total, Start, Stop struct{ Best, Mean, Worst float64 }
		}
	}
	Gate struct{ Does string }
}

// simulated asks the binary about the next deploy of a job behind a Traefik,
// whose new instances need so long to start.
func simulated(t *testing.T, s *harness.Stack, job harness.Sample, start time.Duration, args ...string) forecast {
	t.Helper()
	hcl, err := job.HCL(s.SampleBinary())
	require.NoError(t, err)
	args = append([]string{"simulate", "--format", "json", "--rate", strconv.Itoa(simulateRate), "--warm-up", start.String(), "-"}, args...)
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(hcl), &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var all []forecast
	require.NoError(t, json.Unmarshal(out, &all), string(out))
	require.Len(t, all, 1)
	require.Empty(t, all[0].Unknown)
	return all[0]
}

// contains fails unless what was lost is within the prediction, give or take
// two points of the requests. What the load did not send in time may have been
// lost or not.
func (f forecast) contains(t *testing.T, r harness.LoadReport) {
	t.Helper()
	lost, slack := f.AutoPromote.Lost.Total, float64(r.Requests)*2/100
	t.Logf("lost %d of %d; predicted %.0f to %.0f, mean %.0f; start side to %.0f, stop side to %.0f",
		r.Lost, r.Requests, lost.Best, lost.Worst, lost.Mean, f.AutoPromote.Lost.Start.Worst, f.AutoPromote.Lost.Stop.Worst)
	unsent := r.LostBy["late"] + r.LostBy["not sent"]
	if unsent > r.Requests/10 {
		t.Errorf("the load sent %d of %d requests too late or not at all: such a run shows nothing", unsent, r.Requests)
	}
	if float64(r.Lost) < lost.Best-slack || float64(r.Lost-unsent) > lost.Worst+slack {
		t.Errorf("lost: got %d of %d, %d of them not sent in time, predicted %.0f to %.0f, give or take %.0f",
			r.Lost, r.Requests, unsent, lost.Best, lost.Worst, slack)
	}
}

// What Nomad's own promotion, and a deploy without canaries, lose on real
// servers is what simulate says of the very job and the very settings.
func TestSimulatePredictsTheLoss(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		traefik harness.TraefikOptions
		job     harness.Sample
		health  bool
		// asked takes the settings from the process and not from its file.
		asked bool
		// gate is what simulate must say draingate does.
		gate string
	}{
		"refreshInterval 15s and shutdown_delay 6s": {
			traefik: harness.TraefikOptions{RefreshInterval: 15 * time.Second}, job: harness.Sample{ShutdownDelay: 6 * time.Second}, asked: true, gate: "holds",
		},
		"refreshInterval 10s and a health check of Traefik's own": {
			traefik: harness.TraefikOptions{RefreshInterval: 10 * time.Second}, health: true, gate: "holds",
		},
		"three instances, one canary, refreshInterval 5s": {
			traefik: harness.TraefikOptions{RefreshInterval: 5 * time.Second}, job: harness.Sample{Count: 3}, gate: "holds",
		},
		"refreshInterval 2s and shutdown_delay 6s": {
			traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second}, job: harness.Sample{ShutdownDelay: 6 * time.Second}, asked: true, gate: "promotes",
		},
		"stop before start": {
			traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second}, job: harness.Sample{NoCanary: true, ShutdownDelay: 3 * time.Second}, gate: "not in force",
		},
	}
	for name, c := range cases {
		for i := range times(t) {
			t.Run(fmt.Sprintf("%s/%d", name, i+1), func(t *testing.T) {
				t.Parallel()
				s := Shared(t)
				through := proxies(t, s, 1, c.traefik)
				job := c.job
				job.Name, job.Version, job.Warmup, job.AutoPromote = s.Name("simulated"), "1", warmup, !job.NoCanary
				job.Tags = job.Route(through[0].Options.Prefix)
				if c.health {
					job.Tags = job.Route(through[0].Options.Prefix, job.HealthCheckTags(time.Second)...)
				}
				settings := []string{"--traefik-config", through[0].File}
				if c.asked {
					settings = []string{"--traefik-url", through[0].API}
				}
				r := replaced(t, s, job, through)
				f := simulated(t, s, job, warmup+waited(t, s, job.Name), settings...)
				require.Equal(t, c.gate, f.Gate.Does)
				f.contains(t, r)
			})
		}
	}
}

// replaced deploys a job and then its next version, under a load from before
// the submission until the old instances have ended.
func replaced(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik) harness.LoadReport {
	t.Helper()
	old := running(t, s, job, through)
	load := loads(t, job, simulateRate, through)
	ctx := within(t, 5*time.Minute)
	job.Version = "2"
	require.NoError(t, s.Submit(ctx, job))
	_, err := s.AwaitDeployment(ctx, job.Name, "the end of the deployment", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == 1 && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(t, err)
	require.NoError(t, s.AwaitEnd(ctx, job.Name, old, through...))
	all, err := s.Instances(ctx, job.Name)
	require.NoError(t, err)
	fresh := slices.DeleteFunc(all, harness.Instance.Terminal)
	require.NotEmpty(t, fresh)
	require.NoError(t, harness.AwaitRouted(ctx, fresh, through...))
	return stop(t, load)[0]
}

// waited is how much longer than the second that simulate reckons with a new
// instance of a job waited for its start after the last old one had ended: on a
// busy machine that is part of the time that a start takes. It is 0 where new
// instances start first.
func waited(t *testing.T, s *harness.Stack, jobID string) time.Duration {
	t.Helper()
	allocs, _, err := s.Nomad.Jobs().Allocations(jobID, true, (&nomad.QueryOptions{}).WithContext(t.Context()))
	require.NoError(t, err)
	var started, ended time.Time
	for _, a := range allocs {
		task := a.TaskStates["web"]
		require.NotNil(t, task, a.ID)
		if task.StartedAt.After(started) {
			started = task.StartedAt
		}
		if task.FinishedAt.After(ended) {
			ended = task.FinishedAt
		}
	}
	return max(0, started.Sub(ended)-time.Second)
}
