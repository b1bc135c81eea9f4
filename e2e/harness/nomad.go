package harness

import (
	"context"
	"errors"
	"time"

	nomad "github.com/hashicorp/nomad/api"
)

// startNomad starts the servers, and then the clients in processes of their
// own. In one process the client asks to be registered before the server has
// made its first key, is refused, and tries again half a minute later (seen
// with v1.11.3).
func (s *Stack) startNomad(ctx context.Context) error {
	if err := s.retry(ctx, s.startNomadServers, ""); err != nil {
		return err
	}
	return s.startNodes(ctx)
}

func (s *Stack) startNomadServers(ctx context.Context, try string) (err error) {
	defer func() { err = s.abandon(nomadServerLayer, err) }()
	all, err := s.newAgents(nomadServerLayer, s.opts.servers(), s.opts.pick("nomad", "nomad-server"), "nomad-server", try)
	if err != nil {
		return err
	}
	s.NomadServers = servers(all)
	for i, a := range all {
		config := s.nomadConfig(s.consulName(i), a, s.ConsulServers[i].Addr)
		config["server"] = map[string]any{
			"enabled": true, "bootstrap_expect": len(all), "raft_multiplier": 1,
			// The default, half a minute, is for a server that is not there yet.
			"server_join": map[string]any{"retry_join": serfs(s.NomadServers), "retry_interval": "1s"},
		}
		// A server that was killed keeps its vote until it is back.
		config["autopilot"] = map[string]any{"cleanup_dead_servers": false}
		if err := a.configure(merge(config, s.opts.Nomad), "-config="); err != nil {
			return err
		}
	}
	if err := launchAll(all); err != nil {
		return err
	}
	return s.serversReady(ctx, all)
}

func (s *Stack) serversReady(ctx context.Context, all []*agent) error {
	err := awaitAgents(ctx, all, "Nomad has a leader", func(ctx context.Context) error { return knownLeaders(ctx, all) })
	if err != nil {
		return err
	}
	api := all[0].nomad
	// A leader that was just elected may not be ready for the first token yet.
	err = awaitAgents(ctx, all, "Nomad has its first token", func(ctx context.Context) error { return s.bootstrap(ctx, api) })
	if err != nil {
		return err
	}
	return awaitAgents(ctx, all, "Nomad has a key", func(ctx context.Context) error {
		keys, _, err := api.Keyring().List((&nomad.QueryOptions{}).WithContext(ctx))
		if err == nil && len(keys) == 0 {
			err = errors.New("the keyring is empty")
		}
		return err
	})
}

// nomadConfig is what servers and clients have in common.
func (s *Stack) nomadConfig(name string, a *agent, consulAddr string) map[string]any {
	return map[string]any{
		"name": name, "region": "global", "datacenter": "dc1",
		"data_dir": a.folder, "bind_addr": loopback,
		// An address on the loopback is not advertised unless one says so.
		"advertise": map[string]any{"http": loopback, "rpc": loopback, "serf": loopback},
		"ports":     map[string]any{"http": a.ports.http, "rpc": a.ports.rpc, "serf": a.ports.serf},
		"consul":    map[string]any{"address": consulAddr, "client_auto_join": false, "server_auto_join": false},
		// Everything comes from one address here.
		"limits":               map[string]any{"http_max_conns_per_client": 2000, "rpc_max_conns_per_client": 2000},
		"disable_update_check": true,
		"log_level":            "INFO",
		"plugin":               []any{map[string]any{"raw_exec": map[string]any{"config": map[string]any{"enabled": true}}}},
	}
}

// nomadClientConfig is the client's part for the i-th node.
func (s *Stack) nomadClientConfig(i int) map[string]any {
	first, last := s.ports.tasks(i, s.opts.nodes())
	var rpc []string
	for _, a := range agentsOf(s.NomadServers) {
		rpc = append(rpc, a.peer())
	}
	return map[string]any{
		"enabled": true, "network_interface": loopbackInterface(), "servers": rpc,
		"min_dynamic_port": first, "max_dynamic_port": last,
		"max_kill_timeout": or(s.opts.MaxKillTimeout, 30*time.Second).String(),
		// Room for many small tasks, whatever the machine has.
		"cpu_total_compute": 100000, "memory_total_mb": 65536,
		"options": map[string]any{
			"driver.allowlist": "raw_exec",
			// Clouds are not asked, so that the start does not wait for them.
			"fingerprint.denylist": "env_aws,env_gce,env_azure,env_digitalocean,bridge,cni",
		},
	}
}

// clientTerminal reports whether an allocation's processes have ended.
func clientTerminal(a *nomad.AllocationListStub) bool {
	switch a.ClientStatus {
	case nomad.AllocClientStatusComplete, nomad.AllocClientStatusFailed, nomad.AllocClientStatusLost:
		return true
	default:
		return false
	}
}
