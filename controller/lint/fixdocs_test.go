package lint_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/fix"
	"github.com/draingate/draingate/controller/rule"
)

// example is the bad example of a rule, before and after --fix.
type example struct {
	rule          rule.Rule
	options       lint.Options
	before, after string
	result        fix.Result
}

// badExamples are those of all rules that have one in a job, by ID.
func badExamples(t *testing.T) map[string]example {
	t.Helper()
	content, err := os.ReadFile(rulesPage)
	require.NoError(t, err)
	start, sections := parsePage(string(content))
	base, settings := fence(start, "hcl"), fence(start, "yaml")
	out := map[string]example{}
	for _, s := range sections {
		i := slices.IndexFunc(lint.Rules(), func(r rule.Rule) bool { return r.ID == s.id })
		require.GreaterOrEqual(t, i, 0, s.id)
		now := ""
		if s.now != "" {
			now = within(t, base, s.now)
		}
		before := within(t, base, s.bad)
		e := example{rule: lint.Rules()[i], before: before, after: before, options: optionsFor(t, before, now, s.settingsOf("Bad", settings))}
		e.result, err = fix.Run(e.options)
		require.NoError(t, err)
		for _, c := range e.result.Changes {
			e.after = string(c.After)
		}
		out[s.id] = e
	}
	return out
}

// What a rule says of itself is so: the bad example of one that --fix knows is
// fixed, is clean of the rule, and stays as it is the next time. No other rule
// has anything to write.
func TestEveryBadExampleIsFixedOrLeft(t *testing.T) {
	examples, fixable := badExamples(t), 0
	for _, r := range lint.Rules() {
		e := examples[r.ID]
		t.Run(r.ID, func(t *testing.T) {
			var fixed []lint.Finding
			for _, c := range e.result.Changes {
				fixed = append(fixed, c.Fixed...)
			}
			if r.Fixes == "" {
				require.NotContains(t, rulesIn(fixed), r.ID)
				return
			}
			fixable++
			require.Contains(t, rulesIn(fixed), r.ID, "left: %v", e.result.Left)
			for _, c := range e.result.Changes {
				require.NoError(t, c.Write())
			}
			after, err := lint.Run(e.options)
			require.NoError(t, err)
			require.NotContains(t, rulesIn(after.Findings), r.ID, "%s", e.after)
			again, err := fix.Run(e.options)
			require.NoError(t, err)
			require.Empty(t, again.Changes, "a second --fix changes nothing")
		})
	}
	require.Equal(t, 14, fixable)
}

// A remedy is what --fix writes, and a rule that says nothing of --fix has no
// fix and no reason not to.
func TestRemediesAndFixesSayTheSame(t *testing.T) {
	for _, e := range badExamples(t) {
		result, err := lint.Run(e.options)
		require.NoError(t, err)
		for _, f := range result.Findings {
			i := slices.IndexFunc(lint.Rules(), func(r rule.Rule) bool { return r.ID == f.Rule })
			require.Equal(t, lint.Rules()[i].Fixes != "", f.Fix != nil, "%s: %s", f.Rule, f.Message)
			if f.Fix == nil {
				continue
			}
			require.NotEqual(t, f.Fix.Not == "", len(f.Fix.Edits) == 0, f.Rule)
			for _, edit := range f.Fix.Edits {
				if edit.Rename != "" {
					require.True(t, strings.HasPrefix(f.Remedy, edit.Rename+" = "), f.Remedy)
					continue
				}
				require.Equal(t, f.Fix.Remedy(), f.Remedy)
			}
		}
	}
}
