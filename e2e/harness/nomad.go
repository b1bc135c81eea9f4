package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	nomad "github.com/hashicorp/nomad/api"
)

func (s *Stack) startNomad(ctx context.Context) error {
	return s.retry(ctx, func(ctx context.Context, name string) error {
		var http, rpc, serf int
		if err := s.ports.takeAll(&http, &rpc, &serf); err != nil {
			return err
		}
		file, err := s.writeConfig(name, merge(s.nomadConfig(http, rpc, serf), s.opts.Nomad))
		if err != nil {
			return err
		}
		s.NomadAddr = address(http)
		if s.Nomad, err = nomad.NewClient(&nomad.Config{Address: "http://" + s.NomadAddr}); err != nil {
			return fmt.Errorf("make a Nomad client: %w", err)
		}
		p, err := s.launch(name, s.opts.Bins.Nomad, nil, "agent", "-config="+file)
		if err != nil {
			return err
		}
		s.NomadProcess = p
		return s.nomadReady(ctx)
	}, "nomad")
}

func (s *Stack) nomadReady(ctx context.Context) error {
	p := s.NomadProcess
	return errors.Join(
		p.await(ctx, "Nomad's API answers", func(context.Context) error {
			_, err := s.Nomad.Agent().Self()
			return err
		}),
		p.await(ctx, "Nomad has a leader", func(context.Context) error {
			leader, err := s.Nomad.Status().Leader()
			if err == nil && leader == "" {
				err = errors.New("none elected")
			}
			return err
		}),
		p.await(ctx, "Nomad's client can run tasks and sees Consul", s.clientReady),
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

func (s *Stack) nomadConfig(http, rpc, serf int) map[string]any {
	first, last := s.ports.tasks()
	kill := s.opts.MaxKillTimeout
	if kill == 0 {
		kill = 30 * time.Second
	}
	return map[string]any{
		"name": "node-" + filepath.Base(s.Dir), "region": "global", "datacenter": "dc1",
		"data_dir": filepath.Join(s.data(), "nomad"), "bind_addr": loopback,
		// An address on the loopback is not advertised unless one says so.
		"advertise": map[string]any{"http": loopback, "rpc": loopback, "serf": loopback},
		"ports":     map[string]any{"http": http, "rpc": rpc, "serf": serf},
		"server":    map[string]any{"enabled": true, "bootstrap_expect": 1, "raft_multiplier": 1},
		"client": map[string]any{
			"enabled": true, "network_interface": loopbackInterface(),
			"min_dynamic_port": first, "max_dynamic_port": last,
			"max_kill_timeout": kill.String(),
			// Room for many small tasks, whatever the machine has.
			"cpu_total_compute": 100000, "memory_total_mb": 65536,
			"options": map[string]any{
				"driver.allowlist": "raw_exec",
				// Clouds are not asked, so that the start does not wait for them.
				"fingerprint.denylist": "env_aws,env_gce,env_azure,env_digitalocean,bridge,cni",
			},
		},
		"plugin":               []any{map[string]any{"raw_exec": map[string]any{"config": map[string]any{"enabled": true}}}},
		"consul":               map[string]any{"address": s.ConsulAddr, "client_auto_join": false, "server_auto_join": false},
		"limits":               map[string]any{"http_max_conns_per_client": 2000},
		"disable_update_check": true,
		"log_level":            "INFO",
	}
}

// stopJobs stops and purges every job and waits until no task runs any more.
// It does what it can: tasks that Nomad does not end, because it is gone or
// because they drain for longer, are left to package reap.
func (s *Stack) stopJobs() {
	if s.Nomad == nil || s.NomadProcess == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	jobs, _, err := s.Nomad.Jobs().List((&nomad.QueryOptions{Namespace: "*"}).WithContext(ctx))
	if err != nil {
		return
	}
	for _, j := range jobs {
		_, _, _ = s.Nomad.Jobs().DeregisterOpts(j.ID, &nomad.DeregisterOptions{Purge: true, NoShutdownDelay: true},
			(&nomad.WriteOptions{Namespace: j.Namespace}).WithContext(ctx))
	}
	_ = s.NomadProcess.await(ctx, "no task runs", s.noTasks)
}

func (s *Stack) noTasks(ctx context.Context) error {
	allocs, _, err := s.Nomad.Allocations().List((&nomad.QueryOptions{Namespace: "*"}).WithContext(ctx))
	if err != nil {
		return err
	}
	for _, a := range allocs {
		if !clientTerminal(a) {
			return fmt.Errorf("allocation %s is %s", a.ID, a.ClientStatus)
		}
	}
	return nil
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
