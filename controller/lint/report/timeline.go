package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// timelineWidth is how many characters stand for the longest time.
const timelineWidth = 40

// Timeline draws when an old instance still serves and how long the proxy goes
// on sending to it. All start at the moment at which it leaves the catalog.
func Timeline(w model.Window) []string {
	needed := w.T + w.L + w.Margin
	scale := max(w.S, needed)
	if scale <= 0 {
		return nil
	}
	bar := func(name string, from, to time.Duration, with string, note string) string {
		start, end := cells(from, scale), cells(to, scale)
		drawn := strings.Repeat(" ", start) + strings.Repeat(with, max(0, end-start))
		return fmt.Sprintf("%6s |%-*s| %s", name, timelineWidth, drawn, note)
	}
	out := []string{
		bar("S", 0, w.S, "=", sum(w.S, w.STerms)),
		bar("T", 0, w.T, "=", sum(w.T, w.TTerms)),
	}
	if w.L > 0 {
		out = append(out, bar("L", w.T, w.T+w.L, "=", w.L.String()))
	}
	if w.Margin > 0 {
		out = append(out, bar("margin", w.T+w.L, needed, "=", w.Margin.String()))
	}
	if w.S < needed {
		out = append(out, bar("short", w.S, needed, "!", (needed-w.S).String()))
	}
	return out
}

// cells is how many characters a time takes. What is not nothing is one at
// least.
func cells(d, scale time.Duration) int {
	if d <= 0 {
		return 0
	}
	return max(1, int(float64(d)/float64(scale)*timelineWidth+0.5))
}

// sum is a time with what it is made of.
func sum(total time.Duration, terms []model.Term) string {
	var parts []string
	for _, t := range terms {
		if t.Value == 0 {
			continue
		}
		name := t.Name
		if t.Declared {
			name += ", not measured"
		}
		parts = append(parts, fmt.Sprintf("%s %s", name, t.Value))
	}
	if len(parts) == 0 {
		return total.String()
	}
	return total.String() + " = " + strings.Join(parts, " + ")
}
