package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
)

// readyWithin is how long a server may take to become ready; about three
// seconds are normal, and machines that build at the same time are slow.
const readyWithin = 60 * time.Second

// startTries is how often a server is started on other ports when its process
// ends before it is ready, because someone took one of them.
const startTries = 3

// startConsul starts the servers and, in an HA stack, a client agent for each
// node. In a plain one the server is the node's agent as well.
func (s *Stack) startConsul(ctx context.Context) error {
	return s.retry(ctx, func(ctx context.Context, try string) (err error) {
		defer func() { err = s.abandon(consulLayer, err) }()
		members, err := s.newAgents(consulLayer, s.opts.servers(), s.opts.pick("consul", "consul-server"), "consul", try)
		if err != nil {
			return err
		}
		s.ConsulServers, s.consulAgents = servers(members), members
		if s.opts.HA {
			if s.consulAgents, err = s.newAgents(consulLayer, haNodes, "consul-client", "consul-client", try); err != nil {
				return err
			}
			members = slices.Concat(members, s.consulAgents)
		}
		for i, a := range members {
			if err := a.configure(merge(s.consulConfig(i, a), s.opts.Consul), "-config-file="); err != nil {
				return err
			}
		}
		if err := launchAll(members); err != nil {
			return err
		}
		return awaitAgents(ctx, members, "Consul has a leader and all agents", func(ctx context.Context) error {
			return errors.Join(knownLeaders(ctx, members), s.consulAlive(ctx))
		})
	}, "")
}

// consulConfig is that of the i-th agent of Consul, servers first.
func (s *Stack) consulConfig(i int, a *agent) map[string]any {
	ports := map[string]any{"http": a.ports.http, "serf_lan": a.ports.serf, "serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1}
	if s.opts.DNS {
		ports["dns"] = a.ports.dns
	}
	config := map[string]any{
		"node_name": s.consulName(i), "datacenter": "dc1",
		"server": i < s.opts.servers(), "data_dir": a.folder,
		"bind_addr": loopback, "client_addr": loopback, "advertise_addr": loopback,
		"ports":       ports,
		"performance": map[string]any{"raft_multiplier": 1},
		"connect":     map[string]any{"enabled": false},
		// Everything comes from one address here.
		"limits":                  map[string]any{"http_max_conns_per_client": 2000, "rpc_max_conns_per_client": 2000},
		"disable_update_check":    true,
		"leave_on_terminate":      false,
		"skip_leave_on_interrupt": true,
		"log_level":               "INFO",
		// The default, half a minute, is for a server that is not there yet.
		"retry_join": serfs(s.ConsulServers), "retry_interval": "1s",
	}
	if i < s.opts.servers() {
		ports["server"] = a.ports.rpc
		config["bootstrap_expect"] = s.opts.servers()
		// A server that was killed keeps its vote until it is back.
		config["autopilot"] = map[string]any{"cleanup_dead_servers": false}
	}
	return config
}

// consulName is the node name of the i-th agent of Consul: a client agent has
// that of its node.
func (s *Stack) consulName(i int) string {
	switch {
	case !s.opts.HA:
		return s.nodeName(0)
	case i < haServers:
		return fmt.Sprintf("server-%s-%d", filepath.Base(s.Dir), i+1)
	default:
		return s.nodeName(i - haServers)
	}
}

// nodeName is the name of a node, in Nomad and in Consul.
func (s *Stack) nodeName(i int) string {
	name := "node-" + filepath.Base(s.Dir)
	if s.opts.HA {
		name += fmt.Sprint("-", i+1)
	}
	return name
}

// serfs are the gossip addresses of servers, none of one that is alone.
func serfs(all []*Server) []string {
	out := []string{}
	if len(all) == 1 {
		return out
	}
	for _, s := range all {
		out = append(out, address(s.agent.ports.serf))
	}
	return out
}

// consulAlive is an error unless every agent's node is in the catalog and its
// serf health, which the leader keeps, is passing.
func (s *Stack) consulAlive(ctx context.Context) error {
	checks, _, err := s.consulAgents[len(s.consulAgents)-1].consul.Health().State(consul.HealthAny, (&consul.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("ask for Consul's checks: %w", err)
	}
	alive := 0
	var bad []string
	for _, c := range checks {
		switch {
		case c.CheckID != "serfHealth":
		case c.Status == consul.HealthPassing:
			alive++
		default:
			bad = append(bad, c.Node+" is "+c.Status)
		}
	}
	if want := s.opts.members(); alive != want {
		return fmt.Errorf("%d of %d agents of Consul are alive: %s", alive, want, strings.Join(bad, ", "))
	}
	return nil
}

// retry runs a start until the server is ready, on other ports after each
// time that its process ended early. The start is given the name, with the
// number of the try from the second on.
func (s *Stack) retry(ctx context.Context, start func(context.Context, string) error, name string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var err error
	for i := range startTries {
		attempt := name
		if i > 0 {
			attempt = fmt.Sprintf("%s-try%d", name, i+1)
		}
		if err = start(ctx, attempt); !errors.Is(err, errEnded) {
			return err
		}
	}
	return err
}

// writeConfig writes a configuration where a person looks for it: by the logs.
func (s *Stack) writeConfig(name string, config map[string]any) (string, error) {
	b, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write the configuration of %s: %w", name, err)
	}
	file := filepath.Join(s.logs(), name+".json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return "", fmt.Errorf("write the configuration of %s: %w", name, err)
	}
	return file, nil
}

// merge returns base with the values of over, which win; maps are merged.
func merge(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for _, k := range slices.Sorted(maps.Keys(over)) {
		below, isMap := out[k].(map[string]any)
		above, both := over[k].(map[string]any)
		if isMap && both {
			out[k] = merge(below, above)
		} else {
			out[k] = over[k]
		}
	}
	return out
}
