package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints the table and returns the exit code.
func report(w io.Writer, results []result) int {
	count := map[outcome]int{}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tRESULT\tTIME\tCHANGE")
	for _, r := range results {
		count[r.outcome]++
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.mutant.id, r.outcome, r.took.Round(100*time.Millisecond), r.mutant)
	}
	_ = table.Flush()
	_, _ = fmt.Fprintf(w, "\n%d changes: %d killed, %d survived, %d do not compile\n",
		len(results), count[killed], count[survived], count[broken])
	for _, r := range results {
		if r.outcome == broken {
			_, _ = fmt.Fprintf(w, "\n%s does not compile, so it proves nothing:\n%s\n", r.mutant.id, strings.TrimSpace(r.detail))
		}
	}
	switch {
	case count[broken] > 0:
		return exitBroken
	case count[survived] > 0:
		return exitSurvived
	default:
		return exitOK
	}
}

// String shows where the change is and what it does.
func (m mutant) String() string {
	if m.new == "" {
		return fmt.Sprintf("%s: without %s", m.place(), m.old)
	}
	return fmt.Sprintf("%s: %s => %s", m.place(), m.old, m.new)
}
