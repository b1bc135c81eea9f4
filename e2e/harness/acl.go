package harness

import (
	"context"
	"fmt"

	nomad "github.com/hashicorp/nomad/api"
)

// RootToken is the management token of Nomad and of Consul in a stack with
// ACLs on. It is a test's: the servers listen on loopback and end with it.
const RootToken = "5f0c2a52-0000-4000-8000-00000000d1e5"

// withACL returns the options with ACLs on in both systems: both deny whatever
// no token allows. In a plain stack Nomad gives its tasks and services workload
// identities for Consul, which somebody has to set up there ("nomad setup
// consul"); in an HA one it registers services with its own token.
func (o Options) withACL() Options {
	if !o.ACL {
		return o
	}
	toConsul := map[string]any{"token": RootToken}
	identity := map[string]any{"aud": []string{"consul.io"}, "ttl": "1h"}
	if !o.HA {
		toConsul["service_identity"], toConsul["task_identity"] = identity, identity
	}
	o.Nomad = merge(map[string]any{
		"acl":    map[string]any{"enabled": true},
		"consul": toConsul,
	}, o.Nomad)
	o.Consul = merge(map[string]any{
		"acl": map[string]any{
			"enabled": true, "default_policy": "deny",
			"tokens": map[string]any{"initial_management": RootToken, "agent": RootToken},
		},
	}, o.Consul)
	return o
}

// root is the token of the stack's own clients, empty where ACLs are off.
func (s *Stack) root() string {
	if s.opts.ACL {
		return RootToken
	}
	return ""
}

// bootstrap makes the first token of Nomad.
func (s *Stack) bootstrap(ctx context.Context, api *nomad.Client) error {
	if !s.opts.ACL {
		return nil
	}
	_, _, err := api.ACLTokens().BootstrapOpts(RootToken, (&nomad.WriteOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("bootstrap Nomad's ACLs: %w", err)
	}
	return nil
}
