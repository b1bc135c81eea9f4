//go:build e2e

package e2e

import (
	"slices"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// A node is drained while a deployment waits for its promotion. Draining itself
// loses nothing here: Nomad moves one instance at a time, each serves for longer
// than its proxy needs, and another one goes on serving meanwhile. So whatever is
// lost would be lost by the promotion.
//
// The cases share two nodes and so come one after the other; DRAINGATE_FAULTS=all
// runs those too that say nothing which another one does not.
func TestDrainedWhileItWaits(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{HA: true})
	cases := map[string]struct {
		count int
		// drains picks the node by where the canary and the old instances are.
		drains func(canary harness.Instance, old []harness.Instance) string
		// moved is how many old instances are on that node.
		moved  int
		reason string
		says   []string
		whole  bool
	}{
		"the node of the canary": {
			whole: true, count: 1, reason: "CanaryNotHealthy", says: []string{"is pending and its health is unset"},
			drains: func(canary harness.Instance, _ []harness.Instance) string { return canary.NodeID },
		},
		"the node of an old instance": {
			count: 2, moved: 1, reason: "SetNotPredictable", says: []string{"old allocation", "has not started yet"},
			drains: func(canary harness.Instance, old []harness.Instance) string { return elsewhere(old, canary.NodeID) },
		},
		"the node of the canary and of an old instance": {
			whole: true, count: 2, moved: 1, reason: "CanaryNotHealthy", says: []string{"is pending and its health is unset"},
			drains: func(canary harness.Instance, _ []harness.Instance) string { return canary.NodeID },
		},
	}
	for name, c := range cases {
		if c.whole && !whole() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			through := oneProxy(t, s)
			g := gate(t, s, through)
			job := quick(s, "drained")
			job.Count, job.Spread = c.count, true
			d := begin(t, s, job, through, nil)
			g.traced(job.Name, 1)
			g.almost(job.Name, 1)
			canary := canaryOf(t, s, job.Name)
			node := c.drains(canary, d.old)
			leaving := slices.DeleteFunc(slices.Clone(d.old), func(i harness.Instance) bool { return i.NodeID != node })
			require.Len(t, leaving, c.moved, "old instances on the node")
			drained(t, s, node)
			g.holds(job.Name, c.reason, c.says...)
			g.staysHeld(job.Name, 3*time.Second)
			awaitPromoted(t, s, job.Name, 1)
			d.old = d.formerly(t)
			d.losesNothing(g)
		})
	}
	if whole() {
		t.Run("the node of the canary, and Nomad takes its time to move it", func(t *testing.T) { heldUntilMoved(t, s) })
		t.Run("the same, promoted by hand, is an outage", func(t *testing.T) { lostByHand(t, s) })
	}
}

func heldUntilMoved(t *testing.T, s *harness.Stack) {
	t.Helper()
	through := oneProxy(t, s)
	g := gate(t, s, through)
	d, canary, scheduling := aboutToMove(t, s, g, through)
	g.holds(d.job.Name, "SetNotPredictable", "move canary "+canary.AllocID[:8], "stopped together")
	g.staysHeld(d.job.Name, 8*time.Second)
	scheduling(true)
	d.losesNothing(g)
}

// lostByHand shows what is held for: Nomad alone accepts the promotion.
func lostByHand(t *testing.T, s *harness.Stack) {
	t.Helper()
	through := oneProxy(t, s)
	g := gate(t, s, through, "--dry-run")
	d, _, scheduling := aboutToMove(t, s, g, through)
	g.holds(d.job.Name, "SetNotPredictable")
	_, _, err := s.Nomad.Deployments().PromoteAll(g.nomadDeployment(d.job.Name).ID, write(t))
	require.NoError(t, err)
	scheduling(true)
	require.NoError(t, s.AwaitEnd(within(t, time.Minute), d.job.Name, d.old, through...))
	for _, r := range stop(t, d.loads) {
		require.NotZero(t, r.Lost)
	}
}

// aboutToMove drains the node of a healthy canary while Nomad's schedulers rest,
// so that Nomad means to move the canary and has not done so. The function that
// it returns lets them work again, which the end of the case does as well.
func aboutToMove(t *testing.T, s *harness.Stack, g *controller, through []*harness.Traefik) (*deploy, harness.Instance, func(work bool)) {
	t.Helper()
	job := quick(s, "moving")
	job.Spread = true
	d := begin(t, s, job, through, nil)
	g.traced(job.Name, 1)
	g.almost(job.Name, 1)
	canary := canaryOf(t, s, job.Name)
	require.NotEqual(t, d.old[0].NodeID, canary.NodeID)
	scheduling := func(work bool) {
		config, _, err := s.Nomad.Operator().SchedulerGetConfiguration(nil)
		require.NoError(t, err)
		config.SchedulerConfig.PauseEvalBroker = !work
		_, _, err = s.Nomad.Operator().SchedulerSetConfiguration(config.SchedulerConfig, nil)
		require.NoError(t, err)
	}
	scheduling(false)
	t.Cleanup(func() { scheduling(true) })
	drained(t, s, canary.NodeID)
	return d, canary, scheduling
}

// elsewhere is the node of an instance that is not on this one.
func elsewhere(of []harness.Instance, node string) string {
	for _, i := range of {
		if i.NodeID != node {
			return i.NodeID
		}
	}
	return ""
}

// formerly are all instances of the first version, those included that took the
// place of one that was moved.
func (d *deploy) formerly(t *testing.T) []harness.Instance {
	t.Helper()
	all, err := d.stack.Instances(t.Context(), d.job.Name)
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(i harness.Instance) bool { return i.Version != 0 })
}

// drained drains a node, and makes it eligible again at the end of the case.
func drained(t *testing.T, s *harness.Stack, node string) {
	t.Helper()
	t.Logf("%s drains node %s", time.Now().UTC().Format("15:04:05.000"), node[:8])
	drain := func(spec *nomad.DrainSpec) {
		_, err := s.Nomad.Nodes().UpdateDrainOpts(node, &nomad.DrainOptions{DrainSpec: spec, MarkEligible: spec == nil}, nil)
		require.NoError(t, err)
	}
	drain(&nomad.DrainSpec{Deadline: 5 * time.Minute})
	t.Cleanup(func() { drain(nil) })
}
