//go:build e2e

package consul

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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

	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"
)

const rootToken = "7f0e6f2c-0000-4000-8000-000000000001"

// startConsul runs a real Consul with ACLs that deny by default, until the test
// ends, and returns its address and process.
func startConsul(t *testing.T, args ...string) (string, *os.Process) {
	t.Helper()
	path := os.Getenv("DRAINGATE_CONSUL")
	if path == "" {
		found, err := exec.LookPath("consul")
		require.NoError(t, err, "set DRAINGATE_CONSUL")
		path = found
	}
	var ports []int
	for range 3 {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	config := filepath.Join(t.TempDir(), "consul.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"acl":{"enabled":true,"default_policy":"deny","tokens":{"initial_management":"`+
		rootToken+`","agent":"`+rootToken+`"}}}`), 0o600))
	command := exec.Command(path, append([]string{
		"agent", "-bind=127.0.0.1", "-node=node1", "-config-file=" + config,
		fmt.Sprintf("-http-port=%d", ports[0]), fmt.Sprintf("-server-port=%d", ports[1]), fmt.Sprintf("-serf-lan-port=%d", ports[2]),
		"-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1",
	}, args...)...)
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CONSUL_") })
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String()[max(0, log.Len()-1500):])
		}
	})
	return fmt.Sprintf("127.0.0.1:%d", ports[0]), command.Process
}

func clientAt(t *testing.T, address, token string) *Client {
	t.Helper()
	client, err := New(Options{Address: address, Token: token})
	require.NoError(t, err)
	return client
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		require.True(t, time.Now().Before(deadline), "%s: %v", what, err)
		time.Sleep(50 * time.Millisecond)
	}
}

// register makes instances of the service "web" in every status.
func register(t *testing.T, api *consulapi.Client) {
	t.Helper()
	alloc := func(n int) string { return fmt.Sprintf("%08d-1111-2222-3333-444444444444", n) }
	for n, status := range []string{"passing", "warning", "critical", "passing", ""} {
		service := &consulapi.AgentServiceRegistration{
			ID:   fmt.Sprintf("_nomad-task-%s-group-web-web-http", alloc(n)),
			Name: "web", Port: 20000 + n, Tags: []string{"traefik.enable=true"}, Meta: map[string]string{"external-source": "nomad"},
		}
		if n != 1 {
			service.Address = "127.0.0.2"
		}
		if status != "" {
			service.Check = &consulapi.AgentServiceCheck{CheckID: "_nomad-check-" + alloc(n), Name: "readyz", TTL: "10m", Status: status}
		}
		require.NoError(t, api.Agent().ServiceRegister(service))
	}
	require.NoError(t, api.Agent().EnableServiceMaintenance("_nomad-task-"+alloc(3)+"-group-web-web-http", "by hand"))
	require.NoError(t, api.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{ID: "by-hand", Name: "web", Port: 80}))
	require.NoError(t, api.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{Name: "api", Port: 81}))
}

func TestRealConsul(t *testing.T) {
	address, process := startConsul(t, "-dev")
	client := clientAt(t, address, rootToken)
	ctx := t.Context()
	eventually(t, "a leader", func() error { return client.Check(ctx) })
	api := client.api
	eventually(t, "services", func() error {
		_, err := api.Agent().Self()
		return err
	})
	register(t, api)
	eventually(t, "the catalog", func() error {
		all, err := client.Service(ctx, "web")
		if err == nil && len(all) != 6 {
			err = fmt.Errorf("%d instances", len(all))
		}
		return err
	})
	policy, _, err := api.ACL().PolicyCreate(&consulapi.ACLPolicy{Name: "api-only", Rules: `service "api" { policy = "read" } node_prefix "" { policy = "read" }`}, nil)
	require.NoError(t, err)
	token, _, err := api.ACL().TokenCreate(&consulapi.ACLToken{Policies: []*consulapi.ACLLink{{ID: policy.ID}}}, nil)
	require.NoError(t, err)
	narrow, wrong := clientAt(t, address, token.SecretID), clientAt(t, address, "11111111-2222-3333-4444-555555555555")

	_, err = narrow.Service(ctx, "api")
	require.NoError(t, err)
	_, err = narrow.Service(ctx, "web")
	t.Logf("a service that the token may not see: %v", err)
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `the token needs service "web" { policy = "read" }`)
	require.NotContains(t, err.Error(), "node_prefix")
	_, err = narrow.MeasureLoad(ctx)
	t.Logf("a load with that token: %v", err)
	require.ErrorIs(t, err, ErrForbidden)
	_, err = wrong.Service(ctx, "web")
	t.Logf("a wrong token: %v", err)
	require.ErrorIs(t, err, ErrForbidden)
	load, err := client.MeasureLoad(ctx)
	require.NoError(t, err)
	t.Logf("a load: %+v", load)
	require.Equal(t, 3, load.Services)

	if os.Getenv("DRAINGATE_RECORD") != "" {
		record(t, address, token.SecretID)
	}
	require.NoError(t, process.Signal(syscall.SIGSTOP))
	eventually(t, "the process stops", func() error { return isStopped(process.Pid) })
	short, cancel := contextWithTimeout(t, 300*time.Millisecond)
	_, err = client.Service(short, "web")
	cancel()
	require.NoError(t, process.Signal(syscall.SIGCONT))
	t.Logf("a frozen Consul: %v", err)
	require.ErrorIs(t, err, ErrUnreachable)
}

// isStopped is an error until every thread of the process has stopped: the
// signal returns before that, and an answer may still come meanwhile.
func isStopped(pid int) error {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return err
	}
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !bytes.Contains(stat, []byte(") T ")) {
			return fmt.Errorf("%s: %s", name, stat)
		}
	}
	return nil
}

func TestRealConsulWithoutALeader(t *testing.T) {
	address, _ := startConsul(t, "-server", "-bootstrap-expect=3", "-data-dir="+t.TempDir())
	client := clientAt(t, address, rootToken)
	var err error
	eventually(t, "an answer", func() error {
		if err = client.Check(t.Context()); strings.Contains(err.Error(), "refused") {
			return err
		}
		return nil
	})
	t.Logf("check: %v", err)
	require.ErrorIs(t, err, ErrNoLeader)
	ctx, cancel := contextWithTimeout(t, 2*time.Second)
	defer cancel()
	_, err = client.Service(ctx, "web")
	t.Logf("service: %v", err)
	require.Error(t, err)
}

// record writes what Consul answers to testdata/recorded, with the headers that
// matter. Run it with
//
//	DRAINGATE_RECORD=1 go test -tags e2e -run TestRealConsul ./controller/consul
func record(t *testing.T, address, narrow string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join("testdata", "recorded"), 0o755))
	for name, request := range map[string][2]string{
		"web":          {"/v1/health/service/web?consistent", rootToken},
		"web-filtered": {"/v1/health/service/web?consistent", narrow},
		"services":     {"/v1/catalog/services", rootToken},
		"wrong-token":  {"/v1/health/service/web?consistent", "11111111-2222-3333-4444-555555555555"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+request[0], nil)
		require.NoError(t, err)
		r.Header.Set("X-Consul-Token", request[1])
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		out := recording{Status: response.StatusCode, Header: http.Header{}, Body: body}
		if !json.Valid(body) {
			out.Body, out.Text = nil, string(body)
		}
		for key, values := range response.Header {
			if strings.HasPrefix(key, "X-Consul-") || key == "X-Cache" {
				out.Header[key] = values
			}
		}
		text, err := json.MarshalIndent(out, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join("testdata", "recorded", name+".json"), append(text, '\n'), 0o644))
	}
}
