package main

import (
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"
)

func TestResultTable(t *testing.T) {
	left, right := nomadLost(1), gatedHeld(1)
	left.report.Gap, right.report.Gap = 14200*time.Millisecond, 23*time.Millisecond
	want := strings.TrimSpace(`
┌─────┬──────────────┬──────────┬───────┬───────────┬─────────────┬────────────────────────────────────────────────────────────┐
│ act │ who promotes │ requests │  lost │ success % │ longest gap │ outcome                                                    │
├─────┼──────────────┼──────────┼───────┼───────────┼─────────────┼────────────────────────────────────────────────────────────┤
│ 1   │ Nomad        │    6,000 │ 1,000 │     83.33 │       14.2s │ promoted, and no good instance is left; lost by 502: 1,000 │
│ 1   │ draingate    │    6,000 │     0 │    100.00 │        23ms │ held: DrainUnsafe; served by version 1                     │
└─────┴──────────────┴──────────┴───────┴───────────┴─────────────┴────────────────────────────────────────────────────────────┘`)
	if diff := cmp.Diff(strings.Split(want, "\n"), resultTable([]result{left, right}, 200)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	for _, l := range resultTable([]result{left, right}, 80) {
		if got := lipgloss.Width(l); got > 80 {
			t.Errorf("in a terminal 80 wide a line is %d wide: %q", got, l)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 21993: "21,993", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d): got %q, want %q", n, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0:00", 59400 * time.Millisecond: "0:59", 205 * time.Second: "3:25"} {
		if got := clock(d); got != want {
			t.Errorf("clock(%s): got %q, want %q", d, got, want)
		}
	}
}
