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
// or the node of an instance, so Consul is asked for its nodes alone. Without
// all of them it shows no service either, whatever the token may read of those
// (seen with v1.22.3). An empty name stands for all services.
func (c *Client) filtered(ctx context.Context, name string) error {
	_, meta, err := c.api.Catalog().Nodes(c.query(ctx))
	needs := lacks([]grant{serviceOrAll(name)})
	switch {
	case err != nil:
		return fmt.Errorf("%w: it left out what the token may not see, and to find out what: %w", ErrForbidden, classify(err, grantNodes))
	case meta.ResultsFilteredByACLs:
		needs = lacks([]grant{grantNodes}) + ", and " + string(serviceOrAll(name)) + " where it lacks that too"
	}
	return fmt.Errorf("%w: it left out what the token may not see: %s%s", ErrForbidden, needs, c.withoutToken())
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
