package fence

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// Plan is what the next call to Nomad will stop.
type Plan struct {
	// Set is sorted by group and then in the order in which Nomad stops.
	Set []Target
	// Left is how many old allocations are still to be stopped after it.
	Left int
}

// Predict returns which old allocations the next call stops: the promotion of
// all groups with canaries while the deployment is paused, where one of them has
// fewer canaries than its count, and else the resumption of the paused one. The
// second result says why it cannot be known.
//
// A promotion stops as many as there are too many: first those with the name
// of a canary. A deployment that goes on stops max_parallel of the rest, lowest
// index first (Nomad v1.11.3, scheduler/reconciler/reconcile_cluster.go:
// computeStop, computeUnderProvisionedBy, computeDestructiveUpdates).
func Predict(w World) (Plan, string) {
	var out Plan
	promoted := w.promoted()
	for _, g := range w.Groups {
		if g.Canaries == 0 {
			continue
		}
		if g.Promoted != promoted {
			return Plan{}, fmt.Sprintf("group %q is not promoted, and another is", g.Name)
		}
		set, left, why := predictGroup(w, g)
		if why != "" {
			return Plan{}, fmt.Sprintf("group %q: %s", g.Name, why)
		}
		for _, i := range set {
			out.Set = append(out.Set, i.Target)
		}
		out.Left += left
	}
	if why := beside(w, promoted || out.Left > 0); why != "" {
		return Plan{}, why
	}
	return out, ""
}

// beside finds a group without canaries in which Nomad is not done: a pause
// would stop its update half-way, and the end of the pause go on with it.
func beside(w World, pauses bool) string {
	for _, g := range w.Groups {
		if pauses && g.Canaries == 0 && g.HealthyOnes < g.Total {
			return fmt.Sprintf("group %q has no canaries, and %d of its %d allocations are not updated yet", g.Name, g.Total-g.HealthyOnes, g.Total)
		}
	}
	return ""
}

func predictGroup(w World, g Group) (set []Instance, left int, why string) {
	olds := w.old(g.Name)
	if why := ambiguous(w, g, olds); why != "" {
		return nil, 0, why
	}
	slices.SortFunc(olds, func(a, b Instance) int { return cmp.Compare(Index(a.Name), Index(b.Name)) })
	switch {
	case g.Promoted:
		n := min(len(olds), g.MaxParallel)
		return olds[:n], len(olds) - n, ""
	case g.Canaries == g.Count:
		return olds, 0, allNamed(w, g, olds)
	default:
		set, why := named(w, g, olds)
		return set, len(olds) - len(set), why
	}
}

// ambiguous finds what makes Nomad's choice depend on more than names.
func ambiguous(w World, g Group, olds []Instance) string {
	for _, i := range w.Instances {
		switch {
		case i.Group != g.Name || !i.live():
		case i.Unsure != "":
			return fmt.Sprintf("allocation %s (%s) %s", model.Short(i.Alloc), i.Name, i.Unsure)
		case i.New && !i.Canary && !g.Promoted:
			return fmt.Sprintf("allocation %s (%s) is of the new version and no canary", model.Short(i.Alloc), i.Name)
		}
	}
	for n, i := range olds {
		switch {
		case i.Node == "" && len(i.Services) > 0:
			return fmt.Sprintf("the services of allocation %s (%s) are not registered with one Consul agent", model.Short(i.Alloc), i.Name)
		case Index(i.Name) < 0:
			return fmt.Sprintf("the name %q of allocation %s has no index", i.Name, model.Short(i.Alloc))
		case slices.ContainsFunc(olds[:n], func(o Instance) bool { return o.Name == i.Name }):
			return fmt.Sprintf("two old allocations have the name %s", i.Name)
		}
	}
	if g.MaxParallel < 1 {
		return fmt.Sprintf("max_parallel is %d", g.MaxParallel)
	}
	return ""
}

// canaryNames are the names of a group's canaries, each once.
func canaryNames(w World, g Group) ([]string, string) {
	var names []string
	for _, i := range w.Instances {
		if i.Group != g.Name || !i.Canary || !i.live() {
			continue
		}
		if slices.Contains(names, i.Name) {
			return nil, fmt.Sprintf("two canaries have the name %s", i.Name)
		}
		names = append(names, i.Name)
	}
	if len(names) != g.Canaries || g.Canaries > g.Count {
		return nil, fmt.Sprintf("it has %d canaries of %d, and a count of %d", len(names), g.Canaries, g.Count)
	}
	return names, ""
}

// allNamed checks, where every old allocation is to go, that each has the name
// of a canary: Nomad would choose by index among the rest, canaries included.
func allNamed(w World, g Group, olds []Instance) string {
	names, why := canaryNames(w, g)
	if why != "" {
		return why
	}
	for _, i := range olds {
		if !slices.Contains(names, i.Name) {
			return fmt.Sprintf("old allocation %s has the name %s, which no canary has, so that Nomad may stop a canary for it", model.Short(i.Alloc), i.Name)
		}
	}
	return ""
}

// named are the old allocations with the name of a canary, where there are as
// many old ones as the group is to have, all of one version.
func named(w World, g Group, olds []Instance) ([]Instance, string) {
	names, why := canaryNames(w, g)
	if why != "" {
		return nil, why
	}
	if len(olds) != g.Count {
		return nil, fmt.Sprintf("it has %d old allocations and a count of %d", len(olds), g.Count)
	}
	var set []Instance
	for _, i := range olds {
		if i.Version != olds[0].Version {
			return nil, fmt.Sprintf("old allocations run versions %d and %d of the job", olds[0].Version, i.Version)
		}
		if slices.Contains(names, i.Name) {
			set = append(set, i)
		}
	}
	if len(set) != len(names) {
		return nil, fmt.Sprintf("only %d of %d canaries have the name of an old allocation", len(set), len(names))
	}
	return set, ""
}

// Index is the number in brackets at the end of an allocation's name, -1 where
// there is none.
func Index(name string) int {
	open := strings.LastIndexByte(name, '[')
	if open < 0 || !strings.HasSuffix(name, "]") {
		return -1
	}
	n, err := strconv.ParseUint(name[open+1:len(name)-1], 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
