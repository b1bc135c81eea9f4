//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// finding is what a user of /v1/lint reads of one.
type finding struct {
	Namespace, Job, Rule, Severity, Path, Message, Remedy string
	JobVersion                                            uint64
	Proxies                                               []string
}

// A job that will drop requests is seen where it runs: by lint with the line of
// its source, by a dry run, and in the condition of its deployment. Once it is
// cured nothing is found any more. All of it only reads.
func TestLiveJobsAreLinted(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 2, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	job := harness.Sample{Name: s.Name("live"), Meta: map[string]string{"draingate_mode": "enforce"}, Version: "1"}
	job.Tags = job.Route(through[0].Options.Prefix)
	run, line := source(t, s, job)
	run("0s")
	purged(t, s, job.Name)

	nomad, consul := readOnly(t, "http://"+s.NomadAddr), readOnly(t, "http://"+s.ConsulAddr)
	c := dryRun(t, s, []string{"NOMAD_ADDR=" + nomad.url, "CONSUL_HTTP_ADDR=" + consul.url}, through[0].Options.Service)
	seen := c.lints(job.Name, "DG101")
	require.Equal(t, "error", seen.Severity)
	require.Equal(t, `group["web"].shutdown_delay`, seen.Path)
	require.Equal(t, "default", seen.Namespace)
	require.Contains(t, seen.Message, "two loads of the catalog", "the load is measured")
	require.Contains(t, seen.Remedy, "shutdown_delay")
	require.Len(t, seen.Proxies, 2)
	code, out := draingate(t, s, nil, "status", "--addr", c.addr)
	require.Equal(t, 0, code, out)
	require.Regexp(t, `(?m)^  default +`+job.Name+` +0 +1 `, out)

	api := through[0].Relay.Addr
	code, out = draingate(t, s, nil, "lint", "--job", job.Name, "--traefik-url", "http://"+api)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, fmt.Sprintf("nomad:default/%s:%d:5: error: ", job.Name, line))
	require.Contains(t, out, "shutdown_delay = var.delay\n")
	code, out = draingate(t, s, nil, "lint", "--job", job.Name+"x")
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "did you mean default/"+job.Name)

	job.Version = "2"
	before := run
	run, _ = source(t, s, job)
	run("0s")
	c.eventually(90*time.Second, "held, with the findings", func() (bool, string) {
		d, ok := c.of(job.Name, 1)
		status, message := d.condition("JobSound")
		return ok && d.Decision == "Hold" && status == "False" && strings.Contains(message, "DG101") && strings.Contains(message, "version 0, which runs"), d.String() + " JobSound " + status + " " + message
	})

	run("6s")
	c.eventually(30*time.Second, "found sound", func() (bool, string) {
		code, body := c.get("/v1/lint")
		return code == http.StatusOK && !strings.Contains(body, `"`+job.Name+`"`), body
	})
	c.eventually(90*time.Second, "sound but for the version that runs", func() (bool, string) {
		d, ok := c.of(job.Name, 2)
		status, message := d.condition("JobSound")
		return ok && status == "False" && strings.HasPrefix(message, "1 error (DG106)"), d.String() + " JobSound " + status + " " + message
	})
	before("6s") // As the finding says: the running version with the delay, in place.
	_, err := s.AwaitDeployment(within(t, time.Minute), job.Name, "the change in place", func(d *nomadapi.Deployment) bool {
		return d.JobVersion == 3 && d.Status == "successful"
	})
	require.NoError(t, err)
	run("6s")
	c.eventually(90*time.Second, "without findings", func() (bool, string) {
		d, ok := c.of(job.Name, 4)
		status, message := d.condition("JobSound")
		return ok && status == "True", d.String() + " JobSound " + status + " " + message
	})
	code, out = draingate(t, s, nil, "lint", "--job", "default/"+job.Name, "--traefik-url", "http://"+api)
	require.Equal(t, 0, code, out)
	require.False(t, c.nomadDeployment(job.Name).TaskGroups["web"].Promoted)
	require.Empty(t, nomad.writes(), "a dry run only reads from Nomad")
	require.Empty(t, consul.writes(), "and from Consul")
}

// A file is compared with the version that runs.
func TestLintAgainstWhatRuns(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	job := harness.Sample{Name: s.Name("against"), Version: "1", ShutdownDelay: 6 * time.Second}
	job.Tags = job.Route(through[0].Options.Prefix)
	require.NoError(t, s.Deployed(within(t, 2*time.Minute), job))
	purged(t, s, job.Name)
	job.Tags = append(job.Tags, job.HealthCheckTags(time.Second)...)
	for i := len(job.Tags) - 2; i < len(job.Tags); i++ {
		job.Tags[i] = through[0].Options.Prefix + ".http." + job.Tags[i]
	}
	hcl, err := job.HCL(s.SampleBinary())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "next.nomad.hcl")
	require.NoError(t, os.WriteFile(file, []byte(hcl), 0o600))
	url := "http://" + through[0].Relay.Addr
	_, out := draingate(t, s, nil, "lint", "--traefik-url", url, file)
	require.NotContains(t, out, "DG404")
	_, out = draingate(t, s, nil, "lint", "--traefik-url", url, "--against-live", file)
	require.Contains(t, out, "DG404", "the service is defined otherwise than by the version that runs")
	// What Nomad has was registered without a source.
	_, out = draingate(t, s, nil, "lint", "--job", job.Name, "--traefik-url", url, "--margin", "20s", "--format", "json")
	require.Contains(t, out, `"path": "group[\"web\"].shutdown_delay"`)
}

// source returns a function that runs the job with a delay as Nomad's own
// command does, so that Nomad keeps the source, and the line of the delay.
func source(t *testing.T, s *harness.Stack, job harness.Sample) (run func(delay string), line int) {
	t.Helper()
	hcl, err := job.HCL(s.SampleBinary())
	require.NoError(t, err)
	hcl = "variable \"delay\" {}\n\n" + strings.Replace(hcl, `shutdown_delay = "0s"`, "shutdown_delay = var.delay", 1)
	line = 1 + strings.Count(hcl[:strings.Index(hcl, "shutdown_delay = var.delay")], "\n")
	file := filepath.Join(t.TempDir(), "live.nomad.hcl")
	require.NoError(t, os.WriteFile(file, []byte(hcl), 0o600))
	bins, err := harness.Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	return func(delay string) {
		cmd := exec.CommandContext(within(t, time.Minute), bins.Nomad, "job", "run", "-detach", "-var", "delay="+delay, file)
		cmd.Env = append(os.Environ(), "NOMAD_ADDR=http://"+s.NomadAddr)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}, line
}

// dryRun starts a draingate that sees the proxies of a service and writes
// nothing.
func dryRun(t *testing.T, s *harness.Stack, env []string, service string) *controller {
	t.Helper()
	port, err := s.Port()
	require.NoError(t, err)
	c := &controller{t: t, stack: s, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	c.process, err = s.Run(s.Name("draingate"), binary(t), env, "run", "--dry-run", "--traefik-service", service, "--listen", c.addr)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.process.Stop(10*time.Second))
		require.NoError(t, c.process.Err(), "draingate ends cleanly")
	})
	return c
}

// lints waits until the endpoint has a finding of the rule in the job.
func (c *controller) lints(job, rule string) finding {
	c.t.Helper()
	var out finding
	c.eventually(60*time.Second, rule+" in "+job, func() (bool, string) {
		code, body := c.get("/v1/lint")
		if code != http.StatusOK {
			return false, body
		}
		var all []finding
		require.NoError(c.t, json.Unmarshal([]byte(body), &all))
		for _, f := range all {
			if f.Job == job && f.Rule == rule {
				out = f
				return true, ""
			}
		}
		return false, body
	})
	return out
}

// recorder stands before a server and remembers what is no read.
type recorder struct {
	url string
	mu  sync.Mutex
	all []string
}

func readOnly(t *testing.T, target string) *recorder {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	r := &recorder{}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) }, FlushInterval: -1,
		// A query that waits ends with its client.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if !errors.Is(err, context.Canceled) {
				t.Log(err)
			}
			w.WriteHeader(http.StatusBadGateway)
		}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			r.mu.Lock()
			r.all = append(r.all, req.Method+" "+req.URL.Path)
			r.mu.Unlock()
		}
		proxy.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *recorder) writes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}
