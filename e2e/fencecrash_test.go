//go:build e2e

package e2e

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// outliveBound is how long a fence may outlive its owner where a draingate runs
// on the node: Consul may take two TTLs to end the session of one that was killed,
// and then a pass sees it. The rest is for a busy machine.
const outliveBound = 2*leaderTTL + 3*time.Second

// A leader that is killed while it fences leaves the fence to the instances on the
// nodes, which lift it, and the deployment to the next leader, which holds it.
func TestFenceWhoseLeaderIsKilled(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := oneProxy(t, s)
	first := gate(t, s, through)
	_, _ = awaitLead(t, 10*time.Second, first)
	heir := gateIn(t, s, first.key(), nil, "run", "--traefik-service", through[0].Options.Service)
	d := fencing(t, s, harness.Sample{}, through, heir, "40s", nil)
	d.untilOut()
	at := time.Now()
	require.NoError(t, first.process.Signal(syscall.SIGKILL))
	took := d.watch.untilLifted(outliveBound+30*time.Second, at)
	t.Logf("the fence outlived its leader by %s; the bound is %s", took.Round(10*time.Millisecond), outliveBound)
	require.Less(t, took, outliveBound)
	first.start()
	_, late := awaitLead(t, failoverBound, first, heir)
	t.Logf("another leads %s after that", late.Round(10*time.Millisecond))
	d.aborted("does not lead any more")
	d.leavesNothing()
	d.keepsServing(heir, 3*time.Second)
}

// TestFenceThroughCrashes kills a draingate at a step of a fence, on two nodes with
// one each, and starts it again. The fence is lifted or finished, and no request is
// lost. DRAINGATE_FENCE=all runs every step, otherwise the one that takes two nodes.
func TestFenceThroughCrashes(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{HA: true})
	// Nomad's own least time of health: an instance has that long to see that a
	// pause is owed.
	three, four := harness.Sample{Count: 3, Canary: 1, MinHealthyTime: 10 * time.Second}, harness.Sample{Count: 4, Canary: 1}
	cases := map[string]struct {
		soak    bool
		job     harness.Sample
		longest string
		run     func(*crash)
	}{
		"the leader while it fences": {soak: true, longest: "40s", run: (*crash).leaderWhileItFences},
		"the instance of a node":     {longest: "8s", run: (*crash).instanceWhileItFences},
		"the leader with an armed fence, not promoted": {soak: true, longest: "2s", run: func(c *crash) {
			c.leaderArmed(harness.Fault500)
			c.aborts()
		}},
		"the leader with an armed fence, promoted": {soak: true, longest: "2s", run: func(c *crash) {
			c.leaderArmed(harness.FaultNone)
			c.gates[0].start()
			c.d.losesNothing(c.gates[1])
			c.d.leavesNothing()
			c.d.watch.proven()
		}},
		"the leader while it rolls": {soak: true, job: four, longest: "5s", run: (*crash).leaderWhileItRolls},
		"the leader with a fence that is armed to resume, not resumed": {soak: true, job: three, longest: "2s", run: func(c *crash) {
			c.leaderArmedToResume(harness.Fault500)
			c.gates[0].start()
			c.finishes()
		}},
		"the leader with a fence that is armed to resume, resumed": {soak: true, job: three, longest: "2s", run: func(c *crash) {
			c.leadsFrom("[1]")
			c.leaderArmedToResume(harness.FaultNone)
			c.pausesAlone()
			c.gates[0].start()
			c.finishes()
		}},
		"the instance of a node between two batches":     {soak: true, job: four, longest: "2s", run: (*crash).instanceBetweenBatches},
		"the instance of a node with a batch of its own": {soak: true, job: four, longest: "5s", run: (*crash).instanceWithABatch},
	}
	if everyFence() {
		t.Run("the Consul agent of a node", func(t *testing.T) {
			c := newCrash(t, s, harness.Sample{}, "30s", (*crash).agentRestartsWithoutADeploy)
			c.d.untilOut()
			c.d.fencedAgainOrAborted(c.agentRestarts(), 30*time.Second)
		})
	}
	for name, c := range cases {
		if c.soak && !everyFence() {
			continue
		}
		// One after another: two of these keep two processors so busy that a fence
		// misses its window, and the load its schedule.
		t.Run(name, func(t *testing.T) { c.run(newCrash(t, s, c.job, c.longest)) })
	}
}

// crash is a deploy on two nodes, with a proxy and a draingate on each. The first
// draingate leads.
type crash struct {
	t        *testing.T
	s        *harness.Stack
	gates    []*controller
	nomadAPI []*harness.FaultyAPI
	through  []*harness.Traefik
	d        *standing
	// bears is how many requests the same event loses without a deploy, by proxy.
	bears map[string]int
}

// newCrash begins the deploy, after what is to be done before.
func newCrash(t *testing.T, s *harness.Stack, job harness.Sample, longest string, before ...func(*crash, harness.Sample)) *crash {
	t.Helper()
	c := &crash{t: t, s: s, bears: map[string]int{}}
	key, service := s.Name("draingate/leader"), s.Name("traefik")
	for i := range s.Nodes {
		p, err := s.StartTraefik(t.Context(), harness.TraefikOptions{Service: service, Prefix: service, RefreshInterval: 2 * time.Second, Node: i})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		c.through = append(c.through, p)
	}
	for i, node := range s.Nodes {
		api := faultyAPI(t, "http://"+node.NomadAddr)
		c.nomadAPI = append(c.nomadAPI, api)
		c.gates = append(c.gates, gateIn(t, s, key, []string{"NOMAD_ADDR=" + api.URL(), "CONSUL_HTTP_ADDR=" + node.ConsulAddr}, "run", "--traefik-service", service))
		if i == 0 {
			_, _ = awaitLead(t, 10*time.Second, c.gates[0])
		}
	}
	if job.Count == 0 {
		job.Count, job.Canary = replicas, replicas
	}
	job.Spread = true
	for _, do := range before {
		do(c, job)
	}
	c.d = fencing(t, s, job, c.through, c.gates[1], longest, nil)
	c.d.bears = c.bears
	return c
}

// kill kills the draingate of a node, and returns when.
func (c *crash) kill(node int) time.Time {
	c.t.Helper()
	at := time.Now()
	require.NoError(c.t, c.gates[node].process.Signal(syscall.SIGKILL))
	<-c.gates[node].process.Done()
	return at
}

// on are the old instances of a node.
func (c *crash) on(node int) []harness.Instance {
	return slices.DeleteFunc(slices.Clone(c.d.old), func(i harness.Instance) bool { return i.NodeID != c.s.Nodes[node].ID })
}

// liftedOn waits until no old instance of a node is fenced, and returns how long
// that was after a time.
func (c *crash) liftedOn(node int, bound time.Duration, after time.Time) time.Duration {
	c.t.Helper()
	there := c.on(node)
	require.NotEmpty(c.t, there)
	took := c.d.watch.until(bound+30*time.Second, "lifted on a node", func(seen catalog) bool {
		return seen.at.After(after) && !slices.ContainsFunc(there, func(i harness.Instance) bool {
			return slices.Contains(seen.fenced(), serviceID(c.d.job, i))
		})
	}).at.Sub(after)
	c.t.Logf("lifted on node %d after %s; the bound is %s", node+1, took.Round(10*time.Millisecond), bound)
	require.Less(c.t, took, bound)
	return took
}

func (c *crash) leaderWhileItFences() {
	c.d.untilOut()
	c.liftedOn(1, outliveBound, c.kill(0))
	// The heir lifts nothing on a node that is not its own.
	require.Contains(c.t, c.d.watch.now().fenced(), serviceID(c.d.job, c.on(0)[0]))
	c.aborts()
}

// aborts starts the first draingate again, and requires that the fence is lifted
// everywhere and that the deployment is held.
func (c *crash) aborts() {
	c.t.Helper()
	at := time.Now()
	c.gates[0].start()
	c.liftedOn(0, outliveBound, at)
	c.liftedOn(1, outliveBound, at)
	_, took := awaitLead(c.t, failoverBound, c.gates...)
	c.t.Logf("another leads %s after that", took.Round(10*time.Millisecond))
	c.d.aborted("")
	c.d.leavesNothing()
	c.d.keepsServing(c.gates[1], 5*time.Second)
}

func (c *crash) instanceWhileItFences() {
	c.d.untilOut()
	c.kill(1)
	c.d.gate = c.gates[0]
	c.d.aborted("")
	c.liftedOn(0, outliveBound, time.Now())
	require.Contains(c.t, c.d.watch.now().fenced(), serviceID(c.d.job, c.on(1)[0]))
	at := time.Now()
	c.gates[1].start()
	c.liftedOn(1, outliveBound, at)
	c.d.leavesNothing()
	c.d.keepsServing(c.gates[0], 5*time.Second)
}

// leaderArmed kills the leader when its promotion is on its way, which then meets
// the fault.
func (c *crash) leaderArmed(fault harness.Fault) {
	c.t.Helper()
	c.killedAt(c.nomadAPI[0].OnPromote, c.nomadAPI[0].Promotions, fault)
}

// killedAt kills the leader when its first call of a kind is on its way, which
// then meets the fault.
func (c *crash) killedAt(hook func(func(string)), calls func() []harness.Call, fault harness.Fault) {
	c.t.Helper()
	killed := make(chan error, 1)
	hook(func(string) {
		c.nomadAPI[0].Set(fault)
		killed <- c.gates[0].process.Signal(syscall.SIGKILL)
		<-c.gates[0].process.Done()
	})
	select {
	case err := <-killed:
		require.NoError(c.t, err)
	case <-within(c.t, 3*time.Minute).Done():
		c.t.Fatal("no such call was made")
	}
	require.Eventually(c.t, func() bool {
		seen := calls()
		return len(seen) == 1 && seen[0].Fault == fault && (seen[0].Status != 0) == (fault == harness.FaultNone)
	}, 10*time.Second, 20*time.Millisecond, "what became of the call: %v", calls())
	hook(nil)
	c.nomadAPI[0].Set(harness.FaultNone)
}

// agentRestarts ends and starts the Consul agent of the first node, and returns
// when. The instances there are then critical until their checks have run again,
// the canary among them.
func (c *crash) agentRestarts() time.Time {
	c.t.Helper()
	agent := c.s.Nodes[0].ConsulAgent()
	require.NoError(c.t, agent.Kill())
	at := time.Now()
	require.NoError(c.t, agent.Start(within(c.t, time.Minute)))
	c.t.Logf("the agent answers again %s after it was killed", time.Since(at).Round(10*time.Millisecond))
	return at
}

// agentRestartsWithoutADeploy is the same, with the same load on a job that nobody
// deploys: what that loses, a deploy may lose as well.
func (c *crash) agentRestartsWithoutADeploy(job harness.Sample) {
	c.t.Helper()
	job.Name, job.Warmup, job.CheckInterval, job.CheckTimeout = c.s.Name("alone"), time.Second, time.Second, 10*time.Second
	routed(&job, c.through)
	atVersion(&job, "1")
	there := running(c.t, c.s, job, c.through)
	all := loads(c.t, job, 100, c.through)
	c.agentRestarts()
	require.NoError(c.t, harness.AwaitRouted(within(c.t, time.Minute), there, c.through...))
	settle(c.t, 10*time.Second)
	for i, r := range stop(c.t, all) {
		c.bears[c.through[i].Name] = r.Lost
	}
	c.t.Logf("lost by the same event without a deploy: %v", c.bears)
}
