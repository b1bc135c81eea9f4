package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
)

// answerWithin is how long one server may take to answer: a frozen one never does.
const answerWithin = 2 * time.Second

// ConsulLeader returns the server of Consul that leads: the one that most of
// them name. While they elect one it is an error; one that is frozen is named
// until they do.
func (s *Stack) ConsulLeader(ctx context.Context) (*Server, error) {
	return leaderOf(ctx, "Consul", s.ConsulServers)
}

// NomadLeader returns the server of Nomad that leads, as ConsulLeader does.
func (s *Stack) NomadLeader(ctx context.Context) (*Server, error) {
	return leaderOf(ctx, "Nomad", s.NomadServers)
}

func leaderOf(ctx context.Context, system string, all []*Server) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	named := make([]string, len(all))
	errs := forEach(indexes(all), func(i int) (err error) {
		named[i], err = all[i].agent.leader(ctx)
		return err
	})
	for _, candidate := range all {
		votes := 0
		for _, n := range named {
			if n == candidate.agent.peer() {
				votes++
			}
		}
		if 2*votes <= len(all) {
			continue
		}
		if err := candidate.Process().ended(); err != nil {
			return nil, fmt.Errorf("ask who leads %s: most still name one that does not run: %w", system, err)
		}
		return candidate, nil
	}
	return nil, fmt.Errorf("ask who leads %s: no majority, they name %q: %w", system, named, errors.Join(errs...))
}

func indexes[T any](items []T) []int {
	var out []int
	for i := range items {
		out = append(out, i)
	}
	return out
}

// AwaitQuorum waits until both systems are whole: there is a leader that all
// servers name, all servers have a vote and are alive, every node is ready and
// every agent of Consul is alive and answers.
func (s *Stack) AwaitQuorum(ctx context.Context) error {
	return poll(ctx, "Consul and Nomad are whole", func() error { return nil }, s.whole)
}

// whole asks once, everything at the same time.
func (s *Stack) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	questions := []func(context.Context) error{s.consulWhole, s.consulAlive, s.nomadWhole}
	for _, n := range s.Nodes {
		questions = append(questions, n.ready)
	}
	return errors.Join(forEach(questions, func(ask func(context.Context) error) error { return ask(ctx) })...)
}

func (s *Stack) consulWhole(ctx context.Context) error {
	if err := knownLeaders(ctx, append(agentsOf(s.ConsulServers), s.consulAgents...)); err != nil {
		return err
	}
	raft, err := s.ConsulServers[0].agent.consul.Operator().RaftGetConfiguration((&consul.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("ask for Consul's raft configuration: %w", err)
	}
	voters := 0
	for _, r := range raft.Servers {
		if r.Voter {
			voters++
		}
	}
	return allOf("servers of Consul have a vote", voters, len(s.ConsulServers))
}

func (s *Stack) nomadWhole(ctx context.Context) error {
	if err := knownLeaders(ctx, agentsOf(s.NomadServers)); err != nil {
		return err
	}
	api, q := s.NomadServers[0].agent.nomad, (&nomad.QueryOptions{}).WithContext(ctx)
	raft, err := api.Operator().RaftGetConfiguration(q)
	if err != nil {
		return fmt.Errorf("ask for Nomad's raft configuration: %w", err)
	}
	var members nomad.ServerMembers
	if _, err := api.Raw().Query("/v1/agent/members", &members, q); err != nil {
		return fmt.Errorf("ask for Nomad's members: %w", err)
	}
	voters, alive := 0, 0
	for _, r := range raft.Servers {
		if r.Voter {
			voters++
		}
	}
	for _, m := range members.Members {
		if m.Status == "alive" {
			alive++
		}
	}
	return errors.Join(allOf("servers of Nomad have a vote", voters, len(s.NomadServers)), allOf("servers of Nomad are alive", alive, len(s.NomadServers)))
}

func allOf(what string, got, want int) error {
	if got != want {
		return fmt.Errorf("%d of %d %s", got, want, what)
	}
	return nil
}

// knownLeaders is an error unless all agents answer and name the same leader.
func knownLeaders(ctx context.Context, agents []*agent) error {
	named := make([]string, len(agents))
	errs := forEach(indexes(agents), func(i int) (err error) {
		if named[i], err = agents[i].leader(ctx); err != nil {
			return fmt.Errorf("ask %s who leads: %w", agents[i].name, err)
		}
		return nil
	})
	for i, n := range named {
		if errs[i] == nil && (n == "" || n != named[0]) {
			errs[i] = fmt.Errorf("%s names %q as leader, %s names %q", agents[0].name, named[0], agents[i].name, n)
		}
	}
	return errors.Join(errs...)
}

func agentsOf(all []*Server) []*agent {
	var out []*agent
	for _, s := range all {
		out = append(out, s.agent)
	}
	return out
}

// awaitAgents asks until the answer is yes, or one of the processes has ended.
func awaitAgents(ctx context.Context, agents []*agent, what string, ask func(context.Context) error) error {
	gone := func() error {
		for _, a := range agents {
			if err := a.running().ended(); err != nil {
				return err
			}
		}
		return nil
	}
	return poll(ctx, what, gone, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		return ask(ctx)
	})
}
