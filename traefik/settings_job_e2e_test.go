//go:build e2e

package traefik_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// TestJobIsReadAsTraefikReadsIt starts a real Traefik in each of the ways that a
// job can, and compares what it reports with what was read from the job.
func TestJobIsReadAsTraefikReadsIt(t *testing.T) {
	for name, c := range jobCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := freeAddress(t)
			job := c.job(api)
			read, readErr := traefik.SettingsFromJob(&job, "")
			real, realErr := runTask(t, job.Groups[0].Tasks[0], api)
			if c.wantErr != "" {
				require.Error(t, readErr)
				require.ErrorIs(t, realErr, errNotServing)
				return
			}
			require.NoError(t, readErr)
			require.NoError(t, realErr)
			if diff := cmp.Diff(real, read.ProxySettings, cmpopts.IgnoreFields(model.ProxySettings{}, "Source")); diff != "" {
				t.Errorf("the process says (-), the job was read as (+):\n%s", diff)
			}
		})
	}
}

var errNotServing = errors.New("it ended and did not serve")

// runTask runs a task as Nomad would, in a folder of its own, and returns the
// settings that the process reports.
func runTask(t *testing.T, task model.Task, api string) (model.ProxySettings, error) {
	dir := t.TempDir()
	for _, tmpl := range task.Templates {
		file := filepath.Join(dir, tmpl.Destination)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(tmpl.Data), 0o600))
	}
	interpolate := strings.NewReplacer("${NOMAD_TASK_DIR}", filepath.Join(dir, "local"))
	var args []string
	for _, arg := range task.Program.Args {
		args = append(args, interpolate.Replace(arg))
	}
	cmd := exec.CommandContext(t.Context(), binary(t, "DRAINGATE_TRAEFIK"), args...)
	cmd.Dir, cmd.Env = dir, []string{"HOME=/nonexistent"}
	for name, value := range task.Env {
		cmd.Env = append(cmd.Env, name+"="+interpolate.Replace(value))
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	ctx, ended := context.WithCancel(t.Context())
	go func() { _ = cmd.Wait(); ended() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ctx.Done()
		if t.Failed() {
			t.Logf("%q: %s", args, out.String())
		}
	})
	return askSettings(ctx, t, api)
}

// askSettings waits for an answer, or for the end of the process.
func askSettings(ctx context.Context, t *testing.T, api string) (model.ProxySettings, error) {
	deadline := time.After(60 * time.Second)
	for {
		archive, err := tryFetch(ctx, "http://"+api+"/api/support-dump")
		if err == nil {
			return traefik.SettingsFromDump(member(t, archive, "static-config.json"))
		}
		select {
		case <-ctx.Done():
			return model.ProxySettings{}, errNotServing
		case <-deadline:
			return model.ProxySettings{}, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestEveryFlagIsKnown holds the flags that are known here against the help of
// the real Traefik: which there are, and which take no value.
func TestEveryFlagIsKnown(t *testing.T) {
	help, err := exec.CommandContext(t.Context(), binary(t, "DRAINGATE_TRAEFIK"), "--help").Output()
	require.NoError(t, err)
	flags := regexp.MustCompile(`(?m)^ +(--\S+) +\(Default: "(.*)"\)$`).FindAllStringSubmatch(string(help), -1)
	require.Greater(t, len(flags), 400)
	for _, f := range flags {
		name := strings.NewReplacer("<name>", "x", "[n]", "[0]").Replace(f[1])
		job := jobCase{args: []string{name + "=true"}}.job("")
		_, err := traefik.SettingsFromJob(&job, "")
		require.NotContains(t, fmt.Sprint(err), "field not found", name)
		// Below a name of one's own the decoder takes the first type that it comes by.
		if name != f[1] {
			continue
		}
		job = jobCase{args: []string{name, "--nope=1"}}.job("")
		_, err = traefik.SettingsFromJob(&job, "")
		isSwitch := f[2] == "true" || f[2] == "false"
		require.Equal(t, isSwitch, strings.Contains(fmt.Sprint(err), "--nope=1: field not found"), name)
	}
}
