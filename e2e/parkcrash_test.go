//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

const (
	// parkRate is how many requests a second go through each of two proxies, and
	// parkedAtLeast how many wait on a node when something breaks there; beside other
	// cases it is a quarter of both.
	parkRate, parkedAtLeast = 100, 500
	// parkNoticed is how long proxies may need to see that a placeholder's listener is
	// gone: its check, every second with a timeout of one, or the failure of its node,
	// and a refresh of the proxies; the rest is for a busy machine.
	parkNoticed = 10 * time.Second
)

// TestParkThroughCrashes breaks what parks on one of two nodes while requests
// wait there. Those may fail, and what comes until the proxies have noticed; nothing
// else, and nothing is left behind. ACLs are on, and draingate has the policies that
// the pack documents.
func TestParkThroughCrashes(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{HA: true, ACL: true})
	tokens := tokensOf(t, s)
	cases := map[string]struct {
		// leads is the node whose draingate leads.
		leads int
		run   func(*parkCrash)
		soak  bool
	}{
		"nobody, and the node of the instance is drained": {run: (*parkCrash).nodeIsDrained, soak: true},
		"nobody, and a person pauses and resumes":         {run: (*parkCrash).personPauses},
		"the instance of a node":                          {run: (*parkCrash).instanceIsKilled},
		"the leader":                                      {run: (*parkCrash).leaderIsKilled, soak: true},
		// The stack looks at the catalog by the agent of the other node.
		"the Consul agent of a node": {leads: 1, run: (*parkCrash).agentIsFrozen, soak: true},
	}
	for name, row := range cases {
		if !row.soak || everyPark() {
			t.Run(name, func(t *testing.T) { row.run(newParkCrash(t, s, tokens, row.leads)) })
		}
	}
}

// parkCrash is a parked deploy on two nodes, each with a draingate.
type parkCrash struct {
	*parkedJob
	gates []*controller
	// rate is how many requests a second go through all proxies.
	rate int
}

func newParkCrash(t *testing.T, s *harness.Stack, tokens tokens, leads int) *parkCrash {
	t.Helper()
	c := &parkCrash{parkedJob: &parkedJob{t: t, s: s, key: s.Name("draingate/leader")}}
	service := s.Name("traefik")
	for i := range s.Nodes {
		p, err := s.StartTraefik(t.Context(), harness.TraefikOptions{Service: service, Prefix: service, RefreshInterval: 2 * time.Second, Node: i})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		c.through = append(c.through, p)
	}
	c.gates = make([]*controller, len(s.Nodes))
	for i := range s.Nodes {
		n := (i + leads) % len(s.Nodes)
		node := s.Nodes[n]
		c.gates[n] = gateIn(t, s, c.key, []string{
			"NOMAD_ADDR=http://" + node.NomadAddr, "CONSUL_HTTP_ADDR=" + node.ConsulAddr, "NOMAD_TOKEN=" + tokens.nomad, "CONSUL_HTTP_TOKEN=" + tokens.consul,
		}, "run", "--traefik-service", service)
		if i == 0 {
			_, _ = awaitLead(t, 10*time.Second, c.gates[n])
		}
	}
	return c
}

// waits runs a job and deploys its next version, and returns when enough requests
// wait on each node.
func (c *parkCrash) waits() {
	c.t.Helper()
	row, enough := fastPark(), parkedAtLeast/4
	if row.load.Rate = parkRate / 4; everyPark() {
		row.load.Rate, enough = parkRate, parkedAtLeast
	}
	c.rate = 2 * row.load.Rate
	row.start(c.parkedJob, func(job *harness.Sample) { job.Warmup = 15 * time.Second })
	c.deploy(nil)
	c.watch.until(time.Minute, "enough requests wait on each node", func(seen parkSeen) bool {
		return seen.on[c.s.Nodes[0].Name] >= enough && seen.on[c.s.Nodes[1].Name] >= enough
	})
}

// nodeIsDrained has Nomad move the only instance to the other node.
func (c *parkCrash) nodeIsDrained() {
	fastPark().start(c.parkedJob, nil)
	c.g = c.gates[0]
	drained(c.t, c.s, c.old[0].NodeID)
	c.watch.until(2*time.Minute, "another instance passes", func(seen parkSeen) bool {
		for id, passes := range seen.passing {
			if passes && !strings.Contains(id, c.old[0].AllocID) {
				return true
			}
		}
		return false
	})
	c.over(2 * time.Minute)
	instances, err := c.s.Instances(within(c.t, time.Minute), c.job.Name)
	require.NoError(c.t, err)
	// Both are of one version, so their order says nothing.
	i := slices.IndexFunc(instances, func(i harness.Instance) bool { return i.NodeID != c.old[0].NodeID })
	require.GreaterOrEqual(c.t, i, 0, "no instance is on another node: %v", instances)
	c.gap = c.watch.firstPassing(instances[i].AllocID).Sub(c.finished(c.old[0].AllocID))
	c.lostNothing()
	c.leavesNothing()
}

func (c *parkCrash) instanceIsKilled() {
	c.waits()
	at, waiting := c.kill(1)
	c.succeedsOn(0)
	c.gates[1].start()
	c.over(time.Minute)
	c.lostOnly(at, waiting)
}

func (c *parkCrash) leaderIsKilled() {
	c.waits()
	at, waiting := c.kill(0)
	_, took := awaitLead(c.t, failoverBound, c.gates[1])
	c.t.Logf("another leads after %s", took.Round(10*time.Millisecond))
	c.succeedsOn(1)
	c.gates[0].start()
	c.over(time.Minute)
	c.lostOnly(at, waiting)
}

func (c *parkCrash) agentIsFrozen() {
	c.waits()
	at, waiting := time.Now(), c.watch.now().on[c.s.Nodes[0].Name]
	agent := c.s.Nodes[0].Consul
	require.NoError(c.t, agent.Signal(syscall.SIGSTOP))
	thawed := false
	c.t.Cleanup(func() {
		if !thawed {
			_ = agent.Signal(syscall.SIGCONT)
		}
	})
	c.watch.until(time.Minute, "the placeholder of the node is out of the pool", func(seen parkSeen) bool { return len(seen.alive) == 1 })
	require.NoError(c.t, agent.Signal(syscall.SIGCONT))
	thawed = true
	c.succeedsOn(1)
	c.over(time.Minute)
	c.lostOnly(at, waiting)
}

// kill kills the draingate of a node, and returns when, and how many requests
// waited there.
func (c *parkCrash) kill(node int) (time.Time, int) {
	c.t.Helper()
	waiting := c.watch.now().on[c.s.Nodes[node].Name]
	at := time.Now()
	require.NoError(c.t, c.gates[node].process.Signal(syscall.SIGKILL))
	<-c.gates[node].process.Done()
	return at, waiting
}

// succeedsOn waits for the new instance as the draingate of a node sees it.
func (c *parkCrash) succeedsOn(node int) {
	c.t.Helper()
	c.g = c.gates[node]
	c.awaitSuccess()
}

// lostOnly ends the loads. At most what waited on the node when it broke was lost,
// and its share of what came until the proxies had noticed.
func (c *parkCrash) lostOnly(at time.Time, waiting int) {
	c.t.Helper()
	c.stop()
	lost := 0
	for i, r := range c.reports {
		lost += r.Lost
		from := int(at.Add(parkNoticed).Sub(r.Began) / time.Second)
		for second := from; second < len(r.Seconds); second++ {
			require.Zero(c.t, r.Seconds[second].Lost, "lost through proxy %d in second %d, %s after it broke", i+1, second, r.Began.Add(time.Duration(second)*time.Second).Sub(at))
		}
	}
	most := waiting + c.rate + int(parkNoticed/time.Second)*c.rate/2
	c.t.Logf("lost %d requests; %d waited on the node when it broke", lost, waiting)
	require.LessOrEqual(c.t, lost, most)
	journalOf(c.t, c.job)
	c.leavesNothing()
}
