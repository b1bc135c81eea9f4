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
	// HA makes three servers of Consul and three of Nomad, and two nodes, each
	// with a client agent of Consul and one of Nomad.
	HA bool
	// DNS has Consul's agents answer DNS: see Stack.DNSAddr.
	DNS bool
	// MaxKillTimeout is the Nomad client's max_kill_timeout, 30 s if zero,
	// which is also Nomad's default.
	MaxKillTimeout time.Duration
	// Keep leaves the directory in place when the stack is closed.
	Keep bool
	// Dir is an empty directory for everything of the stack, removed with it; a
	// new one below os.TempDir if empty.
	Dir string
}

// Stack is a running Consul, a Nomad with its clients, and Traefik instances.
// Its methods can be used from several goroutines.
type Stack struct {
	// Dir holds everything of the stack; logs/ has one file per process.
	Dir string
	// ConsulAddr and NomadAddr are host:port of the HTTP APIs: the servers', or
	// in an HA stack those of the agents of the last node.
	ConsulAddr, NomadAddr string
	// DNSAddr is the host:port of the same Consul agent's DNS, if Options.DNS.
	DNSAddr string
	// Consul and Nomad are clients of the two.
	Consul *consul.Client
	Nomad  *nomad.Client
	// The processes, for tests that break things: those that listen on
	// ConsulAddr and NomadAddr, and the Nomad client of the last node. One that
	// Server.Start started is another.
	ConsulProcess, NomadProcess, NomadClientProcess *Process
	// NodeID is the ID of the last node, in a plain stack the only one.
	NodeID string
	// Nodes are where Nomad places jobs: one, or two in an HA stack.
	Nodes []*Node
	// ConsulServers and NomadServers are one each, or three in an HA stack.
	ConsulServers, NomadServers []*Server

	opts    Options
	helpers helpers
	ports   *portBlock
	spawn   *spawner
	guard   *guard
	names   atomic.Int64
	// consulAgents are the Consul agents of the nodes.
	consulAgents []*agent

	mu       sync.Mutex
	traefiks []*Traefik
	others   []*Process
	agents   [layers][]*Process
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
	s.front()
	if err != nil {
		s.opts.Keep = true
		return nil, errors.Join(fmt.Errorf("start a stack (logs in %s): %w", s.logs(), err), s.Close())
	}
	return s, nil
}

// front fills in the fields of what tests talk to. In an HA stack the last node
// stands for the whole, since tests break the first and the servers.
func (s *Stack) front() {
	if len(s.Nodes) == 0 {
		return
	}
	last := s.Nodes[len(s.Nodes)-1]
	api := last.nomad
	if !s.opts.HA {
		api = s.NomadServers[0].agent
	}
	s.ConsulAddr, s.Consul, s.ConsulProcess = last.ConsulAddr, last.consul.consul, last.Consul
	if s.opts.DNS {
		s.DNSAddr = address(s.consulAgents[len(s.consulAgents)-1].ports.dns)
	}
	s.NomadAddr, s.Nomad, s.NomadProcess = api.addr(), api.nomad, api.running()
	s.NomadClientProcess, s.NodeID = last.Nomad, last.ID
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
