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
	"time"

	consul "github.com/hashicorp/consul/api"
)

// readyWithin is how long a server may take to become ready; about three
// seconds are normal, and machines that build at the same time are slow.
const readyWithin = 60 * time.Second

// startTries is how often a server is started on other ports when its process
// ends before it is ready, because someone took one of them.
const startTries = 3

func (s *Stack) startConsul(ctx context.Context) error {
	return s.retry(ctx, func(ctx context.Context, name string) error {
		var http, server, serf int
		if err := s.ports.takeAll(&http, &server, &serf); err != nil {
			return err
		}
		file, err := s.writeConfig(name, merge(s.consulConfig(http, server, serf), s.opts.Consul))
		if err != nil {
			return err
		}
		s.ConsulAddr = address(http)
		if s.Consul, err = consul.NewClient(&consul.Config{Address: s.ConsulAddr, Scheme: "http", Token: s.root()}); err != nil {
			return fmt.Errorf("make a Consul client: %w", err)
		}
		p, err := s.launch(name, s.opts.Bins.Consul, nil, "agent", "-config-file="+file)
		if err != nil {
			return err
		}
		s.ConsulProcess = p
		return s.consulReady(ctx)
	}, "consul")
}

func (s *Stack) consulReady(ctx context.Context) error {
	p := s.ConsulProcess
	return errors.Join(
		p.await(ctx, "Consul's API answers", func(ctx context.Context) error {
			_, err := s.Consul.Agent().Self()
			return err
		}),
		p.await(ctx, "Consul has a leader", func(ctx context.Context) error {
			leader, err := s.Consul.Status().LeaderWithQueryOptions((&consul.QueryOptions{}).WithContext(ctx))
			if err == nil && leader == "" {
				err = errors.New("none elected")
			}
			return err
		}),
		p.await(ctx, "Consul's node is in the catalog", func(ctx context.Context) error {
			nodes, _, err := s.Consul.Catalog().Nodes((&consul.QueryOptions{}).WithContext(ctx))
			if err == nil && len(nodes) == 0 {
				err = errors.New("the catalog is empty")
			}
			return err
		}),
	)
}

func (s *Stack) consulConfig(http, server, serf int) map[string]any {
	return map[string]any{
		"node_name": "node-" + filepath.Base(s.Dir), "datacenter": "dc1",
		"server": true, "bootstrap_expect": 1, "data_dir": filepath.Join(s.data(), "consul"),
		"bind_addr": loopback, "client_addr": loopback, "advertise_addr": loopback,
		"ports": map[string]any{
			"http": http, "server": server, "serf_lan": serf,
			"serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1,
		},
		"performance": map[string]any{"raft_multiplier": 1},
		"connect":     map[string]any{"enabled": false},
		// Everything comes from one address here.
		"limits":                  map[string]any{"http_max_conns_per_client": 2000},
		"disable_update_check":    true,
		"leave_on_terminate":      false,
		"skip_leave_on_interrupt": true,
		"log_level":               "INFO",
	}
}

// retry runs a start until the server is ready, on other ports after each
// time that its process ended early.
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
