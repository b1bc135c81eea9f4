//go:build e2e

package nomad

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// cluster is a real Nomad with ACLs and a real Consul, of one node each.
type cluster struct {
	nomad, consul string
	api           *nomadapi.Client
	token         string
}

// start runs an agent until the test ends.
func start(t *testing.T, name, binary string, args ...string) {
	t.Helper()
	path := os.Getenv(binary)
	if path == "" {
		found, err := exec.LookPath(name)
		require.NoError(t, err, "set %s", binary)
		path = found
	}
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	require.NoError(t, err)
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = log, log
	// A CA bundle in the environment stops a Nomad agent.
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "NOMAD_") || strings.HasPrefix(v, "CONSUL_")
	})
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s: %s", name, text[max(0, len(text)-1500):])
		}
		_ = log.Close()
	})
}

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

func startCluster(t *testing.T) cluster {
	t.Helper()
	p := freePorts(t, 6)
	c := cluster{nomad: fmt.Sprintf("http://127.0.0.1:%d", p[3]), consul: fmt.Sprintf("http://127.0.0.1:%d", p[0])}
	start(t, "consul", "DRAINGATE_CONSUL", "agent", "-dev", "-bind=127.0.0.1",
		fmt.Sprintf("-http-port=%d", p[0]), fmt.Sprintf("-server-port=%d", p[1]), fmt.Sprintf("-serf-lan-port=%d", p[2]),
		"-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1")
	config := map[string]any{
		"data_dir": t.TempDir(),
		"ports":    map[string]int{"http": p[3], "rpc": p[4], "serf": p[5]},
		"acl":      map[string]any{"enabled": true},
		"consul":   map[string]any{"address": strings.TrimPrefix(c.consul, "http://")},
		"client": map[string]any{
			"cgroup_parent": fmt.Sprintf("draingate-test-%d", os.Getpid()),
			"options":       map[string]string{"fingerprint.denylist": "env_aws,env_gce,env_azure,env_digitalocean,bridge,cni"},
		},
	}
	text, err := json.Marshal(config)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "nomad.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	start(t, "nomad", "DRAINGATE_NOMAD", "agent", "-dev", "-bind=127.0.0.1", "-config="+file)

	c.api, err = nomadapi.NewClient(&nomadapi.Config{Address: c.nomad})
	require.NoError(t, err)
	eventually(t, "bootstrap ACLs", func() error {
		token, _, err := c.api.ACLTokens().Bootstrap(nil)
		if err == nil {
			c.token = token.SecretID
			c.api.SetSecretID(token.SecretID)
		}
		return err
	})
	eventually(t, "a node with Consul", func() error {
		nodes, _, err := c.api.Nodes().List(nil)
		if err != nil || len(nodes) == 0 || nodes[0].Status != "ready" {
			return fmt.Errorf("nodes %v: %w", nodes, err)
		}
		node, _, err := c.api.Nodes().Info(nodes[0].ID, nil)
		if err == nil && node.Attributes["consul.version"] == "" {
			err = errors.New("no Consul yet")
		}
		return err
	})
	return c
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		require.True(t, time.Now().Before(deadline), "%s: %v", what, err)
		time.Sleep(50 * time.Millisecond)
	}
}

// tokenFor makes a token with one policy.
func (c cluster) tokenFor(t *testing.T, name, rules string) string {
	t.Helper()
	_, err := c.api.ACLPolicies().Upsert(&nomadapi.ACLPolicy{Name: name, Rules: rules}, nil)
	require.NoError(t, err)
	token, _, err := c.api.ACLTokens().Create(&nomadapi.ACLToken{Name: name, Type: "client", Policies: []string{name}}, nil)
	require.NoError(t, err)
	return token.SecretID
}

func (c cluster) client(t *testing.T, token string) *Client {
	t.Helper()
	client, err := New(Options{Address: c.nomad, Token: token, WaitTime: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// job is a canaried job with a service at both levels, run by this binary.
func job(t *testing.T, env map[string]string) *nomadapi.Job {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	task := nomadapi.NewTask("server", "raw_exec").SetConfig("command", self)
	task.Env = map[string]string{"DRAINGATE_TEST_TASK_PORT": "${NOMAD_PORT_http}"}
	maps.Copy(task.Env, env)
	task.ShutdownDelay = time.Second
	task.Services = []*nomadapi.Service{{Name: "recorded-admin", PortLabel: "admin", Checks: []nomadapi.ServiceCheck{
		{Type: "tcp", PortLabel: "http", Interval: time.Second, Timeout: time.Second},
	}}}
	group := nomadapi.NewTaskGroup("web", 1).AddTask(task)
	group.ShutdownDelay = new(2 * time.Second)
	group.SetMeta("draingate_drain", "3s")
	group.Networks = []*nomadapi.NetworkResource{{DynamicPorts: []nomadapi.Port{{Label: "http"}, {Label: "admin"}}}}
	group.Services = []*nomadapi.Service{{
		Name: "recorded", PortLabel: "http", Tags: []string{"traefik.enable=true"}, CanaryTags: []string{"traefik.enable=true", "canary"},
		Checks: []nomadapi.ServiceCheck{{Type: "http", Path: "/readyz", Interval: time.Second, Timeout: time.Second}},
	}}
	group.Update = &nomadapi.UpdateStrategy{Canary: new(1), MinHealthyTime: new(time.Second), HealthyDeadline: new(time.Minute)}
	out := nomadapi.NewServiceJob("recorded", "recorded", "global", 50).AddTaskGroup(group)
	out.Namespace = new("other")
	out.Datacenters = []string{"dc1"}
	out.SetMeta("draingate_mode", "enforce")
	return out
}

// submit registers the job and returns its deployment's key.
func (c cluster) submit(t *testing.T, j *nomadapi.Job) model.Key {
	t.Helper()
	before, _, err := c.api.Jobs().LatestDeployment("recorded", &nomadapi.QueryOptions{Namespace: "other"})
	require.NoError(t, err)
	_, _, err = c.api.Jobs().Register(j, &nomadapi.WriteOptions{Namespace: "other"})
	require.NoError(t, err)
	var key model.Key
	eventually(t, "a deployment", func() error {
		d, _, err := c.api.Jobs().LatestDeployment("recorded", &nomadapi.QueryOptions{Namespace: "other"})
		if err == nil && (d == nil || before != nil && d.ID == before.ID) {
			err = errors.New("none yet")
		}
		if err == nil {
			key = model.Key{Namespace: "other", Deployment: d.ID}
		}
		return err
	})
	return key
}

func until(t *testing.T, client *Client, key model.Key, what string, ok func(model.Deployment) bool) model.Deployment {
	t.Helper()
	var last *model.Deployment
	eventually(t, what, func() error {
		d, err := client.Deployment(t.Context(), key)
		if last = d; err == nil && (d == nil || !ok(*d)) {
			err = fmt.Errorf("not yet: %+v", d)
		}
		return err
	})
	return *last
}

func TestRealNomad(t *testing.T) {
	c := startCluster(t)
	client := c.client(t, c.token)
	ctx := t.Context()

	enqueued := make(chan model.Key, 100)
	primed := make(chan struct{})
	watchCtx, cancel := context.WithCancel(ctx)
	watching := make(chan error)
	go func() {
		watching <- client.WatchDeployments(watchCtx, func(k model.Key) { enqueued <- k }, func() { close(primed) })
	}()
	defer func() {
		cancel()
		require.NoError(t, <-watching)
	}()
	<-primed

	_, err := c.api.Namespaces().Register(&nomadapi.Namespace{Name: "other"}, nil)
	require.NoError(t, err)
	healthy := map[string]string{"DRAINGATE_TEST_TASK_HEALTHY": "1"}
	begin := time.Now()
	first := c.submit(t, job(t, healthy))
	require.Equal(t, first, <-enqueued)
	t.Logf("watch woke up %s after the submit, in namespace other", time.Since(begin))
	until(t, client, first, "the first deployment", model.Deployment.Terminal)

	err = client.Promote(ctx, first, []string{"web"})
	t.Logf("promote a terminal deployment: %v", err)
	require.ErrorIs(t, err, ErrTerminal)
	err = client.Promote(ctx, model.Key{Namespace: "other", Deployment: "00000000-0000-0000-0000-000000000000"}, []string{"web"})
	t.Logf("promote a deployment that is not there: %v", err)
	require.ErrorIs(t, err, ErrAbsent)

	sick := c.submit(t, job(t, map[string]string{"VERSION": "1"}))
	until(t, client, sick, "a canary", func(d model.Deployment) bool { return d.Groups[0].PlacedAllocs == 1 })
	err = client.Promote(ctx, sick, []string{"web"})
	t.Logf("promote an unhealthy canary: %v", err)
	require.ErrorIs(t, err, ErrUnhealthy)

	good := c.submit(t, job(t, map[string]string{"VERSION": "2", "DRAINGATE_TEST_TASK_HEALTHY": "1"}))
	d := until(t, client, good, "a healthy canary", func(d model.Deployment) bool { return d.Groups[0].HealthyAllocs == 1 })
	reader := c.client(t, c.tokenFor(t, "reader", `namespace "*" { capabilities = ["read-job", "list-jobs"] }`))
	err = reader.Promote(ctx, good, []string{"web"})
	t.Logf("promote without the capability: %v", err)
	require.ErrorIs(t, err, ErrForbidden)
	require.NoError(t, reader.Check(ctx))
	blind := c.client(t, c.tokenFor(t, "blind", `namespace "default" { capabilities = ["parse-job"] }`))
	t.Logf("check without read-job: %v", blind.Check(ctx))
	require.ErrorIs(t, blind.Check(ctx), ErrForbidden)
	wrong := c.client(t, "11111111-2222-3333-4444-555555555555")
	t.Logf("check with a wrong token: %v", wrong.Check(ctx))
	require.ErrorIs(t, wrong.Check(ctx), ErrForbidden)

	testAgent(t, client, reader)
	testJobs(t, reader, c.client(t, c.tokenFor(t, "lister", `namespace "other" { capabilities = ["list-jobs"] }`)),
		c.client(t, c.tokenFor(t, "unlisted", `namespace "other" { capabilities = ["read-job"] }`)))
	testAllocations(t, c, client, d)
	if os.Getenv("DRAINGATE_RECORD") != "" {
		c.record(t, client, good)
	}

	require.NoError(t, client.Promote(ctx, good, []string{"web"}))
	allocations, err := client.Allocations(ctx, "other", "recorded")
	require.NoError(t, err)
	for _, a := range allocations {
		require.False(t, a.Canary && a.DeploymentID == good.Deployment, "still a canary after the promotion: %+v", a)
	}
	until(t, client, good, "the promoted deployment", model.Deployment.Terminal)
	require.ErrorIs(t, client.Promote(ctx, good, []string{"web"}), ErrTerminal)

	_, _, err = c.api.Jobs().Deregister("recorded", false, &nomadapi.WriteOptions{Namespace: "other"})
	require.NoError(t, err)
	eventually(t, "the end of all allocations", func() error {
		all, err := client.Allocations(ctx, "other", "recorded")
		for _, a := range all {
			if !a.ClientTerminal() {
				err = errors.Join(err, errors.New(a.ShortID()+" has not ended"))
			}
		}
		return err
	})
	ended, err := client.AllocationTerminal(ctx, allocations[0].ID)
	require.NoError(t, err)
	require.True(t, ended)
}

// testJobs checks which capability each read of jobs takes.
func testJobs(t *testing.T, reader, lister, unlisted *Client) {
	t.Helper()
	ctx := t.Context()
	watched := func(client *Client) []model.JobStub {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		var out []model.JobStub
		require.NoError(t, client.WatchJobs(ctx, func(jobs []model.JobStub) { out = jobs; cancel() }))
		return out
	}
	for _, client := range []*Client{reader, lister} {
		jobs := watched(client)
		require.Len(t, jobs, 1)
		require.Equal(t, "other/recorded", jobs[0].Namespace+"/"+jobs[0].ID)
		require.False(t, jobs[0].Stopped)
	}
	_, _, err := unlisted.listJobs(ctx, 0)
	t.Logf("jobs without list-jobs: %v", err)
	require.ErrorIs(t, err, ErrForbidden)
	for _, client := range []*Client{reader, unlisted} {
		job, err := client.LatestJob(ctx, "other", "recorded")
		require.NoError(t, err)
		require.Equal(t, uint64(2), job.Version)
		_, source, err := client.SubmittedJob(ctx, "other", "recorded")
		require.NoError(t, err)
		require.Nil(t, source, "it was registered without one")
	}
	_, err = lister.LatestJob(ctx, "other", "recorded")
	t.Logf("a job without read-job: %v", err)
	require.ErrorIs(t, err, ErrForbidden)
	none, _, err := reader.SubmittedJob(ctx, "other", "recorder")
	require.NoError(t, err)
	require.Nil(t, none)
	require.Equal(t, []string{"other/recorded"}, reader.SimilarJobs(ctx, "other", "recorder"))
}

func testAgent(t *testing.T, client, reader *Client) {
	t.Helper()
	region, datacenter, err := client.Agent(t.Context())
	require.NoError(t, err)
	require.Equal(t, "global dc1", region+" "+datacenter)
	_, _, err = reader.Agent(t.Context())
	t.Logf("agent without agent:read: %v", err)
	require.ErrorContains(t, err, "agent:read")
	t.Setenv("NOMAD_DC", "dc9")
	region, datacenter, err = reader.Agent(t.Context())
	require.NoError(t, err)
	require.Equal(t, "global dc9", region+" "+datacenter)
}

func testAllocations(t *testing.T, c cluster, client *Client, d model.Deployment) {
	t.Helper()
	ctx := t.Context()
	allocations, err := client.Allocations(ctx, "other", "recorded")
	require.NoError(t, err)
	var versions []uint64
	for _, a := range allocations {
		if a.DesiredStatus == model.DesiredRun {
			versions = append(versions, a.Job.Version)
			require.Equal(t, a.Job.Version == d.JobVersion, a.Canary)
			terminal, err := client.AllocationTerminal(ctx, a.ID)
			require.NoError(t, err)
			require.False(t, terminal)
			requireServiceIDs(t, c, a.ID)
		}
	}
	require.Equal(t, []uint64{0, 2}, versions, "the old allocation keeps its own job")
	old, err := client.Job(ctx, "other", "recorded", 0)
	require.NoError(t, err)
	require.Equal(t, old, allocations[0].Job)
	none, err := client.Job(ctx, "other", "recorded", 99)
	require.NoError(t, err)
	require.Nil(t, none)
	_, err = client.AllocationTerminal(ctx, "00000000-0000-0000-0000-000000000000")
	t.Logf("an allocation that is not there: %v", err)
	require.ErrorIs(t, err, ErrAbsent)
	gone, err := client.Deployment(ctx, model.Key{Namespace: "other", Deployment: "00000000-0000-0000-0000-000000000000"})
	require.NoError(t, err)
	require.Nil(t, gone)
}

// requireServiceIDs checks that Consul's service IDs are of the form that
// package consul reads the allocation's ID from.
func requireServiceIDs(t *testing.T, c cluster, allocID string) {
	t.Helper()
	for _, name := range []string{"recorded", "recorded-admin"} {
		text := get(t, c.consul+"/v1/health/service/"+name)
		require.Contains(t, text, `"ID": "_nomad-task-`+allocID+`-`)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"?pretty", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

// record writes what Nomad answers to testdata/recorded. Run it with
//
//	DRAINGATE_RECORD=1 go test -tags e2e -run TestRealNomad ./controller/nomad
//
// and then the unit tests with UPDATE_GOLDEN=1.
func (c cluster) record(t *testing.T, client *Client, key model.Key) {
	t.Helper()
	allocations, err := client.Allocations(t.Context(), "other", "recorded")
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	paths := map[string]string{
		"deployment":  "/v1/deployment/" + key.Deployment,
		"deployments": "/v1/deployments?namespace=*",
		"job":         "/v1/job/recorded",
		"versions":    "/v1/job/recorded/versions",
		"allocations": "/v1/job/recorded/allocations?all=true",
	}
	for _, a := range allocations {
		name := map[bool]string{true: "allocation-canary", false: "allocation-old"}[a.Canary]
		if a.DesiredStatus != model.DesiredRun {
			name = "allocation-stopping"
		}
		paths[name] = "/v1/allocation/" + a.ID
	}
	require.NoError(t, os.MkdirAll(filepath.Join("testdata", "recorded"), 0o755))
	for name, path := range paths {
		body, err := c.api.Raw().Response(path, &nomadapi.QueryOptions{Namespace: "other"})
		require.NoError(t, err)
		answer, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		var text bytes.Buffer
		require.NoError(t, json.Indent(&text, bytes.ReplaceAll(answer, []byte(self), []byte("/usr/local/bin/server")), "", "  "))
		require.NoError(t, os.WriteFile(filepath.Join("testdata", "recorded", name+".json"), append(text.Bytes(), '\n'), 0o644))
	}
}
