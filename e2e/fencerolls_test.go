//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// What a crash does to a deployment that goes batch by batch.

// leaderArmedToResume kills the leader when the first resume of a deployment that
// it rolls is on its way.
func (c *crash) leaderArmedToResume(fault harness.Fault) {
	c.t.Helper()
	c.killedAt(c.nomadAPI[0].OnResume, c.nomadAPI[0].Resumes, fault)
	left := records(c.t, c.s, c.gates[0].key())[c.d.id]
	require.Equal(c.t, "armed", left.Step)
	require.Equal(c.t, "resume", left.Call)
	require.Len(c.t, left.Set, 1)
	c.t.Logf("killed with %s of node %s fenced", left.Set[0].Alloc, left.Set[0].Node)
}

// leadsFrom sees to it that the first draingate, which leads, is the one on the node
// of the old instance whose name ends so, which is then without any once it dies.
func (c *crash) leadsFrom(name string) {
	c.t.Helper()
	i := slices.IndexFunc(c.d.old, func(i harness.Instance) bool { return strings.HasSuffix(i.Name, name) })
	require.GreaterOrEqual(c.t, i, 0)
	if c.d.old[i].NodeID == c.s.Nodes[0].ID {
		return
	}
	require.NoError(c.t, c.gates[0].process.Stop(10*time.Second))
	awaitLead(c.t, failoverBound, c.gates[1])
	c.gates[0].start()
	slices.Reverse(c.gates)
	slices.Reverse(c.nomadAPI)
}

// pausesAlone requires that the draingate of the other node, which does not lead
// yet, pauses a deployment whose leader died after it had resumed it.
func (c *crash) pausesAlone() {
	c.t.Helper()
	at := time.Now()
	_, err := c.s.AwaitDeployment(within(c.t, 30*time.Second), c.d.job.Name, "paused", func(n *nomad.Deployment) bool {
		return n.Status == nomad.DeploymentStatusPaused
	})
	require.NoError(c.t, err)
	c.t.Logf("paused %s after the leader was killed", time.Since(at).Round(10*time.Millisecond))
	require.False(c.t, c.gates[1].leads())
}

func (c *crash) leaderWhileItRolls() {
	c.d.untilRolling(c.gates[0].key())
	c.kill(0)
	c.gates[0].start()
	c.finishes()
}

// finishes requires that somebody leads, and that the deployment goes on to its
// end, with each batch fenced before it was stopped and no request lost.
func (c *crash) finishes() {
	c.t.Helper()
	_, took := awaitLead(c.t, failoverBound, c.gates...)
	c.t.Logf("one leads after %s", took.Round(10*time.Millisecond))
	_, err := c.s.AwaitDeployment(within(c.t, 4*time.Minute), c.d.job.Name, "success", func(n *nomad.Deployment) bool {
		return n.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(c.t, err)
	require.NoError(c.t, c.s.AwaitEnd(within(c.t, time.Minute), c.d.job.Name, c.d.old, c.d.through...))
	c.d.leavesNothing()
	c.d.lostNothing()
	c.d.watch.proven()
}

// instanceBetweenBatches kills the draingate of the second node when a batch was
// stopped and the next is not fenced, and starts it again when it is missed.
func (c *crash) instanceBetweenBatches() {
	c.d.watch.until(2*time.Minute, "between two batches", func(catalog) bool {
		r := records(c.t, c.s, c.gates[0].key())[c.d.id]
		return r.Rolling && r.Step == "fencing" && len(r.Set) == 0
	})
	c.instanceIsMissed()
}

// instanceWithABatch does so when a batch of that node is fenced.
func (c *crash) instanceWithABatch() {
	c.d.watch.until(3*time.Minute, "rolling on the second node", func(seen catalog) bool {
		r := records(c.t, c.s, c.gates[0].key())[c.d.id]
		return r.Rolling && r.Step == "fencing" && slices.ContainsFunc(c.on(1), func(i harness.Instance) bool {
			id := serviceID(c.d.job, i)
			return !seen.told[id] && slices.Contains(seen.fenced(), id)
		})
	})
	c.instanceIsMissed()
}

// instanceIsMissed kills the draingate of the second node, which has old instances
// left, and starts it again when the deployment is held because it is not there.
func (c *crash) instanceIsMissed() {
	c.t.Helper()
	at := c.kill(1)
	c.gates[0].holds(c.d.job.Name, "NoFencerOnNode", c.s.Nodes[1].Name)
	c.t.Logf("missed %s after it was killed", time.Since(at).Round(10*time.Millisecond))
	require.Equal(c.t, nomad.DeploymentStatusPaused, deploymentOf(c.t, c.s, c.d.job.Name, 1).Status)
	c.gates[1].start()
	c.finishes()
}
