package lint

import (
	"slices"

	"github.com/draingate/draingate/controller/rule"
)

// The rules about the files themselves, which need no rule of package rule.
const (
	// Unreadable is a job specification that cannot be parsed.
	Unreadable = "DG000"
	// UnusedIgnore is an ignore that hides nothing.
	UnusedIgnore = "DG001"
	// IgnoreWithoutReason is an ignore that does not say why.
	IgnoreWithoutReason = "DG002"
)

// Rules returns every rule that a finding can name, in the order of their IDs:
// those about the files and those that package rule has about jobs. The former
// have no Find.
func Rules() []rule.Rule { return slices.Concat(own(), rule.All()) }

func own() []rule.Rule {
	return []rule.Rule{
		{
			ID: Unreadable, Name: "unreadable", Severity: rule.Error,
			Summary: "The job specification cannot be parsed.",
			Why: "Nomad's own parser (jobspec2, v1.11.3) refuses the file, or a variable has no value, so nothing in it was looked at. " +
				"A file that was not read is never reported as good.",
		},
		{
			ID: UnusedIgnore, Name: "unused-ignore", Severity: rule.Warning,
			Summary: "An ignore hides nothing.",
			Why: "What it was written for is gone, or it names the wrong rule. Left behind it will hide the next finding " +
				"of that rule, which nobody has looked at.",
		},
		{
			ID: IgnoreWithoutReason, Name: "ignore-without-reason", Severity: rule.Warning,
			Summary: "An ignore does not say why.",
			Why: "An ignore keeps quiet about requests that a deploy may drop. Without a reason nobody can tell later whether that was " +
				"meant, so it is not in force: the finding stays.",
		},
	}
}
