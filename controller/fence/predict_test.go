package fence

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// plain is a group with old allocations 0 to count−1 and canaries with the first
// of their names.
func plain(count, canaries, parallel int) World {
	w := World{Groups: []Group{{Name: "web", Count: count, Canaries: canaries, MaxParallel: parallel, Total: count, Placed: canaries, HealthyOnes: canaries}}, Fencers: map[string][]string{"n1": nil}}
	n := newNames()
	for i := range count {
		w.Instances = append(w.Instances, Instance{Target: Target{Alloc: "old-" + n.name[i], Name: n.name[i], Group: "web", Node: "n1", Services: []string{"s-" + n.name[i]}}, Version: 1, Good: true})
	}
	for i := range canaries {
		w.Instances = append(w.Instances, Instance{Target: Target{Alloc: "new-" + n.name[i], Name: n.name[i], Group: "web", Node: "n1", Services: []string{"t-" + n.name[i]}}, Version: 2, New: true, Canary: true, Good: true})
	}
	return w
}

func TestPredictedAreThoseThatNomadStops(t *testing.T) {
	t.Parallel()
	promoted := func(gone ...int) func(*World) {
		return func(w *World) {
			w.Groups[0].Promoted = true
			for _, i := range gone {
				w.Instances[i].Stopping = true
			}
		}
	}
	tests := map[string]struct {
		world World
		do    func(*World)
		want  []string
		left  int
	}{
		"all, with as many canaries":              {plain(3, 3, 1), nil, []string{"old-web.web[0]", "old-web.web[1]", "old-web.web[2]"}, 0},
		"all, with one old that is gone":          {plain(3, 3, 1), func(w *World) { w.Instances[1].Ended = true }, []string{"old-web.web[0]", "old-web.web[2]"}, 0},
		"the canary's namesake":                   {plain(3, 1, 1), nil, []string{"old-web.web[0]"}, 2},
		"the canary's namesake, of another index": {plain(3, 1, 1), func(w *World) { w.Instances[3].Name = "web.web[2]" }, []string{"old-web.web[2]"}, 2},
		"two namesakes":                           {plain(4, 2, 3), nil, []string{"old-web.web[0]", "old-web.web[1]"}, 2},
		"then max_parallel, lowest first":         {plain(4, 1, 2), promoted(0), []string{"old-web.web[1]", "old-web.web[2]"}, 1},
		"what is left at last":                    {plain(4, 1, 2), promoted(0, 1, 2), []string{"old-web.web[3]"}, 0},
		"by number and not by letter": {plain(3, 1, 1), func(w *World) {
			promoted(0)(w)
			w.Instances[1].Name = "web.web[10]"
		}, []string{"old-web.web[2]"}, 1},
		"a group without canaries that is done is not of it": {plain(2, 1, 1), func(w *World) {
			w.Groups = append(w.Groups, Group{Name: "db", Count: 1, Total: 1, HealthyOnes: 1})
		}, []string{"old-web.web[0]"}, 1},
		"a group without canaries goes on where nothing is paused": {plain(1, 1, 1), func(w *World) {
			w.Groups = append(w.Groups, Group{Name: "db", Count: 1, Total: 1})
		}, []string{"old-web.web[0]"}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.do != nil {
				test.do(&test.world)
			}
			plan, why := Predict(test.world)
			require.Empty(t, why)
			if diff := cmp.Diff(test.want, allocs(plan.Set)); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
			require.Equal(t, test.left, plan.Left)
		})
	}
}

func TestWhatCannotBePredictedIsNot(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		world World
		do    func(*World)
		says  string
	}{
		"one migrates":                      {plain(2, 2, 1), func(w *World) { w.Instances[0].Unsure = "is to be moved" }, "is to be moved"},
		"a canary waits to be rescheduled":  {plain(2, 2, 1), func(w *World) { w.Instances[3].Unsure = "waits to be rescheduled" }, "waits to be rescheduled"},
		"two of one name":                   {plain(3, 1, 1), func(w *World) { w.Instances[1].Name = "web.web[2]" }, "two old allocations have the name web.web[2]"},
		"two canaries of one name":          {plain(3, 2, 1), func(w *World) { w.Instances[4].Name = "web.web[0]" }, "two canaries have the name web.web[0]"},
		"a name without an index":           {plain(2, 2, 1), func(w *World) { w.Instances[0].Name = "web" }, "has no index"},
		"an old one that no canary is for":  {plain(2, 2, 1), func(w *World) { w.Instances[0].Name = "web.web[7]" }, "which no canary has"},
		"a canary that is for no old one":   {plain(3, 1, 1), func(w *World) { w.Instances[3].Name = "web.web[7]" }, "only 0 of 1 canaries"},
		"fewer old ones than the count":     {plain(3, 1, 1), func(w *World) { w.Instances[2].Ended = true }, "2 old allocations and a count of 3"},
		"more old ones than the count":      {plain(3, 1, 1), func(w *World) { w.Groups[0].Count = 2 }, "3 old allocations and a count of 2"},
		"more canaries than the count":      {plain(2, 2, 1), func(w *World) { w.Groups[0].Count = 1 }, "a count of 1"},
		"a canary is missing":               {plain(2, 2, 1), func(w *World) { w.Instances[3].Ended = true }, "1 canaries of 2"},
		"old ones of two versions":          {plain(3, 1, 1), func(w *World) { w.Instances[2].Version = 0 }, "versions 1 and 0"},
		"one group is promoted, one is not": {plain(2, 2, 1), func(w *World) { w.Groups = append(w.Groups, Group{Name: "x", Canaries: 1, Promoted: true}) }, "another is"},
		"a new one that is no canary":       {plain(2, 2, 1), func(w *World) { w.Instances[3].Canary = false }, "no canary"},
		"services with two agents":          {plain(2, 2, 1), func(w *World) { w.Instances[0].Node = "" }, "one Consul agent"},
		"max_parallel that is not known":    {plain(2, 2, 0), nil, "max_parallel is 0"},
		"a group without canaries half-way": {plain(2, 1, 1), func(w *World) { w.Groups = append(w.Groups, Group{Name: "db", Total: 2, HealthyOnes: 1}) }, `group "db" has no canaries`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.do != nil {
				test.do(&test.world)
			}
			_, why := Predict(test.world)
			require.Contains(t, why, test.says)
		})
	}
}

func TestTheFloorIsWhatARollingUpdateLeaves(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		world World
		do    func(*World)
		short string
	}{
		"canary = count":                         {plain(3, 3, 1), nil, ""},
		"canary = count, one new one not listed": {plain(3, 3, 1), func(w *World) { w.Instances[5].Good = false }, ""},
		"two of three new ones not listed":       {plain(3, 3, 1), func(w *World) { w.Instances[4].Good, w.Instances[5].Good = false, false }, "would have 1 instances"},
		"never none":                             {plain(1, 1, 1), func(w *World) { w.Instances[1].Good = false }, "would have 0 instances"},
		"not where max_parallel is all either":   {plain(2, 2, 2), func(w *World) { w.Instances[2].Good, w.Instances[3].Good = false, false }, "would have 0 instances"},
		"one that stops does not count":          {plain(1, 1, 1), func(w *World) { w.Instances[1].Stopping = true }, "would have 0 instances"},
		"another group's do not count": {plain(1, 1, 1), func(w *World) {
			w.Instances[1].Good = false
			w.Instances = append(w.Instances, Instance{Target: Target{Alloc: "x", Group: "db"}, Good: true})
		}, "would have 0 instances"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := []Target{}
			for _, i := range test.world.old("web") {
				set = append(set, i.Target)
			}
			if test.do != nil {
				test.do(&test.world)
			}
			if test.short == "" {
				require.Empty(t, short(test.world, set))
			} else {
				require.Contains(t, short(test.world, set), test.short)
			}
		})
	}
}
