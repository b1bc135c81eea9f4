package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	nomad "github.com/hashicorp/nomad/api"
)

// startNomad starts a server, and then a client in a process of its own. In
// one process the client asks to be registered before the server has made its
// first key, is refused, and tries again half a minute later (seen with v1.11.3).
func (s *Stack) startNomad(ctx context.Context) error {
	if err := s.retry(ctx, s.startNomadServer, "nomad"); err != nil {
		return err
	}
	return s.retry(ctx, s.startNomadClient, "nomad-client")
}

func (s *Stack) startNomadServer(ctx context.Context, name string) (err error) {
	var ports nomadPorts
	if err := s.ports.takeAll(&ports.http, &ports.rpc, &ports.serf); err != nil {
		return err
	}
	s.NomadAddr, s.nomadRPC = address(ports.http), address(ports.rpc)
	if s.Nomad, err = nomad.NewClient(&nomad.Config{Address: "http://" + s.NomadAddr}); err != nil {
		return fmt.Errorf("make a Nomad client: %w", err)
	}
	config := s.nomadConfig("nomad-server", ports)
	config["server"] = map[string]any{"enabled": true, "bootstrap_expect": 1, "raft_multiplier": 1}
	if s.NomadProcess, err = s.launchNomad(name, config); err != nil {
		return err
	}
	return s.serverReady(ctx)
}

func (s *Stack) startNomadClient(ctx context.Context, name string) (err error) {
	var ports nomadPorts
	if err := s.ports.takeAll(&ports.http, &ports.rpc, &ports.serf); err != nil {
		return err
	}
	config := s.nomadConfig("nomad", ports)
	config["client"] = s.nomadClientConfig()
	if s.NomadClientProcess, err = s.launchNomad(name, config); err != nil {
		return err
	}
	return s.NomadClientProcess.await(ctx, "Nomad's client can run tasks and sees Consul", s.clientReady)
}

func (s *Stack) launchNomad(name string, config map[string]any) (*Process, error) {
	file, err := s.writeConfig(name, merge(config, s.opts.Nomad))
	if err != nil {
		return nil, err
	}
	return s.launch(name, s.opts.Bins.Nomad, nil, "agent", "-config="+file)
}

func (s *Stack) serverReady(ctx context.Context) error {
	p := s.NomadProcess
	err := p.await(ctx, "Nomad has a leader", func(context.Context) error {
		leader, err := s.Nomad.Status().Leader()
		if err == nil && leader == "" {
			err = errors.New("none elected")
		}
		return err
	})
	if err != nil {
		return err
	}
	// A leader that was just elected may not be ready for the first token yet.
	err = p.await(ctx, "Nomad has its first token", s.bootstrap)
	if err != nil {
		return err
	}
	return errors.Join(
		p.await(ctx, "Nomad's API answers", func(context.Context) error {
			_, err := s.Nomad.Agent().Self()
			return err
		}),
		p.await(ctx, "Nomad has a key", func(ctx context.Context) error {
			keys, _, err := s.Nomad.Keyring().List((&nomad.QueryOptions{}).WithContext(ctx))
			if err == nil && len(keys) == 0 {
				err = errors.New("the keyring is empty")
			}
			return err
		}),
	)
}

func (s *Stack) clientReady(ctx context.Context) error {
	nodes, _, err := s.Nomad.Nodes().List((&nomad.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return err
	}
	if len(nodes) == 0 || nodes[0].Status != nomad.NodeStatusReady {
		return errors.New("the node is not ready")
	}
	s.NodeID = nodes[0].ID
	node, _, err := s.Nomad.Nodes().Info(s.NodeID, (&nomad.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return err
	}
	if d := node.Drivers["raw_exec"]; d == nil || !d.Healthy {
		return errors.New("the raw_exec driver is not healthy")
	}
	// Without this attribute no group with a Consul service can be placed.
	if node.Attributes["consul.version"] == "" {
		return errors.New("the client has not found Consul")
	}
	return nil
}

// nomadPorts are the ports of one agent.
type nomadPorts struct{ http, rpc, serf int }

// nomadConfig is what server and client have in common.
func (s *Stack) nomadConfig(data string, ports nomadPorts) map[string]any {
	return map[string]any{
		"name": "node-" + filepath.Base(s.Dir), "region": "global", "datacenter": "dc1",
		"data_dir": filepath.Join(s.data(), data), "bind_addr": loopback,
		// An address on the loopback is not advertised unless one says so.
		"advertise":            map[string]any{"http": loopback, "rpc": loopback, "serf": loopback},
		"ports":                map[string]any{"http": ports.http, "rpc": ports.rpc, "serf": ports.serf},
		"consul":               map[string]any{"address": s.ConsulAddr, "client_auto_join": false, "server_auto_join": false},
		"limits":               map[string]any{"http_max_conns_per_client": 2000},
		"disable_update_check": true,
		"log_level":            "INFO",
		"plugin":               []any{map[string]any{"raw_exec": map[string]any{"config": map[string]any{"enabled": true}}}},
	}
}

func (s *Stack) nomadClientConfig() map[string]any {
	first, last := s.ports.tasks()
	return map[string]any{
		"enabled": true, "network_interface": loopbackInterface(), "servers": []string{s.nomadRPC},
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

// stopJobs stops and purges every job, waits until no task runs any more, and
// returns the IDs of all allocations. It does what it can: tasks that Nomad
// does not end, because it is gone or because they drain for longer, are left
// to package reap.
func (s *Stack) stopJobs() []string {
	if s.Nomad == nil || s.NomadProcess == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	jobs, _, err := s.Nomad.Jobs().List((&nomad.QueryOptions{Namespace: "*"}).WithContext(ctx))
	if err != nil {
		return nil
	}
	for _, j := range jobs {
		_, _, _ = s.Nomad.Jobs().DeregisterOpts(j.ID, &nomad.DeregisterOptions{Purge: true, NoShutdownDelay: true},
			(&nomad.WriteOptions{Namespace: j.Namespace}).WithContext(ctx))
	}
	var ids []string
	_ = s.NomadProcess.await(ctx, "no task runs", func(ctx context.Context) (err error) {
		ids, err = s.noTasks(ctx)
		return err
	})
	return ids
}

// noTasks lists the IDs of all allocations and is an error while any runs.
func (s *Stack) noTasks(ctx context.Context) ([]string, error) {
	allocs, _, err := s.Nomad.Allocations().List((&nomad.QueryOptions{Namespace: "*"}).WithContext(ctx))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, a := range allocs {
		ids = append(ids, a.ID)
		if !clientTerminal(a) {
			err = fmt.Errorf("allocation %s is %s", a.ID, a.ClientStatus)
		}
	}
	return ids, err
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
