//go:build e2e

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// The job files that people copy, tried as they are: draingate from its own
// file gates the web service from its file, through Nomad's task API.
func TestExamples(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s := exampleStack(ctx, t)
	binary, err := buildGate(ctx, s)
	require.NoError(t, err)
	proxy, err := s.StartTraefik(ctx, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	require.NoError(t, err)
	g := &gate{}
	require.NoError(t, g.start(ctx, s, binary))
	requireTaskAPI(t, s)

	submitWeb(ctx, t, s, "1")
	_, err = s.AwaitDeployment(ctx, "web", "a successful deployment", func(d *nomad.Deployment) bool {
		return d != nil && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(t, err)
	old, err := s.Instances(ctx, "web")
	require.NoError(t, err)
	require.NoError(t, harness.AwaitRouted(ctx, old, proxy))
	load, err := proxy.Load("web.example.com", 100)
	require.NoError(t, err)
	t.Cleanup(func() { load.Stop() })
	submitWeb(ctx, t, s, "2")
	_, err = s.AwaitDeployment(ctx, "web", "promotion", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == 1 && d.TaskGroups["web"].Promoted
	})
	require.NoError(t, err)
	require.NoError(t, s.AwaitEnd(ctx, "web", old, proxy))
	r := load.Stop()
	if r.Lost != 0 || r.Versions["1"] == 0 || r.Versions["2"] == 0 {
		t.Errorf("deploy of the example: got %s, want none lost and answers of both versions", r)
	}
}

func exampleStack(ctx context.Context, t *testing.T) *harness.Stack {
	t.Helper()
	bins, err := harness.Binaries(ctx, os.Stderr)
	require.NoError(t, err)
	dir, err := makeDir()
	require.NoError(t, err)
	s, err := harness.Start(ctx, harness.Options{Bins: bins, Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("draingate's log:", taskLog(s, "draingate"))
			t.Log("logs are kept in", s.KeepLogs())
		}
		require.NoError(t, s.Close())
	})
	return s
}

// requireTaskAPI requires that draingate was given the socket in its secrets,
// from which it then has read, being ready. Nomad writes the log a little later.
func requireTaskAPI(t *testing.T, s *harness.Stack) {
	t.Helper()
	socket := regexp.MustCompile(`nomad=unix://\S+/draingate/secrets/api\.sock`)
	require.Eventually(t, func() bool {
		logs, err := filepath.Glob(filepath.Join(s.Dir, "data", "nomad", "alloc", "*", "alloc", "logs", "draingate.stderr.0"))
		if err != nil || len(logs) != 1 {
			return false
		}
		b, err := os.ReadFile(logs[0])
		return err == nil && socket.Match(b)
	}, 20*time.Second, 100*time.Millisecond, "draingate's log names the socket of the task API")
}

func submitWeb(ctx context.Context, t *testing.T, s *harness.Stack, version string) {
	t.Helper()
	job, err := parseExample(s, "jobspecs/examples/web.nomad.hcl",
		fmt.Sprintf("command = %q\nversion = %q\nshutdown_delay = \"6s\"\n", s.SampleBinary(), version))
	require.NoError(t, err)
	_, _, err = s.Nomad.Jobs().Register(job, (&nomad.WriteOptions{}).WithContext(ctx))
	require.NoError(t, err)
}
