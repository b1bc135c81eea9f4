package consul

import (
	"context"
	"fmt"
	"strings"

	consulapi "github.com/hashicorp/consul/api"
)

// grant is a rule that a token needs, as it is written in a policy.
type grant string

// The rules for reading all services and all nodes.
const (
	grantServices grant = `service_prefix "" { policy = "read" }`
	grantNodes    grant = `node_prefix "" { policy = "read" }`
)

// grantService is the rule for reading one service.
func grantService(name string) grant {
	return grant(fmt.Sprintf("service %q { policy = \"read\" }", name))
}

// lacks says which rules are missing.
func lacks(needs []grant) string {
	var rules []string
	for _, g := range needs {
		rules = append(rules, string(g))
	}
	return "the token needs " + strings.Join(rules, " and ")
}

// filtered says what the token lacks, after an answer from which Consul left
// out what it may not see. The answer does not tell whether that was a service
// or the node of an instance, so Consul is asked for both on their own: a list
// of services needs service:read alone, and one of nodes node:read alone
// (agent/structs/acl filtering, v1.22.3). An empty name stands for all services.
func (c *Client) filtered(ctx context.Context, name string) error {
	var missing []grant
	services, meta, err := c.api.Catalog().Services(c.query(ctx))
	if err != nil {
		return fmt.Errorf("%w: it left out what the token may not see, and to find out what: %w", ErrForbidden, classify(err, grantServices))
	}
	if _, seen := services[name]; meta.ResultsFilteredByACLs && !seen {
		missing = append(missing, serviceOrAll(name))
	}
	_, meta, err = c.api.Catalog().Nodes(c.query(ctx))
	if err != nil {
		return fmt.Errorf("%w: it left out what the token may not see, and to find out what: %w", ErrForbidden, classify(err, grantNodes))
	}
	if meta.ResultsFilteredByACLs {
		missing = append(missing, grantNodes)
	}
	if len(missing) == 0 {
		// The token was changed in between, or is for other instances.
		missing = []grant{serviceOrAll(name), grantNodes}
	}
	return fmt.Errorf("%w: it left out what the token may not see: %s%s", ErrForbidden, lacks(missing), c.withoutToken())
}

func serviceOrAll(name string) grant {
	if name == "" {
		return grantServices
	}
	return grantService(name)
}

// withoutToken tells the likeliest reason of all.
func (c *Client) withoutToken() string {
	if c.anonymous {
		return "; none was given, see " + consulapi.HTTPTokenEnvName
	}
	return ""
}
