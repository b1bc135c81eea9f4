package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"

	nomad "github.com/hashicorp/nomad/api"
)

// Sizes of an HA stack.
const (
	haServers = 3
	haNodes   = 2
)

// servers is how many servers of Consul there are, and of Nomad.
func (o Options) servers() int {
	if o.HA {
		return haServers
	}
	return 1
}

func (o Options) nodes() int {
	if o.HA {
		return haNodes
	}
	return 1
}

// members is how many agents of Consul there are.
func (o Options) members() int {
	if o.HA {
		return haServers + haNodes
	}
	return 1
}

// pick returns what a plain stack has, or what an HA one has.
func (o Options) pick(plain, ha string) string {
	if o.HA {
		return ha
	}
	return plain
}

// Node is a node on which Nomad places jobs, with the Consul agent next to it.
type Node struct {
	// ID is Nomad's; Name is the node's in Nomad and in Consul.
	ID, Name string
	// ConsulAddr is the host:port of the HTTP API of the node's Consul agent;
	// in a plain stack it is the server's.
	ConsulAddr string
	// NomadAddr is the host:port of the HTTP API of the node's Nomad client,
	// which passes on to a server what it does not know itself.
	NomadAddr string
	// Consul and Nomad are the processes of the two. In a plain stack, Consul
	// is the first one of its server.
	Consul, Nomad *Process

	consul, nomad *agent
}

// ConsulAgent is the node's Consul agent, to be killed and started again.
func (n *Node) ConsulAgent() *Server { return servers([]*agent{n.consul})[0] }

// startNodes starts a Nomad client for each node, all at the same time.
func (s *Stack) startNodes(ctx context.Context) error {
	return s.retry(ctx, func(ctx context.Context, try string) (err error) {
		defer func() { err = s.abandon(nomadClientLayer, err) }()
		// The folder's name is short because paths of sockets in it are limited.
		clients, err := s.newAgents(nomadClientLayer, s.opts.nodes(), "nomad-client", s.opts.pick("nomad", "n"), try)
		if err != nil {
			return err
		}
		s.Nodes = nil
		for i, a := range clients {
			config := s.nomadConfig(s.nodeName(i), a, s.consulAgents[i].addr())
			config["client"] = s.nomadClientConfig(i)
			if err := a.configure(merge(config, s.opts.Nomad), "-config="); err != nil {
				return err
			}
			if err := a.launch(); err != nil {
				return err
			}
			c := s.consulAgents[i]
			s.Nodes = append(s.Nodes, &Node{
				Name: s.nodeName(i), ConsulAddr: c.addr(), NomadAddr: a.addr(),
				Consul: c.running(), Nomad: a.running(), consul: c, nomad: a,
			})
		}
		return awaitAgents(ctx, clients, "every node can run tasks and sees Consul", func(ctx context.Context) error {
			return errors.Join(forEach(s.Nodes, func(n *Node) error { return n.ready(ctx) })...)
		})
	}, "")
}

// ready is an error unless jobs with a Consul service can be placed.
func (n *Node) ready(ctx context.Context) error {
	q := (&nomad.QueryOptions{}).WithContext(ctx)
	if n.ID == "" {
		var self nomad.AgentSelf
		if _, err := n.nomad.nomad.Raw().Query("/v1/agent/self", &self, q); err != nil {
			return fmt.Errorf("ask node %s who it is: %w", n.Name, err)
		}
		n.ID = self.Stats["client"]["node_id"]
	}
	node, _, err := n.nomad.nomad.Nodes().Info(n.ID, q)
	if err != nil {
		return fmt.Errorf("read node %s: %w", n.Name, err)
	}
	if node.Status != nomad.NodeStatusReady {
		return fmt.Errorf("node %s is %s", n.Name, node.Status)
	}
	if d := node.Drivers["raw_exec"]; d == nil || !d.Healthy {
		return fmt.Errorf("the raw_exec driver of node %s is not healthy", n.Name)
	}
	// Without this attribute no group with a Consul service can be placed.
	if node.Attributes["consul.version"] == "" {
		return fmt.Errorf("node %s has not found Consul", n.Name)
	}
	return nil
}

// forEach returns what f returns for each item, asked at the same time.
func forEach[T any](items []T, f func(T) error) []error {
	errs := make([]error, len(items))
	var asked sync.WaitGroup
	for i, item := range items {
		asked.Go(func() { errs[i] = f(item) })
	}
	asked.Wait()
	return errs
}
