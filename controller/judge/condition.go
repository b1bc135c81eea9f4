package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// The reasons of the condition JobSound.
const (
	// ReasonNoFindings: no rule finds anything.
	ReasonNoFindings model.Reason = "NoFindings"
	// ReasonHasWarnings: there are findings, and none is an error or unknown.
	ReasonHasWarnings model.Reason = "HasWarnings"
	// ReasonHasErrors: at least one finding is an error.
	ReasonHasErrors model.Reason = "HasErrors"
	// ReasonHasUnknowns: no finding is an error, but something that matters is
	// not known.
	ReasonHasUnknowns model.Reason = "HasUnknowns"
	// ReasonJobUnknown: the deployment's version of the job is not known.
	ReasonJobUnknown model.Reason = "JobUnknown"
	// ReasonRulesFailed: the rules could not be applied.
	ReasonRulesFailed model.Reason = "RulesFailed"
)

// Reasons returns all reasons of the condition.
func Reasons() []model.Reason {
	return []model.Reason{ReasonNoFindings, ReasonHasWarnings, ReasonHasErrors, ReasonHasUnknowns, ReasonJobUnknown, ReasonRulesFailed}
}

// Condition is the condition JobSound of a deployment: what the rules find in
// the version that is deployed, compared with the version that runs.
func (j *Judge) Condition(s model.Snapshot) model.Condition {
	out := model.Condition{Type: model.JobSound, Status: model.Unknown, Reason: ReasonJobUnknown, Message: s.Job.Err}
	if !s.Job.Known() {
		return out
	}
	against := Running(s)
	found := j.Findings(&s.Job.Value, against, World{Proxies: s.Proxies, Load: s.Load})
	out.Status, out.Reason = verdict(found)
	out.Message = summary(found) + compared(against)
	return out
}

// Running is the newest other version of the job that has allocations, nil where
// there is none.
func Running(s model.Snapshot) *model.Job {
	var out *model.Job
	for _, a := range s.Allocations.Value {
		if a.ClientTerminal() || a.Job == nil || a.Job.Version == s.Job.Value.Version {
			continue
		}
		if out == nil || a.Job.Version > out.Version {
			out = a.Job
		}
	}
	return out
}

func verdict(all []Finding) (model.ConditionStatus, model.Reason) {
	has := func(s rule.Severity) bool {
		return slices.ContainsFunc(all, func(f Finding) bool { return f.Severity == s })
	}
	switch {
	case has(rule.Error):
		return model.False, ReasonHasErrors
	case has(rule.Unknown):
		return model.Unknown, ReasonHasUnknowns
	case len(all) > 0:
		return model.True, ReasonHasWarnings
	default:
		return model.True, ReasonNoFindings
	}
}

// summary counts the findings by severity and rule, and quotes the first of the
// worst.
func summary(all []Finding) string {
	if len(all) == 0 {
		return "no rule finds anything"
	}
	var counts []string
	var first *Finding
	for _, severity := range rule.Severities() {
		var ids []string
		for i := range all {
			if all[i].Severity != severity {
				continue
			}
			ids = append(ids, all[i].Rule)
			if first == nil {
				first = &all[i]
			}
		}
		if len(ids) > 0 {
			counts = append(counts, fmt.Sprintf("%d %s (%s)", len(ids), noun(severity, len(ids)), times(ids)))
		}
	}
	at := ""
	if first.Path != "" {
		at = string(first.Path) + ": "
	}
	return strings.Join(counts, ", ") + "; " + first.Rule + ": " + at + first.Message
}

func noun(s rule.Severity, n int) string {
	if n == 1 || s == rule.Unknown {
		return string(s)
	}
	return string(s) + "s"
}

// times are the IDs, each once, with how often it is there.
func times(ids []string) string {
	slices.Sort(ids)
	var out []string
	for i := 0; i < len(ids); {
		n := 0
		for _, id := range ids[i:] {
			if id == ids[i] {
				n++
			}
		}
		text := ids[i]
		if n > 1 {
			text = fmt.Sprintf("%s × %d", text, n)
		}
		out = append(out, text)
		i += n
	}
	return strings.Join(out, ", ")
}

func compared(against *model.Job) string {
	if against == nil {
		return ""
	}
	return fmt.Sprintf(" (compared with version %d, which runs)", against.Version)
}
