//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// While Consul does not answer nothing is promoted, however well everything
// stood before; afterwards it is, and nothing was lost. This case has a stack
// of its own, since it takes Consul away.
func TestConsulFrozen(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{})
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through)
	d := begin(t, s, harness.Sample{Name: s.Name("frozen"), Warmup: warmup, ShutdownDelay: 6 * time.Second}, through, nil)
	g.holds(d.job.Name, "WindowRunning")
	require.NoError(t, s.ConsulProcess.Signal(syscall.SIGSTOP))
	thawed := false
	t.Cleanup(func() {
		if !thawed {
			_ = s.ConsulProcess.Signal(syscall.SIGCONT)
		}
	})
	frozen := time.Now()
	g.holds(d.job.Name, "ConsulUnknown")
	for time.Since(frozen) < 20*time.Second {
		require.False(t, g.nomadDeployment(d.job.Name).TaskGroups["web"].Promoted, "promoted while Consul could not be read")
		time.Sleep(250 * time.Millisecond)
	}
	require.NoError(t, s.ConsulProcess.Signal(syscall.SIGCONT))
	thawed = true
	g.holds(d.job.Name, "CatalogRecovering")
	d.losesNothing(g)
}

// ownStack is a stack for one case.
func ownStack(t *testing.T, opts harness.Options) *harness.Stack {
	t.Helper()
	var err error
	opts.Bins, err = harness.Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	s, err := harness.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("logs are kept in", s.KeepLogs())
		}
		require.NoError(t, s.Close())
	})
	return s
}

// exitCode is the exit code behind the error with which a process ended.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// The cure that a message names, followed to the letter under load: take the
// canary out, give the running version its delay in place, deploy again.
func TestCureFollowedToTheLetter(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	g := gate(t, s, through, "--fence", "never")
	d := begin(t, s, harness.Sample{Name: s.Name("cure"), Warmup: warmup}, through, nil)
	seen := g.holds(d.job.Name, "DrainUnsafe")
	canary := canaryOf(t, s, d.job.Name)

	_, rest, found := strings.Cut(seen.Message, "consul maint -enable -service=")
	require.True(t, found, seen.Message)
	id, _, _ := strings.Cut(rest, ")")
	require.NoError(t, s.Consul.Agent().EnableServiceMaintenance(id, "following the cure"))
	require.NoError(t, harness.AwaitDropped(within(t, 30*time.Second), []harness.Instance{canary}, through...))

	_, rest, found = strings.Cut(seen.Message, `shutdown_delay = "`)
	require.True(t, found, seen.Message)
	text, _, _ := strings.Cut(rest, `"`)
	delay, err := time.ParseDuration(text)
	require.NoError(t, err)
	d.job.ShutdownDelay = delay
	ctx := within(t, 2*time.Minute)
	require.NoError(t, s.Deployed(ctx, d.job))

	d.job.Version = "2"
	require.NoError(t, s.Submit(ctx, d.job))
	d.version = 3
	d.losesNothing(g)
}

// What the operator got wrong ends the process with one line, or is tried
// again and said so.
func TestStartThatCannotWork(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{Consul: map[string]any{"acl": map[string]any{"enabled": true, "default_policy": "allow"}}})
	broken := filepath.Join(t.TempDir(), "traefik.yml")
	require.NoError(t, os.WriteFile(broken, []byte("providers:\n  consulCatalog:\n    refreshIntervall: 2s\n"), 0o600))
	api := s.NomadAddr
	cases := map[string]struct {
		env  []string
		args []string
		code int
		says []string
	}{
		"a wrong Consul token":                     {[]string{"CONSUL_HTTP_TOKEN=6f2f4e52-0000-0000-0000-000000000000"}, []string{"--traefik-service", "traefik"}, 5, []string{"consul", "token"}},
		"a bad flag":                               {nil, []string{"--traefik-service", "traefik", "--margin", "fast"}, 2, []string{"--margin", "fast"}},
		"no Traefik named":                         {nil, nil, 2, []string{"--traefik-service", "--traefik-url"}},
		"a Traefik file that Traefik would refuse": {nil, []string{"--traefik-service", "traefik", "--traefik-config", broken}, 2, []string{broken, "refreshIntervall"}},
		"a Traefik file that is not there":         {nil, []string{"--traefik-service", "traefik", "--traefik-config", "nowhere.yml"}, 2, []string{"nowhere.yml"}},
		"a status address in use":                  {nil, []string{"--traefik-service", "traefik", "--listen", api}, 2, []string{api}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := s.Run(s.Name("wrong"), binary(t), c.env, append([]string{"run", "--listen", "127.0.0.1:0"}, c.args...)...)
			require.NoError(t, err)
			select {
			case <-p.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("still running")
			}
			require.Equal(t, c.code, exitCode(p.Err()))
			out, err := os.ReadFile(p.Log)
			require.NoError(t, err)
			for _, s := range c.says {
				require.Contains(t, strings.ToLower(string(out)), strings.ToLower(s))
			}
			require.NotContains(t, string(out), "6f2f4e52", "a token is never printed")
		})
	}
}
