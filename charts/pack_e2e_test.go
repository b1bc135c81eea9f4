//go:build e2e

package charts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

const plain = "../jobspecs/examples/draingate.nomad.hcl"

// command runs a program without what would point it at other servers, and
// returns what it printed.
func command(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "NOMAD_") && !strings.HasPrefix(v, "CONSUL_") && !strings.HasPrefix(v, "DRAINGATE_") {
			c.Env = append(c.Env, v)
		}
	}
	c.Env = append(c.Env, env...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	require.NoError(t, err, "%s %s\n%s%s", name, strings.Join(args, " "), out, &errs)
	return string(out)
}

// render runs the real nomad-pack and returns the file that it wrote.
func render(t *testing.T, vars []string) string {
	t.Helper()
	pack, err := harness.NomadPack(t.Context(), os.Stderr)
	require.NoError(t, err)
	dir := t.TempDir()
	args := []string{"render", "draingate", "--auto-approve", "--to-dir", dir}
	for _, v := range vars {
		args = append(args, "--var", v)
	}
	command(t, nil, pack, args...)
	return filepath.Join(dir, "draingate", "draingate.nomad")
}

func parse(t *testing.T, file string, vars []string) *nomad.Job {
	t.Helper()
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	job, err := jobspec2.ParseWithConfig(&jobspec2.ParseConfig{Path: file, Body: body, ArgVars: vars, Strict: true})
	require.NoError(t, err)
	job.Canonicalize()
	return job
}

// shared are values for every variable that the pack and the plain job have in
// common, none of them the default.
func shared() []string {
	return []string{
		`binary=/opt/draingate`, `traefik_services=["edge","inner"]`, `consul_address=https://consul.test:8501`,
		`consul_token_variable=true`, `traefik_api_user=gate`, `listen=127.0.0.1:9999`, `default_mode=enforce`, `dry_run=true`,
		`extra_args=["--margin=2s","--traefik-api-ca=/etc/ca.pem"]`, `env={"CONSUL_CACERT":"/etc/ca.pem","NOMAD_CACERT":"/etc/n.pem"}`,
		`datacenters=["dc1","dc2"]`,
	}
}

// parks are values for the variables of parks.
func parks() []string { return []string{"park_address=127.0.0.1", "park_ports=21000-21099"} }

// draingate takes what the pack says of parks.
func TestThePackSaysWhetherAndWhereToPark(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "draingate")
	command(t, nil, "go", "build", "-o", binary, "../cmd/draingate")
	for name, test := range map[string]struct{ vars, want []string }{
		"the defaults": {nil, []string{"no-park false (default)", "park-address - (--park-address)", "park-ports - (--park-ports)"}},
		"somewhere":    {parks(), []string{"no-park false (default)", "park-address 127.0.0.1 (--park-address)", "park-ports 21000-21099 (--park-ports)"}},
		"nowhere":      {[]string{"no_park=true"}, []string{"no-park true (--no-park)", "park-address - (default)", "park-ports - (default)"}},
	} {
		t.Run(name, func(t *testing.T) {
			var args []string
			for _, arg := range parse(t, render(t, test.vars), nil).TaskGroups[0].Tasks[0].Config["args"].([]any) {
				args = append(args, arg.(string))
			}
			c := exec.CommandContext(t.Context(), binary, append(args, "--check")...)
			c.Env = []string{"NOMAD_ADDR=http://127.0.0.1:1", "CONSUL_HTTP_ADDR=127.0.0.1:1"} // nobody is there
			out, err := c.CombinedOutput()
			exit, failed := errors.AsType[*exec.ExitError](err)
			require.True(t, failed, "%v", err)
			require.Equal(t, 5, exit.ExitCode(), "%s", out)
			said := strings.Join(strings.Fields(string(out)), " ")
			for _, want := range test.want {
				require.Contains(t, said, want)
			}
		})
	}
}

// The pack is the plain job: with the defaults, and with every variable set.
func TestPackIsThePlainJob(t *testing.T) {
	sets := map[string][]string{"the defaults": nil, "every shared variable": shared(), "what parks": parks(), "no parks": {"no_park=true"}}
	for name, vars := range sets {
		t.Run(name, func(t *testing.T) {
			got := parse(t, render(t, vars), nil)
			if diff := cmp.Diff(parse(t, plain, vars), got); diff != "" {
				t.Errorf("-plain job +pack:\n%s", diff)
			}
		})
	}
}

// What only the pack has, and that Nomad accepts all of it.
func TestPackIsAccepted(t *testing.T) {
	bins, err := harness.Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	s, err := harness.Start(t.Context(), harness.Options{Bins: bins})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	docker := append(shared(), `driver=docker`, `image=registry.test/draingate:1`, `job_name=gate`, `namespace=default`, `region=global`, `cpu=250`, `memory=64`)
	for name, vars := range map[string][]string{"the defaults": nil, "every shared variable": shared(), "every variable, with docker": docker} {
		t.Run(name, func(t *testing.T) {
			file := render(t, vars)
			out := command(t, []string{"NOMAD_ADDR=http://" + s.NomadAddr}, bins.Nomad, "job", "validate", file)
			require.Contains(t, out, "Job validation successful")
		})
	}
	job := parse(t, render(t, docker), nil)
	task := job.TaskGroups[0].Tasks[0]
	require.Equal(t, "gate default global", *job.ID+" "+*job.Namespace+" "+*job.Region)
	require.Equal(t, "docker", task.Driver)
	require.Equal(t, "registry.test/draingate:1 host", fmt.Sprint(task.Config["image"], " ", task.Config["network_mode"]))
	require.NotContains(t, task.Config, "command")
	require.Equal(t, []int{250, 64}, []int{*task.Resources.CPU, *task.Resources.MemoryMB})
	require.Contains(t, *task.Templates[1].EmbeddedTmpl, `nomadVar "nomad/jobs/gate"`)
	require.Equal(t, 65532, *task.Templates[1].Uid)
}
