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

// What becomes of a deployment besides being promoted: each of these happens
// under load, and none may lose a request.

// quick is a job whose old instances serve for longer than its proxy needs.
func quick(s *harness.Stack, name string) harness.Sample {
	return harness.Sample{Name: s.Name(name), Warmup: brief, ShutdownDelay: 6 * time.Second}
}

func oneProxy(t *testing.T, s *harness.Stack) []*harness.Traefik {
	t.Helper()
	return proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
}

// waits until the canaries of a version take traffic and draingate is about to
// promote it.
func (c *controller) almost(job string, version uint64) {
	c.t.Helper()
	c.eventually(90*time.Second, "WindowRunning", func() (bool, string) {
		d, _ := c.of(job, version)
		return d.Reason == "WindowRunning", d.String()
	})
}

// says waits until draingate decides so on a version of the job.
func (c *controller) says(job string, version uint64, decision, reason string) deployment {
	c.t.Helper()
	var d deployment
	c.eventually(2*time.Minute, decision+" "+reason, func() (bool, string) {
		d, _ = c.of(job, version)
		return d.Decision == decision && d.Reason == reason, d.String()
	})
	return d
}

func write(t *testing.T) *nomad.WriteOptions { return (&nomad.WriteOptions{}).WithContext(t.Context()) }

func TestFrozenUntilAPersonEndsIt(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "frozen")
	code, out := draingate(t, s, nil, "freeze", job.Name, "--reason", "audit until Friday")
	require.Zero(t, code, out)
	d := begin(t, s, job, through, nil)
	g.holds(job.Name, "Frozen", "audit until Friday")
	g.staysHeld(job.Name, brief+8*time.Second)
	code, out = draingate(t, s, nil, "unfreeze", job.Name)
	require.Zero(t, code, out)
	d.losesNothing(g)
}

func TestFailedAfterItsHoldDeadline(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "deadline")
	job.AutoRevert = true
	job.Meta = map[string]string{"draingate_hold_deadline": "15s", "draingate_on_deadline": "fail"}
	preview := job
	preview.Name += "-canary"
	job.CanaryTags = preview.Route(through[0].Options.Prefix)
	d := begin(t, s, job, through, nil)
	g.holds(job.Name, "CanaryOtherRouter")
	canary := canaryOf(t, s, job.Name)
	g.says(job.Name, 1, "None", "DeploymentEnded")
	failed := deploymentOf(t, s, job.Name, 1)
	require.Equal(t, "failed", failed.Status)
	require.False(t, failed.TaskGroups["web"].Promoted)
	_, body := g.get("/metrics")
	require.Contains(t, body, `draingate_failures_total{result="accepted"} 1`)
	_, err := s.AwaitDeployment(within(t, time.Minute), job.Name, "reverted", func(d *nomad.Deployment) bool { return d.JobVersion == 2 && d.Status == "successful" })
	require.NoError(t, err, "auto_revert brings the old version back")
	require.NoError(t, s.AwaitEnd(within(t, time.Minute), job.Name, []harness.Instance{canary}, through...))
	d.lostNothing()
}

// A hold deadline fails nothing where that would drop requests.
func TestHeldBeyondItsDeadlineWhereFailingWouldLose(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through, "--fence", "never")
	job := harness.Sample{Name: s.Name("overdue"), Warmup: brief, Meta: map[string]string{"draingate_hold_deadline": "3s", "draingate_on_deadline": "fail"}}
	d := begin(t, s, job, through, nil)
	g.holds(job.Name, "DrainUnsafe")
	g.eventually(time.Minute, "overdue", func() (bool, string) {
		seen, _ := g.of(job.Name, 1)
		status, message := seen.condition("WithinDeadline")
		return status == "False" && strings.Contains(message, "would be stopped at once"), message
	})
	_, body := g.get("/metrics")
	require.Contains(t, body, "draingate_deployments_overdue 1\n")
	d.keepsServing(g, 5*time.Second)
}

func deploymentOf(t *testing.T, s *harness.Stack, job string, version uint64) *nomad.Deployment {
	t.Helper()
	all, _, err := s.Nomad.Jobs().Deployments(job, true, (&nomad.QueryOptions{}).WithContext(t.Context()))
	require.NoError(t, err)
	for _, d := range all {
		if d.JobVersion == version {
			return d
		}
	}
	t.Fatalf("job %s has no deployment of version %d", job, version)
	return nil
}

// lostNothing ends the load, requires that it lost nothing, or no more than is said,
// and returns what became of it.
func (d *deploy) lostNothing() []harness.LoadReport {
	d.t.Helper()
	reports := stop(d.t, d.loads)
	for i, r := range reports {
		if most := d.bears[d.through[i%len(d.through)].Name]; r.Lost > most {
			d.t.Errorf("through %s: got %s, want %d lost; lost %s", d.at(i), r, most, r.LostAt())
		}
	}
	return reports
}

// resubmit submits a further version and makes the deploy about that one.
func (d *deploy) resubmit(version uint64, change func(*harness.Sample)) {
	d.t.Helper()
	next := d.job
	next.Version = "2"
	if change != nil {
		change(&next)
	}
	d.version = version
	require.NoError(d.t, d.stack.Submit(within(d.t, 30*time.Second), next))
}

func TestSupersededByANewerVersion(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "superseded")
	d := begin(t, s, job, through, func(next *harness.Sample) { next.Version = "1b" })
	g.almost(job.Name, 1)
	d.resubmit(2, nil)
	g.says(job.Name, 1, "None", "DeploymentEnded")
	d.losesNothing(g)
	require.False(t, deploymentOf(t, s, job.Name, 1).TaskGroups["web"].Promoted)
}

func TestACountThatChangesInMidDeployment(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "counted")
	d := begin(t, s, job, through, func(next *harness.Sample) { next.Version = "2" })
	g.almost(job.Name, 1)
	d.resubmit(2, func(next *harness.Sample) { next.Count = 2 })
	d.losesNothing(g)
}

func TestAPersonsPauseIsNotUndone(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "paused")
	d := begin(t, s, job, through, nil)
	g.almost(job.Name, 1)
	id := g.nomadDeployment(job.Name).ID
	_, _, err := s.Nomad.Deployments().Pause(id, true, write(t))
	require.NoError(t, err)
	g.holds(job.Name, "DeploymentPaused", "nomad deployment resume")
	g.staysHeld(job.Name, 8*time.Second)
	_, _, err = s.Nomad.Deployments().Pause(id, false, write(t))
	require.NoError(t, err)
	d.losesNothing(g)
}

// Nomad fails a deployment whose canary never turns healthy, and reverts the
// job: that deploy is looked at as well, and has nothing to promote.
func TestFailedAndRevertedByNomad(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "reverted")
	job.AutoRevert, job.HealthyDeadline, job.ProgressDeadline = true, 15*time.Second, 20*time.Second
	d := begin(t, s, job, through, func(next *harness.Sample) { next.NeverReady = true })
	g.says(job.Name, 1, "None", "DeploymentEnded")
	require.Equal(t, "failed", deploymentOf(t, s, job.Name, 1).Status)
	g.eventually(time.Minute, "the revert", func() (bool, string) {
		seen, ok := g.of(job.Name, 2)
		return ok && seen.Decision == "None", seen.String()
	})
	d.lostNothing()
}

func TestFailedByAPerson(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "failed")
	d := begin(t, s, job, through, nil)
	g.almost(job.Name, 1)
	canary := canaryOf(t, s, job.Name)
	_, _, err := s.Nomad.Deployments().Fail(g.nomadDeployment(job.Name).ID, write(t))
	require.NoError(t, err)
	g.says(job.Name, 1, "None", "DeploymentEnded")
	require.NoError(t, s.AwaitEnd(within(t, time.Minute), job.Name, []harness.Instance{canary}, through...))
	d.lostNothing()
}

func TestAFirstDeploymentAndAChangeInPlaceHaveNothingToPromote(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "inplace")
	job.Version = "1"
	d := begin(t, s, job, through, func(next *harness.Sample) { next.Version, next.ShutdownDelay = "1", 7*time.Second })
	first, ok := g.of(job.Name, 0)
	require.True(t, ok, "the first deployment is shown")
	require.Equal(t, "None", first.Decision, first.String())
	g.eventually(time.Minute, "the change in place", func() (bool, string) {
		seen, ok := g.of(job.Name, 1)
		return ok && seen.Decision == "None" && g.nomadDeployment(job.Name).Status == "successful", seen.String()
	})
	d.lostNothing()
}

// A job that is stopped while it waits takes its deployment with it.
func TestStoppedWhileItWaits(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	g := gate(t, s, through)
	job := quick(s, "stopped")
	d := begin(t, s, job, through, nil)
	g.almost(job.Name, 1)
	d.lostNothing() // what follows is an outage that somebody asked for
	_, _, err := s.Nomad.Jobs().Deregister(job.Name, false, write(t))
	require.NoError(t, err)
	g.says(job.Name, 1, "None", "DeploymentEnded")
	require.False(t, deploymentOf(t, s, job.Name, 1).TaskGroups["web"].Promoted)
}

// What a run would need is asked for once, and nothing is run.
func TestCheckSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	code, said := draingate(t, s, nil, "run", "--check", "--traefik-service", through[0].Options.Service)
	require.Zero(t, code, said)
	require.NotContains(t, said, "FAIL")
	require.Contains(t, said, "a session can be held; nobody holds draingate/leader, and it can be read and written", "where ACLs are off all can be")
	require.Contains(t, said, "ok    Writing to services: ")
	require.Contains(t, said, "ok    The fence: this is the node ")
	require.Regexp(t, `ok    Traefik .*: version 3\.\d+\.\d+, .* refreshInterval 2s`, said)

	code, said = draingate(t, s, nil, "run", "--check", "--traefik-service", "nobody")
	require.Equal(t, 5, code)
	require.Contains(t, said, "FAIL  The Traefik instances")
	require.Contains(t, said, "warn  Writing to services: it could not be asked: which services it is needed for is not known, as no Traefik tells its settings")
	code, said = draingate(t, s, []string{"CONSUL_HTTP_ADDR=127.0.0.1:1"}, "run", "--check", "--traefik-url", "http://127.0.0.1:1")
	require.Equal(t, 5, code)
	require.Contains(t, said, "FAIL  Consul at ")
	require.Contains(t, said, "FAIL  The election")
	require.Contains(t, said, "FAIL  Traefik 127.0.0.1:1")
	require.Contains(t, said, "ok    Nomad at ")
}
