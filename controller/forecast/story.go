package forecast

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Story is the course of one deploy, which is submitted at 0.
type Story struct {
	// Steps follow each other without a hole, from Begin on. The last is the
	// moment from which on nothing changes.
	Steps []Step
	// Marks are in order of time.
	Marks []Mark
}

// Mark is something that happens at a moment.
type Mark struct {
	At   time.Duration
	Text string
}

// Begin is the submission, or the time at which the first request was sent that
// is under way then and that the deploy cuts off.
func (s Story) Begin() time.Duration {
	if len(s.Steps) == 0 {
		return 0
	}
	return s.Steps[0].From
}

// End is the last moment at which anything changes.
func (s Story) End() time.Duration {
	if len(s.Steps) == 0 {
		return 0
	}
	return s.Steps[len(s.Steps)-1].From
}

func (d Deploy) story(c chance, when promoter) Story {
	var out Story
	_, s := d.run(c, when, func(st Step) { out.Steps = append(out.Steps, st) })
	mark := func(at time.Duration, text string) {
		if at >= 0 && at < never {
			out.Marks = append(out.Marks, Mark{at, text})
		}
	}
	if d.Canary > 0 {
		if d.CheckInterval > 0 {
			mark(s.passing, "the checks of the new version pass")
		}
		mark(s.healthy, "Nomad calls the new version healthy")
		mark(s.promoted, "promoted")
	}
	first := true
	for _, k := range s.all {
		if k.old && k.listed.to < never && first {
			first = false
			mark(k.listed.to, "the first old instance leaves the catalog")
			mark(k.up.to, "it ends")
		}
	}
	for _, r := range d.Proxy.at(c).reloads(s.all)[1:] {
		old, fresh := 0, 0
		for _, k := range r.pool {
			count(k, &old, &fresh)
		}
		mark(r.at, "Traefik routes to "+pooled(old, fresh))
	}
	slices.SortStableFunc(out.Marks, func(a, b Mark) int { return cmp.Compare(a.At, b.At) })
	return out
}

// pooled says what is in a pool.
func pooled(old, fresh int) string {
	if old+fresh == 0 {
		return "nobody"
	}
	return fmt.Sprintf("%d old and %d new", old, fresh)
}
