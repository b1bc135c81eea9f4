//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// record is what is stored of a fence.
type record struct {
	Deployment, Step, Call, Reason, Message string
	Rolling, Pause                          bool
	Set, Kept                               []struct{ Alloc, Node string }
	// locked is true where a leader holds it.
	locked bool
}

// records are those of an election, by deployment.
func records(t *testing.T, s *harness.Stack, key string) map[string]record {
	t.Helper()
	pairs, _, err := s.Consul.KV().List(key+"/fences/", (&consul.QueryOptions{RequireConsistent: true}).WithContext(t.Context()))
	require.NoError(t, err)
	out := map[string]record{}
	for _, p := range pairs {
		var r record
		require.NoError(t, json.Unmarshal(p.Value, &r))
		r.locked = p.Session != ""
		out[r.Deployment] = r
	}
	return out
}

// standing is a deploy whose old instances stay fenced for a while: a request
// may take half a minute, so that the promotion waits for as long.
type standing struct {
	*deploy
	watch *fenceWatch
	gate  *controller
	// id is that of the deployment.
	id string
}

// key is that of the controller's election.
func (c *controller) key() string { return c.args[slices.Index(c.args, "--leader-key")+1] }

// standingFence begins a deploy, and returns when every proxy has dropped its old
// instances, which are fenced.
func standingFence(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik, g *controller) *standing {
	t.Helper()
	d := fencing(t, s, job, through, g, "30s", nil)
	d.untilOut()
	return d
}

// untilOut waits until all old instances are fenced and no proxy routes to them.
func (d *standing) untilOut() {
	d.t.Helper()
	d.watch.untilFenced(d.old...)
	require.NoError(d.t, harness.AwaitDropped(within(d.t, 30*time.Second), d.old, d.through...))
}

// fencing begins a deploy of which a request may take as long as is said. change
// is done as begin does it.
func fencing(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik, g *controller, longest string, change func(*harness.Sample)) *standing {
	t.Helper()
	job.Name, job.Warmup, job.CheckInterval, job.CheckTimeout = s.Name("ends"), time.Second, time.Second, 10*time.Second
	job.Meta = map[string]string{"draingate_max_request": longest}
	d := &standing{deploy: begin(t, s, job, through, change), gate: g}
	d.watch = watchFence(t, s, d.job, d.old, through)
	g.traced(d.job.Name, 1)
	begun, err := s.AwaitDeployment(within(t, 30*time.Second), d.job.Name, "the deployment", func(n *nomad.Deployment) bool { return n != nil && n.JobVersion == 1 })
	require.NoError(t, err)
	d.id = begun.ID
	return d
}

// leavesNothing requires that no fence is left but of what was told to stop, and
// no record but one that has ended while its deployment goes on.
func (d *standing) leavesNothing() {
	d.t.Helper()
	d.watch.untilLifted(10*time.Second, time.Now())
	last := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		active := map[string]bool{}
		all, _, err := d.stack.Nomad.Jobs().Deployments(d.job.Name, true, nomadQuery(d.t.Context()))
		require.NoError(d.t, err)
		for _, one := range all {
			active[one.ID] = one.Status == "running" || one.Status == "paused"
		}
		last = ""
		for id, r := range records(d.t, d.stack, d.gate.key()) {
			if r.Step != "ended" || !active[id] {
				last += fmt.Sprintf("deployment %s, which goes on: %t, has a record that is %s; ", id, active[id], r.Step)
			}
		}
		if last == "" {
			return
		}
	}
	d.t.Fatal(last)
}

// aborted waits until draingate holds the deployment since its fence came to
// nothing, with a message that has the text.
func (d *standing) aborted(text string) {
	d.t.Helper()
	d.gate.holds(d.job.Name, "FenceAborted", text)
	require.False(d.t, deploymentOf(d.t, d.stack, d.job.Name, 1).TaskGroups["web"].Promoted)
}
