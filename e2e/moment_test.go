//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// moment is one in the life of a deployment.
type moment struct {
	name string
	// await returns when it has come; nil where it is the promotion itself.
	await func(c *cell)
	// before is true where the promotion is still to come.
	before bool
}

func moments() []moment {
	return []moment{
		{"canary placed", (*cell).untilPlaced, true},
		{"passing, unrouted", (*cell).untilPassing, true},
		{"window running", (*cell).untilWindow, true},
		{"decided, not promoted", nil, true},
		{"promoted, old serving", (*cell).untilPromoted, false},
		{"old stopped", (*cell).untilStopped, false},
	}
}

// cellLimit is how long a cell waits for one thing: Consul may take half a
// minute to give the lead to another, and a catalog that was away counts as
// recovering for 20 s more.
const cellLimit = 2 * time.Minute

func (c *cell) awaitGroup(what string, cond func(*nomad.Deployment, *nomad.DeploymentState) bool) {
	c.t.Helper()
	_, err := c.s.AwaitDeployment(within(c.t, cellLimit), c.job.Name, what, func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == 1 && d.TaskGroups["web"] != nil && cond(d, d.TaskGroups["web"])
	})
	require.NoError(c.t, err)
}

// untilPlaced waits until draingate knows the deployment as well.
func (c *cell) untilPlaced() {
	c.t.Helper()
	c.awaitGroup("placed canaries", func(_ *nomad.Deployment, g *nomad.DeploymentState) bool {
		return len(g.PlacedCanaries) == replicas
	})
	c.leader.eventually(cellLimit, "known to draingate", func() (bool, string) {
		d, ok := c.leader.of(c.job.Name, 1)
		return ok, d.String()
	})
}

// untilPassing waits for the catalog, which is ahead of the proxies.
func (c *cell) untilPassing() {
	c.t.Helper()
	ctx := within(c.t, cellLimit)
	for len(c.passing(ctx)) < 2*replicas {
		require.NoError(c.t, ctx.Err(), "the canaries are not passing")
		time.Sleep(20 * time.Millisecond)
	}
}

// untilWindow waits until every proxy routes to every canary, which is when the
// window begins.
func (c *cell) untilWindow() {
	c.t.Helper()
	c.untilPassing()
	ctx := within(c.t, cellLimit)
	all, err := c.s.Instances(ctx, c.job.Name)
	require.NoError(c.t, err)
	require.NoError(c.t, harness.AwaitRouted(ctx, all, c.proxies...))
}

func (c *cell) untilPromoted() {
	c.t.Helper()
	c.awaitGroup("promotion", func(_ *nomad.Deployment, g *nomad.DeploymentState) bool { return g.Promoted })
}

func (c *cell) untilStopped() {
	c.t.Helper()
	c.untilPromoted()
	require.NoError(c.t, c.s.AwaitEnded(within(c.t, cellLimit), c.job.Name, c.old))
}

// passing are the addresses of the job's instances that Consul calls passing.
func (c *cell) passing(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	entries, _, err := c.s.Consul.Health().Service(c.job.Name, "", true, (&consul.QueryOptions{RequireConsistent: true}).WithContext(ctx))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s:%d", e.Service.Address, e.Service.Port))
	}
	return out
}
