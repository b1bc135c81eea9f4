package fence

import (
	"flag"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
)

// states bounds each exploration, so that all of them take seconds. With
// -states=10000000 those that end do so.
var states = flag.Int("states", 6_000, "how many states of the model to explore in each scenario")

// walks is how many ways through the model are tried at random in each scenario.
var walks = flag.Int("walks", 60, "how many random walks to take through each scenario of the model")

// reached counts what happened in an exploration, so that one in which nothing
// ever happens is noticed.
type reached struct {
	states, successful, aborted, forgotten int
	exhausted                              bool
}

type visit struct {
	s      *state
	parent int
	by     event
}

// explore goes through all states of a scenario, breadth first, up to a limit.
// It fails with the shortest way to a state that must not be.
func explore(t *testing.T, sc *scenario, limit int) reached {
	t.Helper()
	seed := maphash.MakeSeed()
	sum := func(s *state) [2]uint64 {
		k := s.key()
		return [2]uint64{maphash.String(seed, k), maphash.String(seed, k+"'")}
	}
	first := newState(sc)
	seen := map[[2]uint64]bool{sum(first): true}
	queue := []visit{{s: first, parent: -1}}
	var out reached
	for at := 0; at < len(queue); at++ {
		if at >= limit {
			out.states = at
			return out
		}
		now := queue[at].s
		queue[at].s = nil
		out.count(now)
		for _, e := range now.events() {
			next := now.clone()
			e.do(next)
			if next.violation != "" {
				t.Fatalf("%s%s", next.violation, trace(append(way(queue, at), e.String())))
			}
			if k := sum(next); !seen[k] {
				seen[k] = true
				queue = append(queue, visit{next, at, e})
			}
		}
	}
	out.states, out.exhausted = len(queue), true
	return out
}

func way(queue []visit, at int) []string {
	var out []string
	for ; at >= 0; at = queue[at].parent {
		out = append(out, queue[at].by.String())
	}
	slices.Reverse(out)
	return out
}

func (r *reached) count(s *state) {
	if s.status == model.DeploymentSuccessful && s.byUs {
		r.successful++
	}
	if s.rec != nil && s.rec.Reason == ReasonFenceAborted {
		r.aborted++
	}
	if s.didFence && s.rec == nil {
		r.forgotten++
	}
}

// What may befall processes, and what people and the world may do.
var (
	process = []string{"crash", "freeze", "destroy", "lost call", "slow call", "node crash", "node blind", "stale node"}
	blips   = []string{"canary critical", "registered anew"}
	outside = []string{"person pauses", "person promotes", "newer version", "person fails", "person freezes", "canary critical", "maintenance", "maintenance ends", "registered anew"}
)

// scenarios are jobs with what may befall their deployments.
func scenarios() map[string]scenario {
	one := scenario{count: 1, canaries: 1, parallel: 1, views: 1, nodes: 1}
	two := scenario{count: 2, canaries: 2, parallel: 1, views: 1, nodes: 2}
	part := scenario{count: 2, canaries: 1, parallel: 1, views: 1, nodes: 1}
	roll := scenario{count: 3, canaries: 1, parallel: 1, views: 1, nodes: 1, rolling: true}
	all := slices.Concat(process, outside)
	with := func(s scenario, faults []string, budget int) scenario {
		s.faults, s.budget = faults, budget
		return s
	}
	lingers, rolls, proxies := one, roll, one
	lingers.lingers, rolls.lingers, proxies.views = true, true, 2
	loads, rollsOn := one, roll
	loads.loads, rollsOn.loads = true, true
	apart := roll
	apart.nodes, apart.first = 2, 1 // on the node of the next batch
	return map[string]scenario{
		"canary = count":                          one,
		"canary = count, two proxies":             with(proxies, all, 1),
		"canary = count, two nodes":               with(two, process, 1),
		"canary = count, processes":               with(one, process, 2),
		"canary = count, outside":                 with(one, outside, 2),
		"canary = count, all":                     with(one, all, 1),
		"canary = count, lingering services":      with(lingers, all, 1),
		"canary = count, loads under way":         with(loads, all, 1),
		"canary = count, loads and blips":         with(loads, blips, 1),
		"after the promotion, loads and blips":    with(rollsOn, blips, 1),
		"canary below count":                      part,
		"canary below count, processes":           with(part, process, 1),
		"canary below count, outside":             with(part, outside, 1),
		"after the promotion, lingering services": with(rolls, process, 1),
		"after the promotion":                     roll,
		"after the promotion, processes":          with(roll, process, 1),
		"after the promotion, two nodes":          with(apart, []string{"instance crash"}, 1),
		"after the promotion, outside":            with(roll, outside, 1),
	}
}

// The shortest ways to everything.
func TestNoStateOfTheModelIsWrong(t *testing.T) {
	t.Parallel()
	for name, sc := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := explore(t, &sc, *states)
			t.Logf("%d states, exhausted: %t, successful %d, aborted %d, forgotten %d", r.states, r.exhausted, r.successful, r.aborted, r.forgotten)
			require.True(t, r.exhausted || r.states == *states)
		})
	}
}

// Long ways, through larger worlds.
func TestNoWayThroughTheModelIsWrong(t *testing.T) {
	t.Parallel()
	large := scenarios()
	all := slices.Concat(process, outside)
	large["two of four"] = scenario{count: 4, canaries: 2, parallel: 2, views: 3, nodes: 2, faults: all, budget: 2}
	large["one of three"] = scenario{count: 3, canaries: 1, parallel: 1, views: 2, nodes: 2, faults: all, budget: 3}
	large["all of three"] = scenario{count: 3, canaries: 3, parallel: 1, views: 2, nodes: 2, lingers: true, faults: all, budget: 3}
	for _, name := range []string{"canary = count, all", "one of three", "all of three"} {
		sc := large[name]
		sc.loads = true
		large[name+", with loads under way"] = sc
	}
	for name, sc := range large {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r reached
			for seed := range uint64(*walks) {
				random := rand.New(rand.NewPCG(seed, 1))
				walk(t, &sc, 400, &r, func(n int) int { return random.IntN(n) })
			}
			t.Logf("%d steps, successful %d, aborted %d, forgotten %d", r.states, r.successful, r.aborted, r.forgotten)
			require.Positive(t, r.successful)
			require.Positive(t, r.forgotten)
		})
	}
}

// The same with ways that are made shorter where they go wrong.
func TestPropTheModel(t *testing.T) {
	t.Parallel()
	sc := scenario{count: 3, canaries: 1, parallel: 1, views: 2, nodes: 2, loads: true, faults: slices.Concat(process, outside), budget: 3}
	rapid.Check(t, func(rt *rapid.T) {
		var r reached
		walk(rt, &sc, 200, &r, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "next") })
	})
}

// walk goes one way. What befalls a deployment from outside is rare, so that it
// comes to something.
func walk(t rapid.TB, sc *scenario, steps int, r *reached, choose func(n int) int) {
	s := newState(sc)
	var names []string
	for range steps {
		events := s.events()
		e := events[choose(len(events))]
		if e.format == "tick" && choose(3) > 0 {
			continue // time enough for everything else
		}
		if left := s.left; left > 0 {
			next := s.clone()
			e.do(next)
			if next.left < left && choose(8) > 0 {
				continue
			}
		}
		s = s.clone()
		e.do(s)
		names = append(names, e.String())
		r.states++
		if s.violation != "" {
			t.Fatalf("%s%s", s.violation, trace(names))
		}
		if s.didFence && s.rec == nil {
			break
		}
	}
	states := r.states
	r.count(s)
	r.states = states
}
