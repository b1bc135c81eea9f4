package traefik_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// update records the goldens anew from the binaries that DRAINGATE_TRAEFIK
// and DRAINGATE_CONSUL name, before the tests that replay them run. The tests
// of the client read them too: go test -p 1 ./traefik/... -update.
var update = flag.Bool("update", false, "record the goldens from a real Traefik and Consul")

// TestRecordedGoldensExist records the goldens where asked to, and otherwise
// proves that none of them is missing, so that no replay can pass on nothing.
func TestRecordedGoldensExist(t *testing.T) {
	if *update {
		record(t)
	}
	for name := range dumpCases {
		require.FileExists(t, filepath.Join("testdata", "dump", name+".json"))
	}
	for name := range tagCases {
		require.FileExists(t, filepath.Join("testdata", "tags", name+".json"))
	}
	for _, name := range []string{"version.json", "rawdata.json", "routers.json", "services.json", "conflict.json", "support-dump.tar.gz"} {
		require.FileExists(t, filepath.Join("testdata", "api", name))
	}
}

func record(t *testing.T) {
	for _, dir := range []string{"dump", "tags", "api"} {
		require.NoError(t, os.MkdirAll(filepath.Join("testdata", dir), 0o755))
	}
	consul := startConsul(t)
	for name, c := range dumpCases {
		recordDump(t, consul, name, c)
	}
	registered := 0
	for name, set := range tagCases {
		for _, c := range set.cases {
			for _, r := range c.instances {
				consul.register(t, r.id, r.service, r.port, r.tags)
				registered++
			}
		}
		recordTags(t, consul, name, set)
		for _, c := range set.cases {
			for _, r := range c.instances {
				consul.deregister(t, r.id)
			}
		}
	}
	recordConflict(t, consul)
	t.Logf("recorded %d dumps and %d instances", len(dumpCases), registered)
}

func recordDump(t *testing.T, consul *consulAgent, name string, c dumpCase) {
	api := freeAddress(t)
	args := c.args
	if c.file != "" {
		content, err := os.ReadFile(filepath.Join("testdata", "dump", c.file))
		require.NoError(t, err)
		text := strings.NewReplacer("${API}", api, "${CONSUL}", consul.addr).Replace(string(content))
		file := filepath.Join(t.TempDir(), c.file)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		args = []string{"--configFile=" + file}
	} else {
		args = append(args, "--entrypoints.traefik.address="+api, "--api.insecure=true")
	}
	stop := startTraefik(t, api, args...)
	defer stop()
	archive := fetch(t, "http://"+api+"/api/support-dump")
	save(t, filepath.Join("dump", name+".json"), indent(t, member(t, archive, "static-config.json")))
	if name == "args-default" {
		save(t, "api/support-dump.tar.gz", archive)
	}
}

func recordTags(t *testing.T, consul *consulAgent, name string, set tagSet) {
	api := freeAddress(t)
	args := append([]string{
		"--entrypoints.traefik.address=" + api, "--entrypoints.web.address=" + freeAddress(t), "--api.insecure=true",
		"--entrypoints.stream.address=" + freeAddress(t),
		"--providers.consulcatalog.endpoint.address=" + consul.addr,
		"--providers.consulcatalog.refreshinterval=200ms", "--providers.providersthrottleduration=0s",
	}, set.args...)
	stop := startTraefik(t, api, args...)
	defer stop()
	prefix := set.settings.Prefix
	consul.register(t, "sentinel", "sentinel", 30999, []string{prefix + ".enable=true", "prod"})
	defer consul.deregister(t, "sentinel")
	raw := routing(t, api, func(raw []byte) bool { return bytes.Contains(raw, []byte(`"sentinel@consulcatalog"`)) })
	save(t, filepath.Join("tags", name+".json"), indent(t, raw))
	if name != "default" {
		return
	}
	save(t, "api/rawdata.json", raw)
	save(t, "api/version.json", fetch(t, "http://"+api+"/api/version"))
	save(t, "api/routers.json", indent(t, fetch(t, "http://"+api+"/api/http/routers?per_page=1000")))
	save(t, "api/services.json", indent(t, fetch(t, "http://"+api+"/api/http/services?per_page=1000")))
}

// recordConflict records what is left of a router and its service when two
// instances define the service differently.
func recordConflict(t *testing.T, consul *consulAgent) {
	api := freeAddress(t)
	stop := startTraefik(t, api,
		"--entrypoints.traefik.address="+api, "--entrypoints.web.address="+freeAddress(t), "--api.insecure=true",
		"--providers.consulcatalog.endpoint.address="+consul.addr,
		"--providers.consulcatalog.refreshinterval=200ms", "--providers.providersthrottleduration=0s")
	defer stop()
	tags := func(path string) []string {
		return []string{"traefik.http.routers.split.rule=Host(`split`)", "traefik.http.services.split.loadbalancer.healthcheck.path=" + path}
	}
	consul.register(t, "old", "split", 32001, tags("/old"))
	routing(t, api, func(raw []byte) bool { return bytes.Contains(raw, []byte(":32001")) })
	consul.register(t, "new", "split", 32002, tags("/new"))
	raw := routing(t, api, func(raw []byte) bool { return !bytes.Contains(raw, []byte(":32001")) })
	consul.deregister(t, "old")
	consul.deregister(t, "new")
	save(t, "api/conflict.json", raw)
}

// consulAgent is a development agent that ends with the test.
type consulAgent struct{ addr string }

func startConsul(t *testing.T) *consulAgent {
	addr := freeAddress(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	args := []string{
		"agent", "-dev", "-bind=127.0.0.1", "-client=127.0.0.1", "-http-port=" + port,
		"-grpc-port=-1", "-grpc-tls-port=-1", "-dns-port=-1",
	}
	for _, flag := range []string{"-server-port=", "-serf-lan-port=", "-serf-wan-port="} {
		_, p, err := net.SplitHostPort(freeAddress(t))
		require.NoError(t, err)
		args = append(args, flag+p)
	}
	t.Cleanup(start(t, binary(t, "DRAINGATE_CONSUL"), args...))
	eventually(t, func() error {
		leader, err := tryFetch(t.Context(), "http://"+addr+"/v1/status/leader")
		if err == nil && len(leader) < 5 {
			return fmt.Errorf("no leader: %s", leader)
		}
		return err
	})
	return &consulAgent{addr: addr}
}

func (c *consulAgent) register(t *testing.T, id, name string, port int, tags []string) {
	body, err := json.Marshal(map[string]any{"ID": id, "Name": name, "Address": "127.0.0.1", "Port": port, "Tags": tags})
	require.NoError(t, err)
	c.put(t, "/v1/agent/service/register", body)
}

func (c *consulAgent) deregister(t *testing.T, id string) {
	c.put(t, "/v1/agent/service/deregister/"+id, nil)
}

func (c *consulAgent) put(t *testing.T, path string, body []byte) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+c.addr+path, bytes.NewReader(body))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", answer)
}

func startTraefik(t *testing.T, api string, args ...string) (stop func()) {
	stop = start(t, binary(t, "DRAINGATE_TRAEFIK"), args...)
	eventually(t, func() error {
		_, err := tryFetch(t.Context(), "http://"+api+"/api/version")
		return err
	})
	return stop
}

// start runs a child process; stop ends it and waits for it.
func start(t *testing.T, path string, args ...string) (stop func()) {
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = t.TempDir()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	return func() {
		if t.Failed() {
			t.Logf("%s: %s", filepath.Base(path), out.String())
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func binary(t *testing.T, variable string) string {
	path := os.Getenv(variable)
	require.NotEmpty(t, path, "set %s to the binary to record from", variable)
	return path
}

func routing(t *testing.T, api string, done func([]byte) bool) []byte {
	var raw []byte
	eventually(t, func() error {
		var err error
		if raw, err = tryFetch(t.Context(), "http://"+api+"/api/rawdata"); err == nil && !done(raw) {
			err = fmt.Errorf("not there yet: %s", raw)
		}
		return err
	})
	return raw
}

func eventually(t *testing.T, try func() error) {
	t.Helper()
	var err error
	require.Eventually(t, func() bool { err = try(); return err == nil }, 30*time.Second, 50*time.Millisecond)
	require.NoError(t, err)
}

func fetch(t *testing.T, url string) []byte {
	body, err := tryFetch(t.Context(), url)
	require.NoError(t, err)
	return body
}

func tryFetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return body, err
}

func freeAddress(t *testing.T) string {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func save(t *testing.T, name string, content []byte) {
	require.NoError(t, os.WriteFile(filepath.Join("testdata", name), content, 0o644))
}

func indent(t *testing.T, content []byte) []byte {
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, content, "", "  "))
	out.WriteByte('\n')
	return out.Bytes()
}
