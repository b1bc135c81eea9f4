//go:build e2e

package charts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// cluster is a stack with ACLs on, a Traefik, and a job that is deployed
// again and again.
type cluster struct {
	*harness.Stack
	t       *testing.T
	bins    harness.Bins
	proxy   *harness.Traefik
	job     harness.Sample
	version int
	binary  string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	bins, err := harness.Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	s, err := harness.Start(t.Context(), harness.Options{Bins: bins, ACL: true})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("logs are kept in", s.KeepLogs())
		}
		require.NoError(t, s.Close())
	})
	c := &cluster{Stack: s, t: t, bins: bins, binary: filepath.Join(t.TempDir(), "draingate")}
	command(t, nil, "go", "build", "-o", c.binary, "../cmd/draingate")
	return c
}

// serve starts the Traefik and the first version of a job whose drain is long
// enough.
func (c *cluster) serve() {
	c.t.Helper()
	c.serveAs(harness.Sample{Name: c.Name("web"), Version: "0", ShutdownDelay: 6 * time.Second, Meta: map[string]string{"draingate_mode": "enforce"}})
}

// serveAs starts the Traefik and the first version of the job.
func (c *cluster) serveAs(job harness.Sample) {
	c.t.Helper()
	var err error
	c.proxy, err = c.StartTraefik(c.t.Context(), harness.TraefikOptions{RefreshInterval: time.Second})
	require.NoError(c.t, err)
	c.job = job
	c.job.Tags = c.job.Route(c.proxy.Options.Prefix)
	require.NoError(c.t, c.Deployed(c.t.Context(), c.job))
	instances, err := c.Instances(c.t.Context(), c.job.Name)
	require.NoError(c.t, err)
	require.NoError(c.t, harness.AwaitRouted(c.t.Context(), instances, c.proxy))
}

// next submits another version and waits for its healthy canary.
func (c *cluster) next() {
	c.t.Helper()
	c.version++
	c.job.Version = fmt.Sprint(c.version)
	require.NoError(c.t, c.Submit(c.t.Context(), c.job))
	_, err := c.AwaitCanaries(c.t.Context(), c.job.Name, uint64(c.version))
	require.NoError(c.t, err)
}

// promoted waits until the newest version is promoted and its deployment done.
func (c *cluster) promoted() {
	c.t.Helper()
	_, err := c.AwaitDeployment(c.t.Context(), c.job.Name, "a promotion", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == uint64(c.version) && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(c.t, err)
}

func (c *cluster) requireHeld() {
	c.t.Helper()
	d, _, err := c.Nomad.Jobs().LatestDeployment(c.job.Name, nil)
	require.NoError(c.t, err)
	require.False(c.t, d.TaskGroups["web"].Promoted, "promoted without the permission")
}

// roots are the variables of a person with management tokens.
func (c *cluster) roots() []string {
	return []string{
		"NOMAD_ADDR=http://" + c.NomadAddr, "NOMAD_TOKEN=" + harness.RootToken,
		"CONSUL_HTTP_ADDR=" + c.ConsulAddr, "CONSUL_HTTP_TOKEN=" + harness.RootToken,
	}
}

func (c *cluster) nomadToken(rules string) string {
	c.t.Helper()
	name := c.Name("policy")
	_, err := c.Nomad.ACLPolicies().Upsert(&nomad.ACLPolicy{Name: name, Rules: rules}, nil)
	require.NoError(c.t, err, rules)
	token, _, err := c.Nomad.ACLTokens().Create(&nomad.ACLToken{Name: name, Type: "client", Policies: []string{name}}, nil)
	require.NoError(c.t, err)
	return token.SecretID
}

func (c *cluster) consulToken(rules string) string {
	c.t.Helper()
	name := c.Name("policy")
	policy, _, err := c.Consul.ACL().PolicyCreate(&consul.ACLPolicy{Name: name, Rules: rules}, nil)
	require.NoError(c.t, err, rules)
	token, _, err := c.Consul.ACL().TokenCreate(&consul.ACLToken{Policies: []*consul.ACLLink{{ID: policy.ID}}}, nil)
	require.NoError(c.t, err)
	return token.SecretID
}

// run is a draingate with tokens of these policies, and its status endpoint.
type run struct {
	*harness.Process
	addr string
}

func (c *cluster) run(nomadRules, consulRules string, env ...string) run {
	c.t.Helper()
	port, err := c.Port()
	require.NoError(c.t, err)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	env = append(env, "NOMAD_TOKEN="+c.nomadToken(nomadRules), "CONSUL_HTTP_TOKEN="+c.consulToken(consulRules))
	p, err := c.Run(c.Name("draingate"), c.binary, env, "run", "--traefik-service", c.proxy.Options.Service, "--listen", addr)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, p.Stop(10*time.Second)) })
	return run{p, addr}
}

// check asks once for everything that such a draingate needs.
func (c *cluster) check(nomadRules, consulRules string, env ...string) (int, string) {
	c.t.Helper()
	env = append(env, "NOMAD_DC=dc1", "NOMAD_TOKEN="+c.nomadToken(nomadRules), "CONSUL_HTTP_TOKEN="+c.consulToken(consulRules))
	p, err := c.Run(c.Name("check"), c.binary, env, "run", "--check", "--traefik-service", c.proxy.Options.Service)
	require.NoError(c.t, err)
	code := 0
	if exit, failed := errors.AsType[*exec.ExitError](p.Err()); failed {
		code = exit.ExitCode()
	}
	out, err := os.ReadFile(p.Log)
	require.NoError(c.t, err)
	return code, string(out)
}

// says waits until everything that draingate says of its deployments, or its
// log, contains the text.
func (c *cluster) says(r run, text string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		log, err := os.ReadFile(r.Log)
		require.NoError(c.t, err)
		// The text form of the log has quotes in quotes.
		return strings.Contains(strings.ReplaceAll(string(log), `\"`, `"`), text) || strings.Contains(deployments(r.addr), text)
	}, time.Minute, 200*time.Millisecond, "draingate says %q", text)
}

// parks is what a draingate says of parks, and what its log says is wrong with them.
func (c *cluster) parks(r run) string {
	c.t.Helper()
	log, err := os.ReadFile(r.Log)
	require.NoError(c.t, err)
	var out strings.Builder
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "parking has a problem") {
			// The text form of the log has quotes in quotes.
			out.WriteString(strings.ReplaceAll(line, `\"`, `"`))
		}
	}
	var list struct {
		Parks []struct{ Service, Step, Reason string }
	}
	_ = json.Unmarshal(answer(r.addr, "/v1/parks"), &list)
	for _, p := range list.Parks {
		out.WriteString(strings.Join([]string{p.Service, p.Step, p.Reason}, " ") + "\n")
	}
	return out.String()
}

// answer reads from a status endpoint, nothing without an answer.
func answer(addr, path string) []byte {
	client := http.Client{Timeout: 3 * time.Second}
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return body
}

// deployments are the messages, and the times of promotion, of the status endpoint, empty without an answer.
func deployments(addr string) string {
	var all []struct{ Message, Problem, PromotedAt string }
	_ = json.Unmarshal(answer(addr, "/v1/deployments"), &all)
	var out strings.Builder
	for _, d := range all {
		out.WriteString(d.Message + "\n" + d.Problem + "\npromotedAt " + d.PromotedAt + "\n")
	}
	return out.String()
}

func policy(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("draingate", "policies", name))
	require.NoError(t, err)
	return string(text)
}

// without removes one capability, or one block, from a policy.
func without(t *testing.T, rules, what string) string {
	t.Helper()
	block := regexp.MustCompile(`(?m)^` + what + ` "[^"]*" \{\n.*\n\}\n`)
	out := block.ReplaceAllString(rules, "")
	out = regexp.MustCompile(`"`+what+`"(, )?`).ReplaceAllString(out, "")
	out = strings.ReplaceAll(out, ", ]", "]")
	require.NotEqual(t, rules, out, what)
	return out
}

// The policies suffice, each of their parts is needed, and what is missing is
// named. draingate runs outside Nomad here, so that its tokens can be chosen.
func TestPolicies(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	setUp(t, c)
	c.serve()
	c.next()
	nomadRules, consulRules := policy(t, "nomad.hcl"), policy(t, "consul.hcl")
	const local = "NOMAD_DC=dc1"
	for what, test := range map[string]struct {
		nomad, consul, says string
		ends                bool
		env                 []string
	}{
		"read-job":           {without(t, nomadRules, "read-job"), consulRules, "the token needs read-job in the namespaces that are to be gated", true, []string{local}},
		"promote-deployment": {without(t, nomadRules, "promote-deployment"), consulRules, `the token needs promote-deployment in namespace "default"`, false, []string{local}},
		"submit-job":         {without(t, policy(t, "nomad-before-1.11.2.hcl"), "submit-job"), consulRules, `before Nomad 1.11.2: submit-job`, false, []string{local}},
		"variables": {strings.ReplaceAll(nomadRules, "draingate/jobs/*", "another/*"), consulRules,
			`the token needs read on the variables "draingate/jobs/*" in namespace "default"`, false, []string{local}},
		"session_prefix": {nomadRules, without(t, consulRules, "session_prefix"), `session_prefix "" { policy = "write" }`, true, []string{local}},
		"key_prefix":     {nomadRules, without(t, consulRules, "key_prefix"), `key "draingate/leader" { policy = "write" }`, true, []string{local}},
		"service_prefix": {nomadRules, without(t, consulRules, "service_prefix"), `the token needs service "consul" { policy = "read" }`, true, []string{local}},
		"node_prefix":    {nomadRules, without(t, consulRules, "node_prefix"), `the token needs node_prefix "" { policy = "read" }`, true, []string{local}},
		"agent":          {nomadRules, consulRules, "grant the token agent:read, or set NOMAD_DC", false, nil},
	} {
		t.Run("without "+what, func(t *testing.T) {
			r := c.run(test.nomad, test.consul, test.env...)
			c.says(r, test.says)
			if test.ends {
				var exit *exec.ExitError
				require.ErrorAs(t, r.Err(), &exit)
				require.Equal(t, 5, exit.ExitCode())
			}
			c.requireHeld()
			require.NoError(t, r.Stop(10*time.Second))
		})
	}
	for name, test := range map[string]struct {
		nomad, consul string
		env           []string
	}{
		"nomad.hcl":               {nomadRules, consulRules, []string{local}},
		"nomad-before-1.11.2.hcl": {policy(t, "nomad-before-1.11.2.hcl"), consulRules, []string{local}},
		"outside":                 {nomadRules + policy(t, "nomad-outside.hcl"), consulRules, nil},
		"consul-without-fence.hcl": {without(t, without(t, nomadRules, "pause-deployment"), "fail-deployment"), policy(t, "consul-without-fence.hcl"),
			[]string{local, "DRAINGATE_FENCE=never"}},
	} {
		t.Run(name+" suffices", func(t *testing.T) {
			r := c.run(test.nomad, test.consul, test.env...)
			c.promoted()
			require.NoError(t, r.Stop(10*time.Second))
			c.next()
		})
	}
}

// What a fence needs besides is needed, named where it is missing, and enough. The
// job has fewer canaries than instances, so that its deployment is paused.
func TestPoliciesOfAFence(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	setUp(t, c)
	c.serveAs(harness.Sample{
		Name: c.Name("web"), Version: "0", Count: 2, Canary: 1, Meta: map[string]string{"draingate_mode": "enforce", "draingate_fence": "always"},
	})
	nomadRules, consulRules := policy(t, "nomad.hcl"), policy(t, "consul.hcl")
	readOnly := strings.Replace(consulRules, "service_prefix \"\" {\n  policy = \"write\"", "service_prefix \"\" {\n  policy = \"read\"", 1)
	require.NotEqual(t, consulRules, readOnly)
	c.checkWrites(t, ": fence always")
	for what, test := range map[string]struct{ nomad, consul, says string }{
		"agent_prefix":            {nomadRules, without(t, consulRules, "agent_prefix"), `agent_prefix "" { policy = "read" }`},
		"service_prefix to write": {nomadRules, readOnly, `service_prefix "" { policy = "write" }`},
		"pause-deployment":        {without(t, nomadRules, "pause-deployment"), consulRules, `the token needs pause-deployment in namespace "default"`},
	} {
		t.Run("without "+what, func(t *testing.T) {
			c.next() // a fence is attempted once for each deployment
			r := c.run(test.nomad, test.consul, "NOMAD_DC=dc1")
			c.says(r, test.says)
			c.requireHeld()
			require.NoError(t, r.Stop(10*time.Second))
		})
	}
	t.Run("the policies suffice", func(t *testing.T) {
		c.next()
		r := c.run(nomadRules, consulRules, "NOMAD_DC=dc1")
		c.promoted()
		require.NoError(t, r.Stop(10*time.Second))
	})
}

// What a token may not write is told before anything needs it, and only where it
// is needed.
func (c *cluster) checkWrites(t *testing.T, why string) {
	t.Helper()
	const asks, serviceWrite = "Writing to services: ", "service_prefix \"\" {\n  policy = \"write\""
	nomadRules, consulRules := policy(t, "nomad.hcl"), policy(t, "consul.hcl")
	readOnly := strings.Replace(consulRules, serviceWrite, strings.Replace(serviceWrite, "write", "read", 1), 1)
	require.NotEqual(t, consulRules, readOnly)
	keysToRead := strings.Replace(consulRules, "key_prefix \"draingate/\" {\n  policy = \"write\"", "key_prefix \"draingate/\" {\n  policy = \"read\"", 1)
	require.NotEqual(t, consulRules, keysToRead)
	lacks := fmt.Sprintf(`consul denies permission: the token may not write to %q (job default/%s%s): it lacks service_prefix "" { policy = "write" }`, c.job.Name, c.job.Name, why)
	for what, test := range map[string]struct {
		consul, says string
		code         int
		env          []string
	}{
		"the policy":                    {consulRules, "ok    " + asks + "the token may for all 1 services", 0, nil},
		"to read services":              {readOnly, "FAIL  " + asks + lacks, 5, nil},
		"to write to another":           {readOnly + "\nservice \"another\" {\n  policy = \"write\"\n}\n", "FAIL  " + asks + lacks, 5, nil},
		"to write to that one":          {fmt.Sprintf("%s\nservice %q {\n  policy = \"write\"\n}\n", readOnly, c.job.Name), "ok    " + asks + "the token may for all 1 services", 0, nil},
		"to write to all but that one":  {fmt.Sprintf("%s\nservice %q {\n  policy = \"read\"\n}\n", consulRules, c.job.Name), "FAIL  " + asks + lacks, 5, nil},
		"to read keys":                  {keysToRead, `FAIL  The election: consul denies permission: draingate/leader can be read and not written: the token lacks key "draingate/leader" { policy = "write" }`, 5, nil},
		"without a fence, as is wanted": {policy(t, "consul-without-fence.hcl"), "ok    The election: a session can be held; nobody holds draingate/leader, and it can be read and written", 0, []string{"DRAINGATE_FENCE=never", "DRAINGATE_NO_PARK=true"}},
	} {
		t.Run("checks a token "+what, func(t *testing.T) {
			code, out := c.check(nomadRules, test.consul, test.env...)
			require.Contains(t, out, test.says)
			require.Equal(t, test.code, code, out)
			require.NotContains(t, out, "warn  ")
			require.Equal(t, test.env == nil, strings.Contains(out, asks), out)
		})
	}
}

// What a park needs besides is named where it is missing. It is a person's pause, as
// that needs no deploy.
func TestPoliciesOfAPark(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	setUp(t, c)
	c.serve()
	nomadRules, consulRules := policy(t, "nomad.hcl"), policy(t, "consul.hcl")
	c.pause()
	readOnly := strings.Replace(consulRules, "service_prefix \"\" {\n  policy = \"write\"", "service_prefix \"\" {\n  policy = \"read\"", 1)
	require.NotEqual(t, consulRules, readOnly)
	lockAlone := strings.Replace(consulRules, `key_prefix "draingate/"`, `key "draingate/leader"`, 1)
	require.NotEqual(t, consulRules, lockAlone)
	for what, test := range map[string]struct {
		nomad, consul, checked, says string
		code                         int
	}{
		"list-jobs":               {without(t, nomadRules, "list-jobs"), consulRules, "the token needs list-jobs in the namespaces that are to be gated", "", 5},
		"the variables":           {strings.ReplaceAll(nomadRules, "draingate/jobs/*", "another/*"), consulRules, "1 service jobs and 0 variables of jobs can be listed", "", 5},
		"service_prefix to write": {nomadRules, readOnly, "warn  Writing to services: the token may not write to \"" + c.job.Name, `lacks service_prefix "" { policy = "write" }`, 0},
		"agent_prefix":            {nomadRules, without(t, consulRules, "agent_prefix"), `lacks agent_prefix "" { policy = "read" }`, `lacks agent_prefix "" { policy = "read" }`, 5},
		"keys below the lock":     {nomadRules, lockAlone, `lacks key_prefix "draingate/leader/parks/" { policy = "write" }`, `key "draingate/leader/parks/`, 5},
		"session_prefix":          {nomadRules, without(t, consulRules, "session_prefix"), `lacks session_prefix "" { policy = "write" }`, "", 5},
	} {
		t.Run("without "+what, func(t *testing.T) {
			code, out := c.check(test.nomad, test.consul)
			require.Contains(t, out, test.checked)
			require.Equal(t, test.code, code, out)
			if test.says != "" {
				c.parking(test.nomad, test.consul, test.says)
			}
		})
	}
	t.Run("the policies suffice", func(t *testing.T) {
		code, out := c.check(nomadRules, consulRules)
		require.NotContains(t, out, "warn  ")
		require.Contains(t, out, "1 service jobs and 1 variables of jobs can be listed")
		require.Zero(t, code, out)
		c.parking(nomadRules, consulRules, c.job.Name+" parking Paused")
	})
	c.job.Park = 30 * time.Second
	require.NoError(t, c.Submit(t.Context(), c.job))
	c.checkWrites(t, " has draingate_park")
}

// pause writes that the job is paused, for less than the readTimeout of a Traefik.
func (c *cluster) pause() {
	c.t.Helper()
	items := nomad.VariableItems{"pause": c.job.Name + "=" + time.Now().Add(50*time.Second).UTC().Format(time.RFC3339)}
	_, _, err := c.Nomad.Variables().Update(&nomad.Variable{Path: "draingate/jobs/" + c.job.Name, Items: items}, nil)
	require.NoError(c.t, err)
}

// parking runs a draingate until it says so of its parks.
func (c *cluster) parking(nomadRules, consulRules, what string) {
	c.t.Helper()
	c.pause()
	r := c.run(nomadRules, consulRules, "NOMAD_DC=dc1")
	require.Eventually(c.t, func() bool { return strings.Contains(c.parks(r), what) }, time.Minute, 200*time.Millisecond, "draingate says %q of its parks", what)
	c.t.Log(c.parks(r))
	require.NoError(c.t, r.Stop(10*time.Second))
}

// setUp runs the README's first command.
func setUp(t *testing.T, c *cluster) {
	t.Helper()
	command(t, c.roots(), c.bins.Nomad, "setup", "consul", "-y", "-jwks-url", "http://"+c.NomadAddr+"/.well-known/jwks.json")
}

// The README's commands, taken from it as they stand, on a fresh cluster with
// ACLs on: within five minutes a deploy is gated.
func TestREADMEOnAFreshClusterWithACLs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, block, "the README has no block of commands")
	pack, err := harness.NomadPack(t.Context(), os.Stderr)
	require.NoError(t, err)
	tools := t.TempDir()
	for name, path := range map[string]string{"nomad": c.bins.Nomad, "consul": c.bins.Consul, "nomad-pack": pack} {
		require.NoError(t, os.Symlink(path, filepath.Join(tools, name)))
	}
	port, err := c.Port()
	require.NoError(t, err)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	parkPort, err := c.Port()
	require.NoError(t, err)
	root, err := harness.Root()
	require.NoError(t, err)
	began := time.Now()
	out := command(t, append(c.roots(),
		"PATH="+tools+":"+os.Getenv("PATH"), "NOMAD_PACK_VAR_binary="+c.binary, "NOMAD_PACK_VAR_listen="+addr, "NOMAD_PACK_VAR_consul_address="+c.ConsulAddr,
		"NOMAD_PACK_VAR_park_address=127.0.0.1", fmt.Sprintf("NOMAD_PACK_VAR_park_ports=%[1]d-%[1]d", parkPort),
	), "bash", "-euc", "cd "+root+"\n"+string(block[1]))
	t.Log(out)
	c.serve()
	old, err := c.Instances(t.Context(), c.job.Name)
	require.NoError(t, err)
	load, err := c.proxy.Load(c.job.Host(), 100)
	require.NoError(t, err)
	t.Cleanup(func() { load.Stop() })
	c.next()
	c.promoted()
	took := time.Since(began)
	t.Logf("gated a deploy %s after the first command", took.Round(time.Second))
	require.Less(t, took, 5*time.Minute)
	require.NoError(t, c.AwaitEnd(t.Context(), c.job.Name, old, c.proxy))
	if r := load.Stop(); r.Lost != 0 {
		t.Errorf("got %s, want none lost", r)
	}
	require.Contains(t, deployments(addr), "promotedAt 2", "the one that promoted it is the pack's")
}
