//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// program is the draingate binary, built once per run.
type program struct {
	once      sync.Once
	dir, path string
	err       error
}

var theProgram program

// built builds it, if nobody has, into a folder of its own: a stack's goes with
// the stack, and some cases have one that ends before others do. It is beside the
// binary of the tests, which the go command removes also where these were killed.
func (p *program) built(t *testing.T, build func(dir string) (string, error)) string {
	t.Helper()
	p.once.Do(func() {
		var tests string
		if tests, p.err = os.Executable(); p.err != nil {
			return
		}
		if p.dir, p.err = os.MkdirTemp(filepath.Dir(tests), "draingate-binary-"); p.err == nil { //nolint:usetesting // it outlives the test that builds it
			p.path, p.err = build(p.dir)
		}
	})
	require.NoError(t, p.err)
	return p.path
}

func binary(t *testing.T) string {
	t.Helper()
	return theProgram.built(t, func(dir string) (string, error) {
		root, err := harness.Root()
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, "draingate")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/draingate")
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build draingate: %w\n%s", err, out)
		}
		return path, nil
	})
}

// theClockProgram is the draingate whose wall clock can be moved.
var theClockProgram program

func clockBinary(t *testing.T) string {
	t.Helper()
	return theClockProgram.built(t, func(dir string) (string, error) { return harness.BuildWithClock(context.Background(), dir) })
}

// draingate runs the command to its end, with variables beside those of the
// stack, and returns its exit code and what it printed.
func draingate(t *testing.T, s *harness.Stack, env []string, args ...string) (int, string) {
	t.Helper()
	p, err := s.Run(s.Name("draingate"), binary(t), env, args...)
	require.NoError(t, err)
	select {
	case <-p.Done():
	case <-within(t, 5*time.Minute).Done():
		t.Fatalf("draingate %s does not end", strings.Join(args, " "))
	}
	out, err := os.ReadFile(p.Log)
	require.NoError(t, err)
	if failed, ok := errors.AsType[*exec.ExitError](p.Err()); ok {
		return failed.ExitCode(), string(out)
	}
	require.NoError(t, p.Err())
	return 0, string(out)
}

// controller is a draingate process and its status endpoint.
type controller struct {
	t       *testing.T
	stack   *harness.Stack
	args    []string
	env     []string
	binary  string
	addr    string
	process *harness.Process
}

// gate starts a draingate, the only one of its election, that watches the given proxy set, and waits until it
// is ready. It ends with the case, and must do so cleanly.
func gate(t *testing.T, s *harness.Stack, through []*harness.Traefik, args ...string) *controller {
	t.Helper()
	args = append([]string{"run", "--traefik-service", through[0].Options.Service}, args...)
	return gateWith(t, s, args...)
}

func gateWith(t *testing.T, s *harness.Stack, args ...string) *controller {
	t.Helper()
	return gateIn(t, s, s.Name("draingate/leader"), nil, args...)
}

// gateWithin is gateWith with more variables.
func gateWithin(t *testing.T, s *harness.Stack, env []string, args ...string) *controller {
	t.Helper()
	return gateIn(t, s, s.Name("draingate/leader"), env, args...)
}

// gateIn starts a draingate that takes part in the election on the key.
func gateIn(t *testing.T, s *harness.Stack, key string, env []string, args ...string) *controller {
	t.Helper()
	return gateFrom(t, s, binary(t), key, env, args...)
}

// gateFrom is gateIn with another build of the binary.
func gateFrom(t *testing.T, s *harness.Stack, binary, key string, env []string, args ...string) *controller {
	t.Helper()
	port, err := s.Port()
	require.NoError(t, err)
	c := &controller{t: t, stack: s, env: env, binary: binary, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	c.args = append(args, "--leader-key", key, "--advertise", c.addr)
	c.start()
	t.Cleanup(func() {
		require.NoError(t, c.process.Stop(10*time.Second))
		require.NoError(t, c.process.Err(), "draingate ends cleanly")
	})
	return c
}

func (c *controller) start() {
	c.t.Helper()
	var err error
	c.process, err = c.stack.Run(c.stack.Name("draingate"), c.binary, c.env, append(c.args, "--listen", c.addr)...)
	require.NoError(c.t, err)
	c.eventually(20*time.Second, "ready", func() (bool, string) {
		code, body := c.get("/readyz")
		return code == http.StatusOK, body
	})
}

// deployment is what a user of the status endpoint reads of it.
type deployment struct {
	ID, Namespace, Job, Status, Mode, Decision, Reason, Message string
	JobVersion                                                  uint64
	Conditions                                                  []struct{ Type, Status, Reason, Message string }
	Windows                                                     []struct {
		Proxy, Verdict        string
		Servable, StopRouting struct{ Seconds float64 }
	}
}

func (d deployment) String() string {
	return fmt.Sprintf("%s version %d: %s %s: %s", d.Job, d.JobVersion, d.Decision, d.Reason, d.Message)
}

// condition returns the status and the message of one condition.
func (d deployment) condition(name string) (string, string) {
	for _, c := range d.Conditions {
		if c.Type == name {
			return c.Status, c.Message
		}
	}
	return "", ""
}

// get reads from the status endpoint; code 0 means no answer.
func (c *controller) get(path string) (int, string) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.addr+path, nil)
	require.NoError(c.t, err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	var b strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&b); err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, b.String()
}

// of returns what draingate says of the deployment of a job's version.
func (c *controller) of(job string, version uint64) (deployment, bool) {
	code, body := c.get("/v1/deployments")
	if code != http.StatusOK {
		return deployment{}, false
	}
	var all []deployment
	require.NoError(c.t, json.Unmarshal([]byte(body), &all))
	for _, d := range all {
		if d.Job == job && d.JobVersion == version {
			code, body = c.get("/v1/deployments/" + d.ID)
			// The leader may have changed since the list was read.
			if code != http.StatusOK {
				return deployment{}, false
			}
			require.NoError(c.t, json.Unmarshal([]byte(body), &d))
			return d, true
		}
	}
	return deployment{}, false
}

// eventually waits for something that must come true.
func (c *controller) eventually(d time.Duration, what string, cond func() (bool, string)) {
	c.t.Helper()
	deadline := time.Now().Add(d)
	last := ""
	for time.Now().Before(deadline) {
		ok, seen := cond()
		if ok {
			return
		}
		last = seen
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("not %s within %s; last seen: %s", what, d, last)
}

// holds waits until draingate holds the job's second version for the reason
// with a message that has all the texts, and returns what it then says.
func (c *controller) holds(job, reason string, texts ...string) deployment {
	c.t.Helper()
	var d deployment
	c.eventually(90*time.Second, reason, func() (bool, string) {
		var ok bool
		d, ok = c.of(job, 1)
		for _, text := range texts {
			ok = ok && strings.Contains(d.Message, text)
		}
		return ok && d.Reason == reason, d.String()
	})
	c.t.Log(d)
	return d
}

// staysHeld watches for a while that nothing is promoted and that Nomad and
// draingate agree on it.
func (c *controller) staysHeld(job string, lasting time.Duration) {
	c.t.Helper()
	for deadline := time.Now().Add(lasting); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) {
		d := c.nomadDeployment(job)
		for name, group := range d.TaskGroups {
			require.False(c.t, group.Promoted, "group %s promoted while it should be held", name)
		}
		if seen, ok := c.of(job, 1); ok {
			require.Equal(c.t, "Hold", seen.Decision, seen.String())
		}
	}
}

func (c *controller) nomadDeployment(job string) *nomad.Deployment {
	c.t.Helper()
	d, _, err := c.stack.Nomad.Jobs().LatestDeployment(job, (&nomad.QueryOptions{}).WithContext(c.t.Context()))
	require.NoError(c.t, err)
	require.NotNil(c.t, d)
	return d
}

// delay is how long after its last condition turned true the promotion was
// accepted, as the metrics have it.
func (c *controller) delay() time.Duration {
	_, body := c.get("/metrics")
	for line := range strings.SplitSeq(body, "\n") {
		if text, ok := strings.CutPrefix(line, "draingate_promotion_delay_seconds_sum "); ok {
			d, err := time.ParseDuration(text + "s")
			require.NoError(c.t, err)
			return d
		}
	}
	c.t.Fatal("no draingate_promotion_delay_seconds_sum in /metrics")
	return 0
}

// deploy is a job of which version 1 runs under load and version 2 was submitted.
type deploy struct {
	t       *testing.T
	stack   *harness.Stack
	job     harness.Sample
	through []*harness.Traefik
	old     []harness.Instance
	// loads has, for each group, one for each proxy.
	loads []*harness.Load
	// version is Nomad's number of the version that is to be promoted.
	version uint64
	// bears is how many requests may be lost through a proxy, by its name: what the
	// same event loses without a deploy.
	bears map[string]int
}

// begin runs version 1, starts the load through every proxy and submits
// version 2, to which change may do what the case is about.
func begin(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik, change func(*harness.Sample)) *deploy {
	t.Helper()
	if job.Meta == nil {
		job.Meta = map[string]string{}
	}
	job.Meta["draingate_mode"] = "enforce"
	routed(&job, through)
	atVersion(&job, "1")
	d := &deploy{t: t, stack: s, job: job, through: through, version: 1, old: running(t, s, job, through)}
	for _, group := range job.Groups() {
		d.loads = append(d.loads, loads(t, group, 100, through)...)
	}
	next := job
	atVersion(&next, "2")
	if change != nil {
		change(&next)
	}
	require.NoError(t, s.Submit(within(t, 30*time.Second), next))
	return d
}

// routed gives every group that has no tags those that route to it.
func routed(job *harness.Sample, through []*harness.Traefik) {
	prefix := through[0].Options.Prefix
	if job.Tags == nil {
		job.Tags = job.Route(prefix)
	}
	job.More = slices.Clone(job.More)
	for i := range job.More {
		if job.More[i].Tags == nil {
			job.More[i].Tags = job.More[i].Route(prefix)
		}
	}
}

// atVersion makes every group report the version.
func atVersion(job *harness.Sample, version string) {
	job.Version = version
	job.More = slices.Clone(job.More)
	for i := range job.More {
		job.More[i].Version = version
	}
}

// at says where a load goes, by its index.
func (d *deploy) at(i int) string {
	return fmt.Sprintf("%s to group %s", d.through[i%len(d.through)], d.job.Groups()[i/len(d.through)].Group)
}

// losesNothing waits for the promotion and the end of the deploy, and requires
// that no request was lost through any proxy.
func (d *deploy) losesNothing(c *controller) {
	d.t.Helper()
	awaitPromoted(d.t, d.stack, d.job.Name, d.version)
	if late := c.delay(); late > 0 {
		d.t.Logf("promoted %s after the last condition turned true", late.Round(time.Millisecond))
	}
	require.NoError(d.t, d.stack.AwaitEnd(within(d.t, 3*time.Minute), d.job.Name, d.old, d.through...))
	for i, r := range d.lostNothing() {
		if r.Versions["1"] == 0 || r.Versions["2"] == 0 {
			d.t.Errorf("answers by version through %s: got %v, want some of both", d.at(i), r.Versions)
		}
	}
	c.eventually(30*time.Second, "drained", func() (bool, string) {
		seen, _ := c.of(d.job.Name, d.version)
		drained, _ := seen.condition("Drained")
		out, _ := seen.condition("OldOutOfRotation")
		return drained == "True" && out == "True", seen.String() + " Drained " + drained + " OldOutOfRotation " + out
	})
}

// keepsServing requires that the held deploy goes on serving for a while with
// no request lost.
func (d *deploy) keepsServing(c *controller, lasting time.Duration) {
	d.t.Helper()
	c.staysHeld(d.job.Name, lasting)
	for i, r := range d.lostNothing() {
		if r.Versions["1"] == 0 {
			d.t.Errorf("through %s: the old version answered nothing: %v", d.at(i), r.Versions)
		}
	}
}

// times is how often each lossless case is run: once, or as often as
// DRAINGATE_SOAK says.
func times(t *testing.T) int {
	t.Helper()
	n := 1
	if text := os.Getenv("DRAINGATE_SOAK"); text != "" {
		_, err := fmt.Sscan(text, &n)
		require.NoError(t, err, "DRAINGATE_SOAK")
	}
	return n
}
