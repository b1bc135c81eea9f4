//go:build e2e

package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"
)

// One highly available stack with ACLs on, of which everything is broken that
// can be, one after the other.
func TestHA(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{HA: true, ACL: true})
	require.NoError(t, s.AwaitQuorum(timeout(t)))
	require.Len(t, s.Nodes, 2)
	require.NotEqual(t, s.Nodes[0].ID, s.Nodes[1].ID)
	require.Equal(t, s.Nodes[1].ID, s.NodeID)
	proxies, instances := spreadSample(t, s)

	t.Run("each node runs an instance, which its own agent registers", func(t *testing.T) {
		seen := map[string]string{}
		entries, _, err := s.Consul.Catalog().Service("web", "", nil)
		require.NoError(t, err)
		for _, e := range entries {
			seen[e.Node] = fmt.Sprintf("%s:%d", e.ServiceAddress, e.ServicePort)
		}
		require.Len(t, seen, 2, "%v", entries)
		for _, i := range instances {
			alloc, _, err := s.Nomad.Allocations().Info(i.AllocID, nil)
			require.NoError(t, err)
			require.Equal(t, i.Addr, seen[alloc.NodeName])
		}
	})
	t.Run("each proxy is registered with its node's agent and routes", func(t *testing.T) {
		for n, p := range proxies {
			services, err := s.Nodes[n].consul.consul.Agent().Services()
			require.NoError(t, err)
			require.Contains(t, services, p.Name)
			require.Equal(t, 200, getHost(t, p.Entry, "web.test"))
		}
	})
	t.Run("a node that is not there is named", func(t *testing.T) {
		_, err := s.StartTraefik(t.Context(), TraefikOptions{Node: 2})
		require.ErrorContains(t, err, "node 2: the stack has 2")
	})
	t.Run("another Nomad server leads when the leader is killed", func(t *testing.T) {
		requireFailover(t, s, s.NomadLeader)
	})
	t.Run("another Consul server leads when the leader is killed", func(t *testing.T) {
		requireFailover(t, s, s.ConsulLeader)
	})
	t.Run("a frozen agent of Consul becomes critical, and passing again", func(t *testing.T) {
		n, began := s.Nodes[0], time.Now()
		require.NoError(t, n.Consul.Signal(syscall.SIGSTOP))
		requireSerf(t, s, n.Name, consul.HealthCritical)
		t.Log("critical after", time.Since(began).Round(time.Millisecond))
		require.Error(t, s.whole(timeout(t)))
		began = time.Now()
		require.NoError(t, n.Consul.Signal(syscall.SIGCONT))
		requireSerf(t, s, n.Name, consul.HealthPassing)
		t.Log("passing after", time.Since(began).Round(time.Millisecond))
		require.NoError(t, s.AwaitQuorum(timeout(t)))
	})
	t.Run("closing ends what is frozen and what was killed", func(t *testing.T) {
		leader, err := s.NomadLeader(t.Context())
		require.NoError(t, err)
		require.NoError(t, leader.Kill())
		require.NoError(t, s.Nodes[0].Consul.Signal(syscall.SIGSTOP))
		requireClosed(t, s, proxies[0], instances)
	})
}

// requireClosed closes the stack and looks for what is left of it.
func requireClosed(t *testing.T, s *Stack, p *Traefik, instances []Instance) {
	t.Helper()
	addrs := wellknown(s, p, instances)
	for _, server := range slices.Concat(s.ConsulServers, s.NomadServers) {
		addrs = append(addrs, server.Addr)
	}
	for _, n := range s.Nodes {
		addrs = append(addrs, n.ConsulAddr, n.NomadAddr)
	}
	began := time.Now()
	require.NoError(t, s.Close())
	t.Log("closed after", time.Since(began).Round(time.Millisecond))
	for _, i := range instances {
		require.Empty(t, left(t, s.Dir, i.AllocID, addrs))
	}
	require.NoDirExists(t, s.Dir)
}

// spreadSample starts a proxy on each node and a job that runs on both.
func spreadSample(t *testing.T, s *Stack) ([]*Traefik, []Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var proxies []*Traefik
	for n := range s.Nodes {
		p, err := s.StartTraefik(ctx, TraefikOptions{Node: n, RefreshInterval: time.Second})
		require.NoError(t, err)
		proxies = append(proxies, p)
	}
	job := Sample{Name: "web", Version: "1", Count: 2, Spread: true}
	job.Tags = job.Route("traefik")
	require.NoError(t, s.Deployed(ctx, job))
	instances, err := s.Instances(ctx, job.Name)
	require.NoError(t, err)
	require.Len(t, instances, 2)
	require.NoError(t, AwaitRouted(ctx, instances, proxies...))
	return proxies, instances
}

// requireFailover kills the leader, waits for another, and starts it again.
func requireFailover(t *testing.T, s *Stack, leader func(context.Context) (*Server, error)) {
	t.Helper()
	old, err := leader(t.Context())
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, old.Kill())
	require.NoError(t, old.Kill(), "a second time is no error")
	var next *Server
	require.Eventually(t, func() bool {
		next, err = leader(t.Context())
		return err == nil
	}, 30*time.Second, 50*time.Millisecond)
	require.NotEqual(t, old.Name, next.Name)
	t.Logf("%s leads instead of %s after %s", next.Name, old.Name, time.Since(began).Round(time.Millisecond))
	began = time.Now()
	require.NoError(t, old.Start(timeout(t)))
	require.Error(t, old.Start(t.Context()), "one that runs is not started again")
	require.NoError(t, s.AwaitQuorum(timeout(t)))
	t.Logf("%s is back after %s", old.Name, time.Since(began).Round(time.Millisecond))
}

// requireSerf waits until Consul says this of a node's agent.
func requireSerf(t *testing.T, s *Stack, node, status string) {
	t.Helper()
	var last error
	require.Eventually(t, func() bool {
		checks, _, err := s.Consul.Health().Node(node, nil)
		last = err
		for _, c := range checks {
			if c.CheckID == "serfHealth" {
				last = errors.New(c.Status)
				return c.Status == status
			}
		}
		return false
	}, 60*time.Second, 50*time.Millisecond, "%v", last)
}
