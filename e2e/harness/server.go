package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
)

// Server is one server of Consul or of Nomad, or the Consul agent of a node, which
// a test can kill and start again. Its methods can be used from several goroutines.
type Server struct {
	// Name is the name of its log file and, with ".json", of its configuration.
	Name string
	// Addr is the host:port of its HTTP API.
	Addr string

	agent *agent
}

// Process is the running process; after Start it is another one.
func (s *Server) Process() *Process { return s.agent.running() }

// Kill ends the process without a word, frozen or not, and returns when it is
// gone. One that had ended before is no error.
func (s *Server) Kill() error {
	p := s.Process()
	if p.ended() != nil {
		return nil //nolint:nilerr // that is no error
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.Done()
	return nil
}

// Start starts the server again with the configuration, data and ports that it
// had, and returns when it answers, which it can do before there is a leader.
func (s *Server) Start(ctx context.Context) error {
	if s.Process().ended() == nil {
		return fmt.Errorf("start %s: it still runs, kill it first", s.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := s.agent.launch(); err != nil {
		return err
	}
	return s.Process().await(ctx, s.Name+" answers", func(ctx context.Context) error {
		_, err := s.agent.leader(ctx)
		return err
	})
}

// layer is what agents are stopped together in, the last one first.
type layer int

const (
	consulLayer layer = iota
	nomadServerLayer
	nomadClientLayer
	layers
)

// agent is a process of Consul or of Nomad, server or client, with all that is
// needed to start it. One of the two API clients is set.
type agent struct {
	// name is that of the log file, folder that of the data.
	name, folder string
	layer        layer
	ports        agentPorts
	consul       *consul.Client
	nomad        *nomad.Client

	stack *Stack
	args  []string

	mu      sync.Mutex
	process *Process
}

// agentPorts are the ports of one agent. A client of Consul leaves rpc unused,
// and Nomad has no DNS.
type agentPorts struct{ http, rpc, serf, dns int }

func (a *agent) addr() string { return address(a.ports.http) }

// peer is the address by which the servers' raft names a server.
func (a *agent) peer() string { return address(a.ports.rpc) }

func (a *agent) running() *Process {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.process
}

// launch starts the process; the stack ends it when it is closed.
func (a *agent) launch() error {
	binary := a.stack.opts.Bins.Nomad
	if a.consul != nil {
		binary = a.stack.opts.Bins.Consul
	}
	p, err := a.stack.launch(a.name, binary, nil, a.args...)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.process = p
	a.mu.Unlock()
	a.stack.mu.Lock()
	defer a.stack.mu.Unlock()
	a.stack.agents[a.layer] = append(a.stack.agents[a.layer], p)
	return nil
}

// leader is the raft address of the leader that this agent knows, empty where
// it knows of none. A server answers by itself, it asks no other.
func (a *agent) leader(ctx context.Context) (string, error) {
	if a.consul != nil {
		return a.consul.Status().LeaderWithQueryOptions((&consul.QueryOptions{}).WithContext(ctx))
	}
	var leader string
	_, err := a.nomad.Raw().Query("/v1/status/leader", &leader, (&nomad.QueryOptions{AllowStale: true}).WithContext(ctx))
	return leader, err
}

// newAgents chooses ports for n agents and makes their API clients. Numbers
// are added to the names where there are several.
func (s *Stack) newAgents(l layer, n int, name, folder, try string) ([]*agent, error) {
	var out []*agent
	for i := range n {
		number := ""
		if s.opts.HA {
			number = fmt.Sprint("-", i+1)
		}
		a := &agent{name: name + number + try, folder: filepath.Join(s.data(), folder+number+try), layer: l, stack: s}
		if err := s.ports.takeAll(&a.ports.http, &a.ports.rpc, &a.ports.serf, &a.ports.dns); err != nil {
			return nil, err
		}
		var err error
		if l == consulLayer {
			a.consul, err = consul.NewClient(&consul.Config{Address: a.addr(), Scheme: "http", Token: s.root()})
		} else {
			a.nomad, err = nomad.NewClient(&nomad.Config{Address: "http://" + a.addr(), SecretID: s.root()})
		}
		if err != nil {
			return nil, fmt.Errorf("make an API client of %s: %w", a.name, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// configure writes an agent's configuration.
func (a *agent) configure(config map[string]any, flag string) error {
	file, err := a.stack.writeConfig(a.name, config)
	a.args = []string{"agent", flag + file}
	return err
}

// servers are the exported form of agents.
func servers(agents []*agent) []*Server {
	var out []*Server
	for _, a := range agents {
		out = append(out, &Server{Name: a.name, Addr: a.addr(), agent: a})
	}
	return out
}

// launchAll starts agents together.
func launchAll(agents []*agent) error {
	var errs []error
	for _, a := range agents {
		errs = append(errs, a.launch())
	}
	return errors.Join(errs...)
}
