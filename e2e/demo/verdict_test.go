package main

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/draingate/draingate/e2e/harness"
)

// seconds are n seconds of a load with the same answers each.
func seconds(n, good, lost int) []harness.LoadSecond {
	var out []harness.LoadSecond
	for range n {
		out = append(out, harness.LoadSecond{Good: good, Lost: lost})
	}
	return out
}

// The two sides of the three acts as they should end.
func gatedHeld(number int) result {
	a := allActs()[number-1]
	return result{
		act: a, gated: true, held: holdAtLeast, serving: []string{"1"},
		last:   decision{Decision: "Hold", Reason: a.reason, Message: "its check is critical"},
		report: harness.LoadReport{Requests: 6000, Seconds: seconds(30, 200, 0)},
	}
}

func gatedFenced() result {
	return result{
		act: allActs()[0], gated: true, promoted: true, report: harness.LoadReport{Requests: 7000, Seconds: seconds(35, 200, 0)},
		told: []decision{{Decision: "Hold", Reason: "WindowRunning"}, {Decision: "Fence", Reason: "Fencing"}, {Decision: "Promote", Reason: "FencedOut"}, {Decision: "None", Reason: "Promoted"}},
	}
}

func gatedCured() result {
	return result{
		act: allActs()[1], gated: true, promoted: true, held: holdAtLeast, cured: 20 * time.Second,
		report: harness.LoadReport{Requests: 8000, Seconds: seconds(40, 200, 0)},
		told:   []decision{{Decision: "Hold", Reason: "DrainUnsafe", Message: "S = 0s."}, {Decision: "Promote", Reason: "Safe", Message: "go"}},
	}
}

func nomadLost(number int) result {
	return result{act: allActs()[number-1], promoted: true, report: harness.LoadReport{
		Requests: 6000, Lost: 1000, LostBy: map[string]int{"502": 1000}, Seconds: append(seconds(25, 200, 0), seconds(5, 0, 200)...),
	}}
}

// change is a result with something changed.
func change(r result, f func(*result)) result {
	f(&r)
	return r
}

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		result result
		want   []string
	}{
		"draingate fenced":      {result: gatedFenced()},
		"draingate was cured":   {result: gatedCured()},
		"draingate held act 3":  {result: gatedHeld(3)},
		"Nomad lost in act 1":   {result: nomadLost(1)},
		"Nomad ended without":   {result: nomadLost(3)},
		"Nomad loses not act 2": {result: change(nomadLost(2), func(r *result) { r.report.Lost = 0 })},
		"one request was lost":  {change(gatedCured(), func(r *result) { r.report.Lost, r.report.LostBy = 1, map[string]int{"502": 1} }), []string{"act 2, promoted by draingate: 1 request was lost (502: 1)"}},
		"two were sent late": {change(gatedCured(), func(r *result) { r.report.Lost, r.report.LostBy = 2, map[string]int{"late": 2} }), []string{
			"act 2, promoted by draingate: 2 requests were lost (late: 2); this machine was too busy to send them all on time: try again, or with a lower -rate",
		}},
		"no request was sent":    {change(gatedCured(), func(r *result) { r.report.Requests = 0 }), []string{"act 2, promoted by draingate: no request was answered"}},
		"held where it promotes": {change(gatedCured(), func(r *result) { r.promoted = false }), []string{"act 2, promoted by draingate: version 2 was not promoted; draingate said nothing"}},
		"promoted where it holds": {change(gatedHeld(3), func(r *result) { r.promoted = true }), []string{
			"act 3, promoted by draingate: version 2 was promoted",
		}},
		"held too shortly": {change(gatedHeld(3), func(r *result) {
			r.held = holdAtLeast - time.Millisecond
			r.last = decision{Decision: "Hold", Reason: "X", Message: "y"}
		}), []string{
			"act 3, promoted by draingate: draingate did not hold with CanaryNotPassing for 10s; it said Hold X: y",
		}},
		"the old version is gone": {change(gatedHeld(3), func(r *result) { r.serving = []string{"2"} }), []string{
			"act 3, promoted by draingate: version 1 did not serve at the end",
		}},
		"held act 1": {change(gatedFenced(), func(r *result) { r.promoted, r.told, r.last = false, nil, decision{Decision: "Hold", Reason: "X"} }), []string{
			"act 1, promoted by draingate: version 2 was not promoted; draingate said Hold X",
			"act 1, promoted by draingate: it was promoted without a fence; draingate said nothing",
		}},
		"promoted act 1 before the fence": {change(gatedFenced(), func(r *result) { slices.Reverse(r.told) }), []string{
			"act 1, promoted by draingate: it was promoted without a fence; draingate said None Promoted → Promote FencedOut → Fence Fencing → Hold WindowRunning",
		}},
		"fenced and then promoted for another reason": {change(gatedFenced(), func(r *result) { r.told[2].Reason = "Safe" }), []string{
			"act 1, promoted by draingate: it was promoted without a fence; draingate said Hold WindowRunning → Fence Fencing → Promote Safe → None Promoted",
		}},
		"fenced where none is allowed": {change(gatedCured(), func(r *result) { r.told = gatedFenced().told }), []string{
			"act 2, promoted by draingate: it was promoted with a fence; draingate said Hold WindowRunning → Fence Fencing → Promote FencedOut → None Promoted",
		}},
		"held too shortly before the cure": {change(gatedCured(), func(r *result) { r.held = 0 }), []string{
			"act 2, promoted by draingate: draingate did not hold with DrainUnsafe for 10s; it said nothing",
		}},
		"Nomad lost nothing in act 1": {change(nomadLost(1), func(r *result) { r.report.Lost = 0 }), []string{
			"act 1, promoted by Nomad: no request was lost, so this shows nothing",
		}},
		"Nomad did not promote": {change(nomadLost(1), func(r *result) { r.promoted = false }), []string{
			"act 1, promoted by Nomad: version 2 was not promoted",
		}},
		"Nomad's service lives": {change(nomadLost(3), func(r *result) { r.report.Seconds[29].Good = 1 }), []string{
			"act 3, promoted by Nomad: the service still had a good instance at the end",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, judge([]result{tt.result})); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	tests := map[string]struct {
		result result
		want   string
	}{
		"held":                       {gatedHeld(3), "held: CanaryNotPassing; served by version 1"},
		"fenced":                     {gatedFenced(), "fenced, then promoted"},
		"cured":                      {gatedCured(), "held: DrainUnsafe; promoted with shutdown_delay 20s"},
		"promoted into nothing":      {nomadLost(3), "promoted, and no good instance is left; lost by 502: 1,000"},
		"promoted, lost and up":      {change(nomadLost(1), func(r *result) { r.report.Seconds[29].Good = 1 }), "promoted; lost by 502: 1,000"},
		"neither held nor promoted":  {result{act: allActs()[1], serving: []string{"1", "2"}}, "not promoted; served by version 1 and 2"},
		"promoted after few seconds": {change(gatedFenced(), func(r *result) { r.told, r.report.Seconds = nil, seconds(2, 0, 0) }), "promoted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := outcome(tt.result); got != tt.want {
				t.Errorf("outcome: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestClosing(t *testing.T) {
	all := []result{nomadLost(1), gatedFenced(), change(nomadLost(2), func(r *result) { r.report.Lost = 0 }), gatedCured(), nomadLost(3), gatedHeld(3)}
	const head = "With the same jobs, the same proxy and the same load, Nomad's own promotion lost "
	for name, tt := range map[string]struct {
		results []result
		faults  []string
		want    string
	}{
		"all acts":   {all, nil, head + "2,000 of 18,000 requests; draingate lost 0 of 21,000: it promoted act 1 and act 2 and held act 3."},
		"one act":    {all[2:4], nil, head + "0 of 6,000 requests; draingate lost 0 of 8,000: it promoted act 2."},
		"one fault":  {all, []string{"a"}, "Not as claimed, in 1 point."},
		"two faults": {all, []string{"a", "b"}, "Not as claimed, in 2 points."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := closing(tt.results, tt.faults); got != tt.want {
				t.Errorf("closing: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	for name, tt := range map[string]struct {
		interrupted bool
		err         error
		faults      []string
		want        int
	}{
		"as claimed":                        {want: 0},
		"not as claimed":                    {faults: []string{"a"}, want: 1},
		"failed":                            {err: errTest, want: 1},
		"interrupted":                       {interrupted: true, want: 130},
		"interrupted and something is left": {interrupted: true, err: errTest, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exitCode(tt.interrupted, tt.err, tt.faults); got != tt.want {
				t.Errorf("exit code: got %d, want %d", got, tt.want)
			}
		})
	}
}
