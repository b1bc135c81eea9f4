package main

import (
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"
)

func TestResultTable(t *testing.T) {
	left, right := nomadLost(1), gatedFenced()
	left.report.Gap, right.report.Gap = 14200*time.Millisecond, 23*time.Millisecond
	want := strings.TrimSpace(`
┌─────┬──────────────┬──────────┬───────┬───────────┬─────────────┬────────────────────────────────────────────────────────────┐
│ act │ who promotes │ requests │  lost │ success % │ longest gap │ outcome                                                    │
├─────┼──────────────┼──────────┼───────┼───────────┼─────────────┼────────────────────────────────────────────────────────────┤
│ 1   │ Nomad        │    6,000 │ 1,000 │     83.33 │       14.2s │ promoted, and no good instance is left; lost by 502: 1,000 │
│ 1   │ draingate    │    7,000 │     0 │    100.00 │        23ms │ fenced, then promoted                                      │
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

func TestSummaryTellsTheDecisions(t *testing.T) {
	fenced, cured := gatedFenced(), gatedCured()
	fenced.report.Began = time.Unix(1000, 0)
	for i := range fenced.told {
		fenced.told[i].Since = fenced.report.Began.Add(time.Duration(10*i) * time.Second)
	}
	fenced.told = append(fenced.told, decision{Decision: "Fence", Reason: "Fencing", Message: "told to stop"})
	cured.report.Began = time.Unix(1000, 0)
	cured.told[0].Since, cured.told[1].Since = time.Unix(1015, 0), time.Unix(1090, 0)
	want := []string{
		"draingate  7,000 requests, 0 lost, 100.00 % good, longest gap 0ms; fenced, then promoted",
		"draingate  8,000 requests, 0 lost, 100.00 % good, longest gap 0ms; held: DrainUnsafe; promoted with shutdown_delay 20s",
		"   0:10    draingate: Fence Fencing",
		"   0:20    draingate: Promote FencedOut",
		"   0:15    draingate: Hold DrainUnsafe: S = 0s.",
		"   1:30    draingate: Promote Safe: go",
	}
	if diff := cmp.Diff(want, summary([]result{fenced, cured})); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
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
