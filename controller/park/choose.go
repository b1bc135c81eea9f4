package park

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// placeholders is how many nodes park for a service, where there are as many: one
// may die.
const placeholders = 2

// Choose returns the nodes that park for a service, sorted: those that did as long
// as they can, then those that have none of its instances, which may be drained
// with them, then by name.
func Choose(before []string, parkers map[string]Presence, instances []string) []string {
	var able []string
	for _, node := range slices.Sorted(maps.Keys(parkers)) {
		if parkers[node].Problem == "" {
			able = append(able, node)
		}
	}
	rank := func(node string) int {
		switch {
		case slices.Contains(before, node):
			return 0
		case !slices.Contains(instances, node):
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(able, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	out := able[:min(len(able), placeholders)]
	slices.Sort(out)
	return out
}

// problems tells what keeps instances from parking.
func problems(parkers map[string]Presence) string {
	var out []string
	for _, node := range slices.Sorted(maps.Keys(parkers)) {
		if p := parkers[node].Problem; p != "" {
			out = append(out, fmt.Sprintf("%s: %s", node, p))
		}
	}
	if len(out) == 0 {
		return ": run it on every node, as a system job, and not with --park off"
	}
	return " (" + strings.Join(out, "; ") + ")"
}
