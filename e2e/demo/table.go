package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// resultTable has one row for each side of each act, within the width.
func resultTable(results []result, width int) []string {
	t := table.New().Border(lipgloss.NormalBorder()).
		Headers("act", "who promotes", "requests", "lost", "success %", "longest gap", "outcome").
		StyleFunc(func(_, column int) lipgloss.Style {
			style := lipgloss.NewStyle().Padding(0, 1)
			if column >= 2 && column <= 5 {
				style = style.Align(lipgloss.Right)
			}
			return style
		})
	for _, r := range results {
		t.Row(strconv.Itoa(r.act.number), promoter(r.gated), thousands(r.report.Requests), thousands(r.report.Lost),
			fmt.Sprintf("%.2f", r.report.Success()), gap(r.report.Gap), outcome(r))
	}
	text := t.String()
	if lipgloss.Width(text) > width {
		text = t.Width(width).String()
	}
	return strings.Split(text, "\n")
}

// summary is one line for each side of an act that has ended, and one for each
// decision of draingate's that made it end so, with the time since the load began.
func summary(results []result) []string {
	var out []string
	for _, r := range results {
		out = append(out, fmt.Sprintf("%-9s  %s requests, %s lost, %.2f %% good, longest gap %s; %s", promoter(r.gated),
			thousands(r.report.Requests), thousands(r.report.Lost), r.report.Success(), gap(r.report.Gap), outcome(r)))
	}
	for _, r := range results {
		for _, d := range turns(r) {
			out = append(out, fmt.Sprintf("  %5s    draingate: %s", clock(d.Since.Sub(r.report.Began)), d))
		}
	}
	return out
}

// turns are the decisions that an act is about, up to the promotion: the hold
// for its reason, and the fence.
func turns(r result) []decision {
	var out []decision
	for _, d := range r.told {
		if d.Decision == "Fence" || d.Decision == "Promote" || r.act.reason != "" && d.Reason == r.act.reason {
			out = append(out, d)
		}
		if d.Decision == "Promote" {
			break
		}
	}
	return out
}

// gap prints the longest time between two good requests.
func gap(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
}

// thousands prints a number with a comma between groups of three digits.
func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// counts prints how many there are of each kind, by kind.
func counts(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+": "+thousands(m[k]))
	}
	return strings.Join(parts, ", ")
}

// clock prints a time as minutes and seconds.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
