//go:build e2e

package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/reap"
)

// startStack starts a stack that is closed with the test.
func startStack(t *testing.T, opts Options) *Stack {
	t.Helper()
	began := time.Now()
	defer func() { t.Log("the stack was ready after", time.Since(began).Round(time.Millisecond)) }()
	var err error
	opts.Bins, err = Binaries(t.Context(), os.Stderr)
	require.NoError(t, err)
	s, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// runSample starts a proxy and the sample job, and returns when it is routed.
func runSample(t *testing.T, s *Stack, opts TraefikOptions, job Sample) (*Traefik, []Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := s.StartTraefik(ctx, opts)
	require.NoError(t, err)
	job.Tags = job.Route(p.Options.Prefix)
	require.NoError(t, s.Deployed(ctx, job))
	instances, err := s.Instances(ctx, job.Name)
	require.NoError(t, err)
	require.NoError(t, AwaitRouted(ctx, instances, p))
	return p, instances
}

// wellknown are the addresses that a stack with one proxy and one job uses.
func wellknown(s *Stack, p *Traefik, instances []Instance) []string {
	return []string{s.ConsulAddr, s.NomadAddr, p.Relay.Addr, hostPort(p.Entry), hostPort(p.direct), instances[0].Addr}
}

// left is what remains of a stack: processes, mounts, cgroups, open ports.
func left(t *testing.T, dir, allocID string, addrs []string) []string {
	t.Helper()
	var out []string
	pids, err := reap.Processes(dir)
	require.NoError(t, err)
	for _, pid := range pids {
		out = append(out, fmt.Sprintf("process %d", pid))
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	if strings.Contains(string(mounts), dir) {
		out = append(out, "mounts")
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, _ os.DirEntry, _ error) error {
		if strings.HasPrefix(filepath.Base(path), allocID) {
			out = append(out, "cgroup "+path)
		}
		return nil
	})
	if _, err := os.Stat(filepath.Join(dir, reap.Data)); err == nil {
		out = append(out, "data")
	}
	for _, a := range addrs {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", a)
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		_ = l.Close()
	}
	return out
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{})
	p, instances := runSample(t, s, TraefikOptions{RefreshInterval: time.Second}, Sample{Name: "web", Version: "1"})
	addrs := wellknown(s, p, instances)
	require.NotEmpty(t, left(t, s.Dir, instances[0].AllocID, addrs), "a stack that runs must be seen")
	require.NoError(t, s.Close())
	require.Empty(t, left(t, s.Dir, instances[0].AllocID, addrs))
	require.NoDirExists(t, s.Dir)
}

// A task that will not end by itself, under a Nomad that is dead.
func TestCloseAfterNomadWasKilled(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{})
	p, instances := runSample(t, s, TraefikOptions{RefreshInterval: time.Second}, Sample{Name: "web", Version: "1", Drain: time.Hour, KillTimeout: 30 * time.Second})
	for _, agent := range []*Process{s.NomadProcess, s.NomadClientProcess} {
		require.NoError(t, agent.Signal(syscall.SIGKILL))
		<-agent.Done()
	}
	require.NotEmpty(t, left(t, s.Dir, instances[0].AllocID, nil), "the task outlives its agent")
	logs := s.KeepLogs()
	require.NoError(t, s.Close())
	require.Empty(t, left(t, s.Dir, instances[0].AllocID, wellknown(s, p, instances)))
	require.FileExists(t, filepath.Join(logs, "nomad.log"))
	require.NoError(t, os.RemoveAll(s.Dir))
}

// owned is what the owner process prints of its stack.
type owned struct {
	Dir, AllocID string
	Addrs        []string
}

// TestOwner is the other process of TestKilledOwnerLeavesNothing.
func TestOwner(t *testing.T) {
	if os.Getenv("OWNER_OF_A_STACK") == "" {
		return
	}
	s := startStack(t, Options{})
	p, instances := runSample(t, s, TraefikOptions{RefreshInterval: time.Second}, Sample{Name: "web", Version: "1"})
	b, err := json.Marshal(owned{Dir: s.Dir, AllocID: instances[0].AllocID, Addrs: wellknown(s, p, instances)})
	require.NoError(t, err)
	fmt.Fprintf(os.Stdout, "\nowned %s\n", b)
	<-t.Context().Done()
}

func TestKilledOwnerLeavesNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]os.Signal{
		"killed without a word":     syscall.SIGKILL,
		"ended as by Ctrl-C":        os.Interrupt,
		"ended as a panic would do": syscall.SIGABRT,
	}
	for name, sig := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOwner$", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), "OWNER_OF_A_STACK=yes")
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			o := readOwned(t, bufio.NewScanner(out))
			require.NotEmpty(t, left(t, o.Dir, o.AllocID, o.Addrs))
			require.NoError(t, cmd.Process.Signal(sig))
			_ = cmd.Wait()
			require.Eventually(t, func() bool { return len(left(t, o.Dir, o.AllocID, o.Addrs)) == 0 }, 30*time.Second, 100*time.Millisecond)
			require.FileExists(t, filepath.Join(o.Dir, "logs", "nomad.log"), "the logs are kept")
			require.NoError(t, os.RemoveAll(o.Dir))
		})
	}
}

func readOwned(t *testing.T, lines *bufio.Scanner) owned {
	t.Helper()
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "owned "); ok {
			var o owned
			require.NoError(t, json.Unmarshal([]byte(text), &o))
			return o
		}
		t.Log(lines.Text())
	}
	require.FailNow(t, "the owner ended before it had a stack")
	return owned{}
}

// One stack on which everything that tests use to break things is tried.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{MaxKillTimeout: time.Minute, Nomad: map[string]any{"client": map[string]any{"meta": map[string]any{"color": "blue"}}}})
	first, instances := runSample(t, s, TraefikOptions{RefreshInterval: time.Second, Throttle: "200ms"}, Sample{Name: "web", Version: "1"})

	t.Run("options reach the agents", func(t *testing.T) {
		node, _, err := s.Nomad.Nodes().Info(s.NodeID, nil)
		require.NoError(t, err)
		require.Equal(t, "blue", node.Meta["color"])
		config, err := os.ReadFile(filepath.Join(s.logs(), "nomad-client.json"))
		require.NoError(t, err)
		require.Contains(t, string(config), `"max_kill_timeout": "1m0s"`)
	})
	t.Run("proxies are registered with both ports", func(t *testing.T) {
		entries, _, err := s.Consul.Catalog().Service("traefik", "", nil)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Equal(t, first.Relay.Addr, fmt.Sprintf("%s:%d", entries[0].ServiceAddress, entries[0].ServicePort))
		require.Equal(t, first.Entry, entries[0].ServiceMeta["entrypoint"])
	})
	t.Run("a sick instance leaves the pool and comes back", func(t *testing.T) {
		require.NoError(t, s.SetReady(t.Context(), instances[0], false))
		require.NoError(t, AwaitDropped(timeout(t), instances, first))
		require.NoError(t, s.SetReady(t.Context(), instances[0], true))
		require.NoError(t, AwaitRouted(timeout(t), instances, first))
	})
	t.Run("the relay cuts off the API, not the traffic", func(t *testing.T) {
		for _, mode := range []RelayMode{RelayRefuse, RelayHang} {
			first.Relay.Set(mode)
			require.Zero(t, get(t, first.API+"/api/version", "", ""), "mode %d", mode)
			require.Equal(t, 200, getHost(t, first.Entry, "web.test"), "mode %d", mode)
		}
		first.Relay.Set(RelayOpen)
		require.Equal(t, 200, get(t, first.API+"/api/version", "", ""))
	})
	t.Run("a restarted proxy is another one on the same address", func(t *testing.T) {
		pid := first.Process().PID()
		require.NoError(t, first.Restart(t.Context()))
		require.NotEqual(t, pid, first.Process().PID())
		require.NoError(t, AwaitRouted(timeout(t), instances, first))
		require.Equal(t, 200, get(t, first.API+"/api/version", "", ""))
	})
	t.Run("a frozen Consul does not answer, and does again", func(t *testing.T) {
		goOn := func() { require.NoError(t, s.ConsulProcess.Signal(syscall.SIGCONT)) }
		t.Cleanup(goOn) // Whatever becomes of this case, the next ones need it.
		require.NoError(t, s.ConsulProcess.Signal(syscall.SIGSTOP))
		// Its threads stop one after the other.
		require.Eventually(t, func() bool { return get(t, "http://"+s.ConsulAddr+"/v1/status/leader", "", "") == 0 }, 20*time.Second, 50*time.Millisecond)
		goOn()
		require.Eventually(t, func() bool { return get(t, "http://"+s.ConsulAddr+"/v1/status/leader", "", "") == 200 }, 20*time.Second, 50*time.Millisecond)
	})
	t.Run("arguments, a password and a base path", func(t *testing.T) {
		p, err := s.StartTraefik(t.Context(), TraefikOptions{Args: true, User: "eve", Password: "apple", BasePath: "/gate", RefreshInterval: time.Second})
		require.NoError(t, err)
		require.Equal(t, 401, get(t, p.API+"/gate/api/version", "", ""))
		require.Equal(t, 401, get(t, p.API+"/gate/api/version", "eve", "pear"))
		require.Equal(t, 200, get(t, p.API+"/gate/api/version", "eve", "apple"))
		require.NoError(t, AwaitRouted(timeout(t), instances, p))
		require.NoError(t, p.Stop())
	})
	t.Run("a password with a file, another prefix, no API", func(t *testing.T) {
		p, err := s.StartTraefik(t.Context(), TraefikOptions{User: "eve", Password: "apple", Prefix: "other", Service: "traefik-other"})
		require.NoError(t, err)
		require.Equal(t, 200, get(t, p.API+"/api/version", "eve", "apple"))
		require.Equal(t, 404, getHost(t, p.Entry, "web.test"))
		require.NoError(t, p.Stop())
		p, err = s.StartTraefik(t.Context(), TraefikOptions{DisableAPI: true, Unregistered: true, RefreshInterval: time.Second})
		require.NoError(t, err)
		require.Equal(t, 404, get(t, p.API+"/api/version", "", ""))
		require.Eventually(t, func() bool { return getHost(t, p.Entry, "web.test") == 200 }, 20*time.Second, 50*time.Millisecond)
		require.NoError(t, p.Stop())
	})
	t.Run("other programs are part of the stack", func(t *testing.T) {
		p, err := s.Run("env", "env", []string{"COLOR=red"})
		require.NoError(t, err)
		require.NoError(t, p.Err())
		log, err := os.ReadFile(p.Log)
		require.NoError(t, err)
		for _, want := range []string{"COLOR=red\n", "NOMAD_ADDR=http://" + s.NomadAddr + "\n", "CONSUL_HTTP_ADDR=" + s.ConsulAddr + "\n"} {
			require.Contains(t, string(log), want)
		}
	})
	t.Run("servers that were killed come back as they were", func(t *testing.T) {
		for _, server := range []*Server{s.ConsulServers[0], s.NomadServers[0]} {
			require.NoError(t, server.Kill())
			require.NoError(t, server.Start(timeout(t)))
		}
		require.NoError(t, s.AwaitQuorum(timeout(t)))
		require.NoError(t, AwaitRouted(timeout(t), instances, first))
	})
	t.Run("what is awaited in vain is named", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := s.AwaitDeployment(ctx, "web", "a miracle", func(*nomad.Deployment) bool { return false })
		require.ErrorContains(t, err, "web: a miracle")
		require.ErrorContains(t, err, "version 0 successful")
	})
}

// Other kinds of the sample job that cases ask for are accepted by Nomad.
func TestSampleVariants(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{})
	tests := map[string]Sample{
		"nomad's own catalog": {Provider: "nomad"},
		"no check":            {NoCheck: true},
		"passing at first":    {InitialStatus: "passing"},
		"a system job":        {Type: "system"},
		"by task states":      {HealthCheck: "task_states", NoCanary: true, Count: 2},
		"everything else": {
			Meta: map[string]string{"draingate_mode": "enforce"}, AutoRevert: true, TaskShutdownDelay: time.Second,
			CanaryTags: []string{"x"}, Sleep: time.Second, CheckPath: "/livez",
		},
	}
	for name, job := range tests {
		t.Run(name, func(t *testing.T) {
			job.Name, job.Version = s.Name("variant"), "1"
			job.Tags = job.Route("traefik", append(job.RetryTags(4, 100*time.Millisecond), job.HealthCheckTags(time.Second)...)...)
			require.NoError(t, s.Submit(t.Context(), job))
			want := map[bool]int{true: job.Count, false: 1}[job.Count > 0]
			_, err := s.AwaitAllocations(timeout(t), job.Name, "running tasks", func(all []*nomad.AllocationListStub) bool {
				running := 0
				for _, a := range all {
					if a.ClientStatus == nomad.AllocClientStatusRunning {
						running++
					}
				}
				return running == want
			})
			require.NoError(t, err)
			require.NoError(t, s.Purge(timeout(t), job.Name))
		})
	}
}

func timeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// get returns the status of an answer within a second, 0 if there is none.
func get(t *testing.T, url, user, password string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	return status(req)
}

func getHost(t *testing.T, url, host string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	req.Host = host
	return status(req)
}

func status(req *http.Request) int {
	client := http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestTwoStacksDoNotMeet(t *testing.T) {
	t.Parallel()
	a, b := startStack(t, Options{}), startStack(t, Options{})
	if diff := cmp.Diff(a.ports.base, b.ports.base); diff == "" {
		t.Error("two stacks have the same ports")
	}
	require.NoError(t, a.Close())
	require.Equal(t, 200, get(t, "http://"+b.NomadAddr+"/v1/status/leader", "", ""), "closing one must not end the other")
}
