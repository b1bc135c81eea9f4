//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// The deploys that draingate holds: the reason must be the true one, nothing
// may be promoted, and the old version goes on serving.

func TestHeldWithoutADelay(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 15 * time.Second})
	g := gate(t, s, through, "--fence", "never")
	d := begin(t, s, harness.Sample{Name: s.Name("nodelay"), Warmup: brief}, through, nil)
	seen := g.holds(d.job.Name, "DrainUnsafe")
	require.Contains(t, seen.Message, "S = 0s")
	require.Regexp(t, `T = 17\.\d+s`, seen.Message)
	require.Contains(t, seen.Message, `shutdown_delay = "19s"`)
	status, _ := seen.condition("DrainSafe")
	require.Equal(t, "False", status)
	require.NotEmpty(t, seen.Windows)
	require.InDelta(t, 17.5, seen.Windows[0].StopRouting.Seconds, 0.45)
	d.keepsServing(g, 6*time.Second)
}

func TestHeldByWhatTheProcessSays(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	file := filepath.Join(t.TempDir(), "traefik.yml")
	require.NoError(t, os.WriteFile(file, []byte("providers:\n  consulCatalog:\n    refreshInterval: 2s\n"), 0o600))
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 15 * time.Second})
	g := gate(t, s, through, "--traefik-config", file, "--fence", "never")
	d := begin(t, s, harness.Sample{Name: s.Name("file"), Warmup: brief, ShutdownDelay: 10 * time.Second}, through, nil)
	seen := g.holds(d.job.Name, "DrainUnsafe")
	require.Regexp(t, `T = 17\.\d+s`, seen.Message)
	status, message := seen.condition("SettingsAgree")
	require.Equal(t, "False", status)
	require.Contains(t, message, "refreshInterval")
	require.Contains(t, message, "2s")
	d.keepsServing(g, 3*time.Second)
}

func TestHeldWhileTheCanaryIsNotReady(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through)
	job := harness.Sample{Name: s.Name("neverready"), ShutdownDelay: 6 * time.Second}
	d := begin(t, s, job, through, func(next *harness.Sample) { next.NeverReady = true })
	g.holds(d.job.Name, "CanaryNotHealthy")
	d.keepsServing(g, 8*time.Second)
}

// Nomad sets an allocation's health once. What it says afterwards is not worth
// a promotion: the same promotion, asked of Nomad alone, is accepted.
func TestHeldWhenTheCanaryTurnsCritical(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through)
	job := harness.Sample{Name: s.Name("critical"), Warmup: brief, ShutdownDelay: 6 * time.Second, CheckInterval: time.Second}
	d := begin(t, s, job, through, nil)
	healthy, err := s.AwaitCanaries(within(t, time.Minute), job.Name, 1)
	require.NoError(t, err)
	require.NoError(t, s.SetReady(t.Context(), canaryOf(t, s, job.Name), false))
	g.holds(job.Name, "CanaryNotPassing", "critical")
	d.keepsServing(g, 8*time.Second)
	_, _, err = s.Nomad.Deployments().PromoteAll(healthy.ID, nil)
	require.NoError(t, err, "Nomad alone promotes a canary that is critical")
}

func canaryOf(t *testing.T, s *harness.Stack, job string) harness.Instance {
	t.Helper()
	return instanceOf(t, s, job, "canary", func(i harness.Instance) bool { return i.Canary })
}

// instanceOf is the first instance of a job that is what is wanted.
func instanceOf(t *testing.T, s *harness.Stack, job, what string, wanted func(harness.Instance) bool) harness.Instance {
	t.Helper()
	instances, err := s.Instances(t.Context(), job)
	require.NoError(t, err)
	i := slices.IndexFunc(instances, wanted)
	require.GreaterOrEqual(t, i, 0, "job %s has no %s among %v", job, what, instances)
	return instances[i]
}

func TestHeldWhenTheCanaryHasItsOwnRouter(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through)
	job := harness.Sample{Name: s.Name("preview"), Warmup: brief, ShutdownDelay: 6 * time.Second}
	preview := job
	preview.Name += "-canary"
	job.CanaryTags = preview.Route(through[0].Options.Prefix)
	d := begin(t, s, job, through, nil)
	g.holds(job.Name, "CanaryOtherRouter", preview.Name+"@consulcatalog")
	d.keepsServing(g, 4*time.Second)
}

// A proxy that cannot be asked may still be routing: nothing is promoted until
// it answers, and then it is.
func TestHeldWhileOneAPIIsBlocked(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 2, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through)
	job := harness.Sample{Name: s.Name("blocked"), Warmup: brief, ShutdownDelay: 6 * time.Second}
	d := begin(t, s, job, through, func(*harness.Sample) { through[1].Relay.Set(harness.RelayRefuse) })
	g.holds(job.Name, "ProxyUnknown", through[1].Relay.Addr)
	g.staysHeld(job.Name, 10*time.Second)
	through[1].Relay.Set(harness.RelayOpen)
	d.losesNothing(g)
}

func TestHeldWhileAnAPIIsDisabled(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	mute, err := s.StartTraefik(t.Context(), harness.TraefikOptions{Service: through[0].Options.Service, Prefix: through[0].Options.Prefix,
		RefreshInterval: 2 * time.Second, DisableAPI: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mute.Stop()) })
	g := gate(t, s, through)
	d := begin(t, s, harness.Sample{Name: s.Name("mute"), Warmup: brief, ShutdownDelay: 6 * time.Second}, through, nil)
	g.holds(d.job.Name, "ProxyUnknown", mute.Relay.Addr, "api")
	d.keepsServing(g, 4*time.Second)
}

// What the specification of a job rules out is held, or reported, each for its
// own reason.
func TestHeldForWhatTheJobSays(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		job    harness.Sample
		next   func(*harness.Sample)
		reason string
	}{
		"a service of Nomad's own catalog": {harness.Sample{Provider: "nomad"}, nil, "ProviderNomad"},
		"a service without a check":        {harness.Sample{NoCheck: true}, nil, "NoCheck"},
		"a check that starts as passing":   {harness.Sample{InitialStatus: "passing"}, nil, "InitialStatusPassing"},
		"a group that promotes itself":     {harness.Sample{}, func(next *harness.Sample) { next.AutoPromote, next.NeverReady = true, true }, "AutoPromote"},
		"a system job":                     {harness.Sample{Type: "system"}, nil, "SystemJob"},
		"a mistyped mode":                  {harness.Sample{}, func(next *harness.Sample) { next.Meta = map[string]string{"draingate_mode": "enforced"} }, "ModeInvalid"},
	}
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			job := c.job
			job.Name, job.ShutdownDelay = s.Name("spec"), 6*time.Second
			job.Meta = map[string]string{"draingate_mode": "enforce"}
			job.Tags = job.Route(through[0].Options.Prefix)
			job.Version = "1"
			ctx := within(t, 2*time.Minute)
			require.NoError(t, s.Deployed(ctx, job))
			purged(t, s, job.Name)
			job.Version = "2"
			if c.next != nil {
				c.next(&job)
			}
			require.NoError(t, s.Submit(ctx, job))
			g.holds(job.Name, c.reason)
			if job.Type != "system" {
				require.False(t, g.nomadDeployment(job.Name).TaskGroups["web"].Promoted)
			}
		})
	}
}

// A job that does not ask for it is watched and judged, never promoted; so is
// every job in a dry run.
func TestObservedIsNotPromoted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode string
		args []string
	}{
		"observe": {"observe", nil},
		"dry run": {"enforce", []string{"--dry-run"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Shared(t)
			through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
			g := gate(t, s, through, c.args...)
			job := harness.Sample{Name: s.Name("observed"), ShutdownDelay: 6 * time.Second}
			d := begin(t, s, job, through, func(next *harness.Sample) { next.Meta = map[string]string{"draingate_mode": c.mode} })
			g.holds(d.job.Name, "PredictedSafe")
			deadline := time.Now().Add(5 * time.Second)
			for time.Now().Before(deadline) {
				require.False(t, g.nomadDeployment(job.Name).TaskGroups["web"].Promoted)
				time.Sleep(250 * time.Millisecond)
			}
			_, _, err := s.Nomad.Deployments().PromoteAll(g.nomadDeployment(job.Name).ID, (&nomad.WriteOptions{}).WithContext(t.Context()))
			require.NoError(t, err)
			d.losesNothing(g)
		})
	}
}
