package fence

import (
	"fmt"
	"slices"
)

// Floor is the least number of instances of a group that a fence leaves in the
// pool: what a rolling update would leave, and one in any case.
func Floor(g Group) int { return max(g.Count-g.MaxParallel, 1) }

// short says which group would fall below its floor without the set. Only the
// group's own instances count, and only those that are good.
func short(w World, set []Target) string {
	fenced := allocs(set)
	for _, g := range w.Groups {
		if !slices.ContainsFunc(set, func(t Target) bool { return t.Group == g.Name }) {
			continue
		}
		stay := 0
		for _, i := range w.Instances {
			if i.Group == g.Name && i.live() && i.Good && !slices.Contains(fenced, i.Alloc) {
				stay++
			}
		}
		if stay < Floor(g) {
			return fmt.Sprintf("group %q would have %d instances that are passing and listed by every proxy, fewer than %d (count %d − max_parallel %d, and never none)",
				g.Name, stay, Floor(g), g.Count, g.MaxParallel)
		}
	}
	return ""
}

// Unfit is what speaks against fencing a set now: too few would be left, or
// nobody is there to do it. The zero Finding is nothing.
func Unfit(w World, set []Target) Finding {
	if why := short(w, set); why != "" {
		return Finding{ReasonCapacityTooLow, why}
	}
	if why := unguarded(w, set); why != "" {
		return Finding{ReasonNoFencerOnNode, why}
	}
	return Finding{}
}

// unguarded says on which node of the set no instance of draingate is present.
func unguarded(w World, set []Target) string {
	for _, t := range set {
		if _, present := w.Fencers[t.Node]; !present && len(t.Services) > 0 {
			return fmt.Sprintf("no instance of draingate is present on node %q, where old allocation %s runs: it takes a draingate on every node, as a system job has it", t.Node, t.Name)
		}
	}
	return ""
}
