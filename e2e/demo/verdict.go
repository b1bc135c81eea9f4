package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/draingate/draingate/e2e/harness"
)

// deadAtEnd is how many seconds without a good answer, at the end of a load,
// count as a service that is gone.
const deadAtEnd = 3

// judge returns what did not happen as the acts claim, in words.
func judge(results []result) []string {
	var faults []string
	for _, r := range results {
		check := judgeNomad
		if r.gated {
			check = judgeGated
		}
		for _, f := range check(r) {
			faults = append(faults, fmt.Sprintf("act %d, promoted by %s: %s", r.act.number, promoter(r.gated), f))
		}
	}
	return faults
}

// judgeGated is what draingate answers for. Nothing may ever be lost.
func judgeGated(r result) []string {
	var faults []string
	claim := func(holds bool, format string, args ...any) {
		if !holds {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	claim(r.report.Requests > 0, "no request was answered")
	claim(r.report.Lost == 0, "%s lost (%s)%s", plural(r.report.Lost, "request was", "requests were"), counts(r.report.LostBy), busy(r.report))
	if r.act.reason != "" {
		claim(r.held >= holdAtLeast, "draingate did not hold with %s for %s; it said %s", r.act.reason, holdAtLeast, r.last)
	}
	if r.act.promotes() {
		claim(r.promoted, "version 2 was not promoted; draingate said %s", r.last)
		claim(fenced(r) == r.act.fenced, "it was promoted %s a fence; draingate said %s", withOrWithout(fenced(r)), steps(r.told))
		return faults
	}
	claim(!r.promoted, "version 2 was promoted")
	claim(slices.Contains(r.serving, "1"), "version 1 did not serve at the end")
	return faults
}

// fenced reports whether draingate promoted after it took version 1 out of
// rotation.
func fenced(r result) bool {
	began := slices.IndexFunc(r.told, func(d decision) bool { return d.Decision == "Fence" })
	return began >= 0 && slices.ContainsFunc(r.told[began:], func(d decision) bool { return d.Decision == "Promote" && d.Reason == "FencedOut" })
}

func withOrWithout(with bool) string {
	if with {
		return "with"
	}
	return "without"
}

// busy explains requests that were not sent on time, which count as lost: a
// generator that pauses must not make a service look well.
func busy(r harness.LoadReport) string {
	if r.LostBy["late"]+r.LostBy["not sent"] == 0 {
		return ""
	}
	return "; this machine was too busy to send them all on time: try again, or with a lower -rate"
}

// judgeNomad is what the other side shows.
func judgeNomad(r result) []string {
	var faults []string
	if !r.promoted {
		faults = append(faults, "version 2 was not promoted")
	}
	if r.act.fenced && r.report.Lost == 0 {
		faults = append(faults, "no request was lost, so this shows nothing")
	}
	if r.act.sicken && !gone(r) {
		faults = append(faults, "the service still had a good instance at the end")
	}
	return faults
}

// gone reports whether nothing was answered well in the last seconds.
func gone(r result) bool {
	seconds := r.report.Seconds
	if len(seconds) < deadAtEnd {
		return false
	}
	for _, s := range seconds[len(seconds)-deadAtEnd:] {
		if s.Good > 0 {
			return false
		}
	}
	return true
}

// outcome says in a few words how a side ended.
func outcome(r result) string {
	var parts []string
	switch {
	case r.promoted && gone(r):
		parts = append(parts, "promoted, and no good instance is left")
	case r.promoted && r.held > 0:
		parts = append(parts, fmt.Sprintf("held: %s; promoted with shutdown_delay %s", r.act.reason, r.cured))
	case r.promoted && fenced(r):
		parts = append(parts, "fenced, then promoted")
	case r.promoted:
		parts = append(parts, "promoted")
	case r.held > 0:
		parts = append(parts, "held: "+r.act.reason)
	default:
		parts = append(parts, "not promoted")
	}
	if r.report.Lost > 0 {
		parts = append(parts, "lost by "+counts(r.report.LostBy))
	}
	if !r.promoted && len(r.serving) > 0 {
		parts = append(parts, "served by version "+strings.Join(r.serving, " and "))
	}
	return strings.Join(parts, "; ")
}

// closing is the one sentence at the end.
func closing(results []result, faults []string) string {
	if len(faults) > 0 {
		return fmt.Sprintf("Not as claimed, in %s.", plural(len(faults), "point", "points"))
	}
	var requests, lost [2]int
	var promoted, held []string
	for _, r := range results {
		i, name := 0, strconv.Itoa(r.act.number)
		if r.gated {
			i = 1
			if r.promoted {
				promoted = append(promoted, name)
			} else {
				held = append(held, name)
			}
		}
		requests[i] += r.report.Requests
		lost[i] += r.report.Lost
	}
	var did []string
	if len(promoted) > 0 {
		did = append(did, "promoted act "+strings.Join(promoted, " and act "))
	}
	if len(held) > 0 {
		did = append(did, "held act "+strings.Join(held, " and act "))
	}
	return fmt.Sprintf("With the same jobs, the same proxy and the same load, Nomad's own promotion lost %s of %s requests; draingate lost %s of %s: it %s.",
		thousands(lost[0]), thousands(requests[0]), thousands(lost[1]), thousands(requests[1]), strings.Join(did, " and "))
}

func promoter(gated bool) string {
	if gated {
		return "draingate"
	}
	return "Nomad"
}

// String is for messages.
func (d decision) String() string {
	if d.Decision == "" {
		return "nothing"
	}
	return strings.TrimSuffix(d.step()+": "+d.Message, ": ")
}

// step is the decision without its message.
func (d decision) step() string { return strings.TrimSpace(d.Decision + " " + d.Reason) }

// steps are decisions one after the other.
func steps(told []decision) string {
	if len(told) == 0 {
		return "nothing"
	}
	var out []string
	for _, d := range told {
		out = append(out, d.step())
	}
	return strings.Join(out, " → ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
