package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/reap"
)

// Options for a stack. Zero values mean what each field says.
type Options struct {
	// Bins are the server binaries, as Binaries returns them. Required.
	Bins Bins
	// Nomad and Consul are merged over the configuration of the agents, map by
	// map; that of Nomad over both its server's and its client's.
	Nomad, Consul map[string]any
	// ACL turns the ACLs of Nomad and Consul on. The stack's own clients and
	// its Traefik instances have RootToken then, programs that it runs have none.
	ACL bool
	// MaxKillTimeout is the Nomad client's max_kill_timeout, 30 s if zero,
	// which is also Nomad's default.
	MaxKillTimeout time.Duration
	// Keep leaves the directory in place when the stack is closed.
	Keep bool
	// Dir is an empty directory for everything of the stack, removed with it; a
	// new one below os.TempDir if empty.
	Dir string
}

// Stack is a running Consul, a Nomad with one client, and Traefik instances.
// Its methods can be used from several goroutines.
type Stack struct {
	// Dir holds everything of the stack; logs/ has one file per process.
	Dir string
	// ConsulAddr and NomadAddr are host:port of the HTTP APIs.
	ConsulAddr, NomadAddr string
	// Consul and Nomad are clients of the two.
	Consul *consul.Client
	Nomad  *nomad.Client
	// The processes, for tests that break things: Consul, Nomad's server and
	// Nomad's client.
	ConsulProcess, NomadProcess, NomadClientProcess *Process
	// NodeID is the ID of the only Nomad client.
	NodeID string

	opts    Options
	helpers helpers
	ports   *portBlock
	spawn   *spawner
	guard   *guard
	names   atomic.Int64
	// nomadRPC is the address by which the Nomad client finds the server.
	nomadRPC string

	mu       sync.Mutex
	traefiks []*Traefik
	others   []*Process
	closing  sync.Once
	closeErr error
}

// Start brings up Consul and Nomad and returns when a job could be placed. On
// an error nothing is left running, and the error names the kept logs.
func Start(ctx context.Context, opts Options) (*Stack, error) {
	s, err := newStack(ctx, opts)
	if err != nil {
		return nil, err
	}
	err = s.startConsul(ctx)
	if err == nil {
		err = s.startNomad(ctx)
	}
	if err != nil {
		s.opts.Keep = true
		return nil, errors.Join(fmt.Errorf("start a stack (logs in %s): %w", s.logs(), err), s.Close())
	}
	return s, nil
}

func newStack(ctx context.Context, opts Options) (_ *Stack, err error) {
	dir := opts.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "draingate-"); err != nil {
			return nil, fmt.Errorf("make the stack's folder: %w", err)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	s := &Stack{Dir: dir, opts: opts.withACL()}
	for _, d := range []string{s.logs(), s.data(), s.temporary()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, fmt.Errorf("make the stack's folder: %w", err)
		}
	}
	if s.helpers, err = buildHelpers(ctx, dir); err != nil {
		return nil, err
	}
	if s.guard, err = startGuard(s.helpers.guard, dir); err != nil {
		return nil, err
	}
	if s.ports, err = claimPorts(); err != nil {
		return nil, errors.Join(err, s.guard.dismiss())
	}
	s.spawn = newSpawner()
	return s, nil
}

func (s *Stack) logs() string { return filepath.Join(s.Dir, "logs") }
func (s *Stack) data() string { return filepath.Join(s.Dir, reap.Data) }

// temporary is where children put temporary files, of which Nomad's plugins
// leave their sockets behind.
func (s *Stack) temporary() string { return filepath.Join(s.data(), "tmp") }

// Name returns a name that this stack has not given out before.
func (s *Stack) Name(prefix string) string { return fmt.Sprintf("%s-%d", prefix, s.names.Add(1)) }

// Port returns a free port that nothing else of the stack uses.
func (s *Stack) Port() (int, error) { return s.ports.take() }

// Run starts any program as part of the stack: it is logged to logs/name.log
// and ended with the stack. env is added to the environment, in which the
// addresses of Nomad and Consul are set.
func (s *Stack) Run(name, binary string, env []string, args ...string) (*Process, error) {
	p, err := s.launch(name, binary, append(s.addresses(), env...), args...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = append(s.others, p)
	return p, nil
}

func (s *Stack) addresses() []string {
	return []string{"NOMAD_ADDR=http://" + s.NomadAddr, "CONSUL_HTTP_ADDR=" + s.ConsulAddr}
}

func (s *Stack) launch(name, binary string, env []string, args ...string) (*Process, error) {
	env = append(ownEnvironment(), append(env, reap.Marker+"="+s.Dir, "TMPDIR="+s.temporary())...)
	return s.spawn.launch(s.logs(), name, binary, env, args)
}

// ownEnvironment is this process's, without what would point a child at other
// servers, and without a CA bundle that stops a Nomad client (it makes the
// fingerprinter for AWS fail).
func ownEnvironment() []string {
	var env []string
	for _, v := range os.Environ() {
		key, _, _ := strings.Cut(v, "=")
		switch {
		case strings.HasPrefix(key, "NOMAD_"), strings.HasPrefix(key, "CONSUL_"),
			strings.HasPrefix(key, "TRAEFIK_"), strings.HasPrefix(key, "DRAINGATE_"), key == "AWS_CA_BUNDLE":
		default:
			env = append(env, v)
		}
	}
	return env
}

// Close ends everything that the stack started, tasks included, and removes
// its directory unless Keep is set. It can be called again.
func (s *Stack) Close() error {
	s.closing.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

// KeepLogs makes Close leave the logs in place and returns their folder.
func (s *Stack) KeepLogs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Keep = true
	return s.logs()
}

func (s *Stack) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.others {
		_ = p.Stop(10 * time.Second)
	}
	var errs []error
	agents := []*Process{s.NomadClientProcess, s.NomadProcess, s.ConsulProcess}
	for _, p := range agents {
		if p != nil {
			// A test may have left it frozen.
			_ = p.cmd.Process.Signal(syscall.SIGCONT)
		}
	}
	allocs := s.stopJobs()
	for _, t := range s.traefiks {
		errs = append(errs, t.close())
	}
	for _, p := range agents {
		if p != nil {
			errs = append(errs, p.Stop(10*time.Second))
		}
	}
	s.spawn.close()
	errs = append(errs, reap.All(s.Dir, 20*time.Second, allocs...), s.guard.dismiss())
	s.ports.release()
	if !s.opts.Keep {
		errs = append(errs, os.RemoveAll(s.Dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the stack in %s: %w", s.Dir, err)
	}
	return nil
}
