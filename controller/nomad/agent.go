package nomad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	nomadapi "github.com/hashicorp/nomad/api"
)

// Agent tells the local region and datacenter: what the agent says of itself,
// else what the options say, else what Nomad put into the environment of its
// task (NOMAD_REGION, NOMAD_DC), else, for the region, the only one that Nomad
// knows. The agent is not asked for good where the token lacks agent:read,
// which workload identities do unless a policy grants it.
//
// It is an error where the agent is in another region than the one that
// requests are sent to: then the Consul beside the agent is not the one that
// the deployments' instances are in.
func (c *Client) Agent(ctx context.Context) (region, datacenter string, err error) {
	var self nomadapi.AgentSelf
	_, err = c.api.Raw().Query("/v1/agent/self", &self, query(ctx, ""))
	err = classify(err, grantAgent)
	switch {
	case errors.Is(err, ErrForbidden):
		return c.agentFromElsewhere(ctx)
	case err != nil:
		return "", "", fmt.Errorf("read agent at %s: %w", c.address, err)
	}
	region, _ = self.Config["Region"].(string)
	datacenter, _ = self.Config["Datacenter"].(string)
	if c.region != "" && region != c.region {
		return "", "", fmt.Errorf("the agent at %s is in region %q, but region %q is configured: "+
			"run draingate in the region that it gates", c.address, region, c.region)
	}
	if region == "" || datacenter == "" {
		return c.agentFromElsewhere(ctx)
	}
	return region, datacenter, nil
}

func (c *Client) agentFromElsewhere(ctx context.Context) (region, datacenter string, err error) {
	datacenter = cmp.Or(c.datacenter, os.Getenv("NOMAD_DC"))
	if datacenter == "" {
		return "", "", errors.New("the local datacenter is not known: grant the token agent:read, or set NOMAD_DC")
	}
	if c.region != "" {
		return c.region, datacenter, nil
	}
	var regions []string
	if _, err := c.api.Raw().Query("/v1/regions", &regions, query(ctx, "")); err != nil {
		return "", "", fmt.Errorf("list regions: %w", classify(err, grantAgent))
	}
	if len(regions) != 1 {
		return "", "", fmt.Errorf("the local region is not known, Nomad knows %d: "+
			"grant the token agent:read, or set NOMAD_REGION", len(regions))
	}
	return regions[0], datacenter, nil
}
