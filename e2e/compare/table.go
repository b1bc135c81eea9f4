package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// result is what one deploy did behind one front.
type result struct {
	way       string
	get, post harness.LoadReport
	// twice counts the requests that reached an instance more than once.
	twice int
	// overlap says where two writers met.
	overlap string
}

// table shows results as one of Markdown, a row for each run.
func table(results []result) string {
	var b strings.Builder
	b.WriteString("| way | requests | GET lost | POST lost | longest wait | sent twice |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %d |\n", r.way, r.get.Requests+r.post.Requests, lost(r.get), lost(r.post),
			max(r.get.Slowest, r.post.Slowest).Round(10*time.Millisecond), r.twice)
	}
	return b.String()
}

// lost is how many, and how.
func lost(r harness.LoadReport) string {
	if r.Lost == 0 {
		return "0"
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(r.LostBy)) {
		kinds = append(kinds, fmt.Sprintf("%s: %d", kind, r.LostBy[kind]))
	}
	return fmt.Sprintf("%d (%s)", r.Lost, strings.Join(kinds, ", "))
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
