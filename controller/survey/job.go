package survey

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/judge"
	"github.com/draingate/draingate/controller/rule"
)

// notRead is the rule about what was not looked at.
const notRead = "DG000"

func (s *Survey) sorted() []name {
	return slices.SortedFunc(maps.Keys(s.jobs), func(a, b name) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.id, b.id))
	})
}

// judgeJob fills in what is found in a job. One that could not be read has a
// finding that says so.
func (s *Survey) judgeJob(n name, j *job) {
	j.found = nil
	found, version := []judge.Finding{unknown("the job cannot be read, so nothing in it was looked at: " + j.problem)}, uint64(0)
	if j.problem == "" {
		found, version = s.findingsIn(j), j.value.Version
	}
	for _, f := range found {
		j.found = append(j.found, Finding{Namespace: n.namespace, Job: n.id, JobVersion: version, Finding: f})
	}
}

// findingsIn turns a panic of a rule into a finding: one job that nobody thought
// of must not hide what is found in the others.
func (s *Survey) findingsIn(j *job) (out []judge.Finding) {
	defer func() {
		if r := recover(); r != nil {
			out = []judge.Finding{unknown(fmt.Sprintf("the rules could not be applied: %v", r))}
		}
	}()
	return s.judge.Findings(j.value, nil, s.world)
}

func unknown(message string) judge.Finding {
	return judge.Finding{Finding: rule.Finding{Rule: notRead, Severity: rule.Unknown, Message: message}}
}

// tell logs what is found in a job when that is other than before: rules and
// places, and not the figures, some of which are measured again and again.
func (s *Survey) tell(ctx context.Context, n name, j *job) {
	var said []string
	count := map[rule.Severity]int{}
	rules := map[string]bool{}
	for _, f := range j.found {
		said = append(said, f.Rule+" "+string(f.Severity)+" "+string(f.Path))
		rules[f.Rule] = true
		count[f.Severity]++
	}
	before, now := j.said, strings.Join(said, "\n")
	j.said = now
	if before == now {
		return
	}
	s.logger(ctx, n).Info("lint", "modifyIndex", j.stub.ModifyIndex, "errors", count[rule.Error], "warnings", count[rule.Warning], "notices", count[rule.Notice],
		"unknown", count[rule.Unknown], "rules", strings.Join(slices.Sorted(maps.Keys(rules)), " "))
}
