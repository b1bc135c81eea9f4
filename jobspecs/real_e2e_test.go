//go:build e2e

package jobspecs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/jobspecs"
	"github.com/draingate/draingate/jobspecs/convert"
)

// nomad is the real binary.
func nomad(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("DRAINGATE_NOMAD"); path != "" {
		return path
	}
	path, err := exec.LookPath("nomad")
	require.NoError(t, err, "set DRAINGATE_NOMAD")
	return path
}

// cleanEnv keeps what is meant for another Nomad from this one.
func cleanEnv(extra ...string) []string {
	return append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "NOMAD_") || strings.HasPrefix(v, "CONSUL_")
	}), extra...)
}

// freePorts are ports that nobody listens on, all different.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// server is a Nomad server without a client.
func server(t *testing.T) *nomadapi.Client {
	t.Helper()
	ports := freePorts(t, 3)
	config, err := json.Marshal(map[string]any{
		"data_dir": t.TempDir(), "bind_addr": "127.0.0.1",
		"ports":     map[string]int{"http": ports[0], "rpc": ports[1], "serf": ports[2]},
		"advertise": map[string]string{"http": "127.0.0.1", "rpc": "127.0.0.1", "serf": "127.0.0.1"},
		"server":    map[string]any{"enabled": true, "bootstrap_expect": 1},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "nomad.json")
	require.NoError(t, os.WriteFile(file, config, 0o600))

	var log bytes.Buffer
	command := exec.Command(nomad(t), "agent", "-config="+file)
	command.Stdout, command.Stderr, command.Env = &log, &log, cleanEnv()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String()[max(0, log.Len()-1500):])
		}
	})
	client, err := nomadapi.NewClient(&nomadapi.Config{
		Address: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), HttpClient: &http.Client{Timeout: 10 * time.Second},
	})
	require.NoError(t, err)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if leader, err := client.Status().Leader(); err == nil && leader != "" {
			return client
		}
		require.True(t, time.Now().Before(deadline), "no leader")
	}
}

// fromCommandLine is what the real `nomad job run` would submit. The address is
// one where nobody listens: it must not need a server.
func fromCommandLine(t *testing.T, name string, syntax jobspecs.Syntax) *nomadapi.Job {
	t.Helper()
	o := optionsOf(t, name)
	args := []string{"job", "run", "-output"}
	if syntax == jobspecs.JSON {
		args = append(args, "-json")
	}
	for _, v := range o.Vars {
		args = append(args, "-var="+v)
	}
	for _, v := range o.VarFiles {
		args = append(args, "-var-file="+v)
	}
	command := exec.CommandContext(t.Context(), nomad(t), append(args, name)...)
	command.Env = cleanEnv(append(o.Env, "NOMAD_ADDR=http://127.0.0.1:1")...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "%s", &stderr)
	var wrapped struct{ Job *nomadapi.Job }
	require.NoError(t, json.Unmarshal(out, &wrapped))
	return wrapped.Job
}

// refused has the jobs that a server does not register, each with a part of its
// reason. They are in the corpus for what a file may say.
func refused() map[string]string {
	return map[string]string{
		// The server has no guard against a null group and drops the connection.
		"bare.nomad.json":  "EOF",
		"system.nomad.hcl": "No path to region",
	}
}

// What the real command line would submit, and what a real server then says the
// job is, are what we read from the file.
func TestAgainstRealNomad(t *testing.T) {
	client := server(t)
	for _, name := range specs(t, "ok") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			file := parse(t, name)
			submitted := fromCommandLine(t, name, file.Syntax)
			registered := *submitted
			if diff := cmp.Diff(file.Job, *convert.Job(submitted)); diff != "" {
				t.Fatalf("-file +command line:\n%s", diff)
			}
			_, _, err := client.Jobs().Register(&registered, nil)
			if reason := refused()[filepath.Base(name)]; reason != "" {
				require.ErrorContains(t, err, reason)
				return
			}
			require.NoError(t, err)
			answer, _, err := client.Jobs().Info(file.Job.ID, &nomadapi.QueryOptions{Namespace: file.Job.Namespace})
			require.NoError(t, err)
			want, got := file.Job, *convert.Job(answer)
			got.Version, got.ModifyIndex = 0, 0
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("-file +server:\n%s", diff)
			}
		})
	}
}

// What the server refuses to parse, we refuse; what it parses and fills with
// its defaults is what we read.
func TestAgainstRealParser(t *testing.T) {
	client := server(t)
	for _, folder := range []string{"ok", "err"} {
		for _, name := range specs(t, folder) {
			src, err := jobspecs.Read(name, nil)
			require.NoError(t, err)
			o := optionsOf(t, name)
			if !strings.HasSuffix(name, ".hcl") || len(o.Vars)+len(o.Env) > 0 || len(src.Content) == 0 {
				// The server's parser takes HCL alone, and no flags.
				continue
			}
			t.Run(filepath.Base(name), func(t *testing.T) {
				var variables strings.Builder
				for _, f := range o.VarFiles {
					text, err := os.ReadFile(f)
					require.NoError(t, err)
					variables.Write(text)
				}
				answer, theirs := client.Jobs().ParseHCLOpts(&nomadapi.JobsParseRequest{
					JobHCL: string(src.Content), Variables: variables.String(), Canonicalize: true,
				})
				o.NoFiles, o.AllowUndeclared = true, true
				file, ours := jobspecs.Parse(src, o)
				require.Equal(t, theirs == nil, ours == nil, "server: %v\nours: %v", theirs, ours)
				if ours != nil {
					return
				}
				if diff := cmp.Diff(&file.Job, convert.Job(answer)); diff != "" {
					t.Errorf("-file +server:\n%s", diff)
				}
			})
		}
	}
}

// The examples are what people copy, so a real server has to take them.
func TestRealNomadTakesTheExamples(t *testing.T) {
	client := server(t)
	names, err := filepath.Glob("examples/*.nomad.hcl")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			submitted := fromCommandLine(t, name, jobspecs.HCL)
			answer, _, err := client.Jobs().Validate(submitted, nil)
			require.NoError(t, err)
			require.Empty(t, answer.ValidationErrors, "%s", answer.Error)
		})
	}
}
