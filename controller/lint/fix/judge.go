package fix

import (
	"fmt"
	"slices"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

// worse says why the findings after the fixes are not better than those
// before, or is empty. Each fix must have removed its finding, and what is new
// must be milder than everything that was fixed: a canary that comes into
// force may well bring a notice about its own ways.
func worse(before, after []lint.Finding, fixes []lint.Finding) string {
	was, is := tally(before), tally(after)
	removed := map[place]int{}
	mildest := 0
	for _, f := range fixes {
		removed[placeOf(f)]++
		mildest = max(mildest, rank(f.Severity))
	}
	for _, f := range after {
		old, now := was[placeOf(f)], is[placeOf(f)]
		added := now.count > old.count || old.count > 0 && now.worst < old.worst
		switch {
		case f.Rule == lint.Unreadable:
			return "Nomad could not read the result: " + f.Message
		case now.count > max(0, old.count-removed[placeOf(f)]) && removed[placeOf(f)] > 0:
			return "it is found with that as well: " + f.Message
		case added && (f.Severity == rule.Unknown || rank(f.Severity) <= mildest):
			return fmt.Sprintf("the change would bring %s: %s", f.Rule, f.Message)
		}
	}
	return ""
}

// seen is how many findings a place has, and the rank of the worst.
type seen struct{ count, worst int }

func tally(found []lint.Finding) map[place]seen {
	out := map[place]seen{}
	for _, f := range found {
		s, there := out[placeOf(f)]
		if !there || rank(f.Severity) < s.worst {
			s.worst = rank(f.Severity)
		}
		s.count++
		out[placeOf(f)] = s
	}
	return out
}

// rank is 0 for the worst severity.
func rank(s rule.Severity) int { return slices.Index(rule.Severities(), s) }
