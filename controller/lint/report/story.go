package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/forecast"
	"github.com/draingate/draingate/controller/rule"
)

// storyWidth is how many characters stand for a whole deploy.
const storyWidth = 60

// mostMarks is how many things that happen are listed.
const mostMarks = 16

// writeStory draws a deploy: who serves, whom the proxy routes to, and what is
// lost meanwhile. A digit is how many tenths, of the instances or the requests.
func writeStory(w io.Writer, title string, s forecast.Story, instances int, p palette) {
	begin := s.Begin()
	end := s.End() + (s.End()-begin)/20 + time.Millisecond
	which := "the worst deploy"
	if lossless(s) {
		which = "a deploy"
	}
	since := "its submission"
	if begin < 0 {
		since = fmt.Sprintf("%.1fs before its submission", -begin.Seconds())
	}
	fmt.Fprintf(w, "%s%s %s, from %s on:\n", indent, which, title, since)
	lane := func(name string, cell func(forecast.Step) float64) {
		fmt.Fprintf(w, "%s%13s |%s|\n", indent, name, draw(s, end, cell))
	}
	share := func(n int) float64 { return float64(n) / float64(max(1, instances)) }
	lane("old serves", func(st forecast.Step) float64 { return share(st.OldServing) })
	lane("new serves", func(st forecast.Step) float64 { return share(st.NewServing) })
	lane("routed: old", func(st forecast.Step) float64 { return share(st.OldListed) })
	lane("routed: new", func(st forecast.Step) float64 { return share(st.NewListed) })
	lost := draw(s, end, func(st forecast.Step) float64 { return st.Start + st.Stop })
	fmt.Fprintf(w, "%s%13s |%s|\n", indent, "lost", p.paint(rule.Error, strings.ReplaceAll(lost, "=", "!")))
	for i, m := range s.Marks {
		if i == mostMarks {
			fmt.Fprintf(w, "%s%13s %d more\n", indent, "...", len(s.Marks)-i)
			break
		}
		fmt.Fprintf(w, "%s%12.1fs %s\n", indent, m.At.Seconds(), m.Text)
	}
	fmt.Fprintln(w)
}

func lossless(s forecast.Story) bool {
	for _, st := range s.Steps {
		if st.Start+st.Stop > 0 {
			return false
		}
	}
	return true
}

// draw has a character for each part of the time: a space for none, = for all,
// and a digit for the tenths in between.
func draw(s forecast.Story, end time.Duration, value func(forecast.Step) float64) string {
	var b strings.Builder
	begin := s.Begin()
	whole := end - begin
	for i := range storyWidth {
		from, to := begin+whole*time.Duration(i)/storyWidth, begin+whole*time.Duration(i+1)/storyWidth
		b.WriteByte(tenths(longest(s, from, to, value)))
	}
	return b.String()
}

// longest is the value that lasts longest within a part of the time.
func longest(s forecast.Story, from, to time.Duration, value func(forecast.Step) float64) float64 {
	best, out := time.Duration(-1), 0.0
	for i, st := range s.Steps {
		until := st.To
		if i == len(s.Steps)-1 {
			until = to
		}
		if lasts := min(until, to) - max(st.From, from); lasts > best {
			best, out = lasts, value(st)
		}
	}
	return out
}

func tenths(share float64) byte {
	switch n := int(share*10 + 0.5); {
	case share <= 0:
		return ' '
	case share >= 1:
		return '='
	default:
		return byte('0' + min(9, max(1, n)))
	}
}
