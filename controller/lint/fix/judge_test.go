package fix

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

func TestWhatIsWorse(t *testing.T) {
	at := func(id string, s rule.Severity, path model.Path) lint.Finding {
		return lint.Finding{Rule: id, Severity: s, Path: path, Message: "m"}
	}
	fixed := at("DG101", rule.Warning, "a")
	tests := map[string]struct {
		before, after []lint.Finding
		want          string
	}{
		"the finding is gone":                  {before: []lint.Finding{fixed}},
		"it is still there":                    {before: []lint.Finding{fixed}, after: []lint.Finding{fixed}, want: "found with that as well"},
		"one of two is gone":                   {before: []lint.Finding{fixed, fixed}, after: []lint.Finding{fixed}},
		"it stands elsewhere":                  {before: []lint.Finding{fixed}, after: []lint.Finding{at("DG101", rule.Warning, "b")}, want: "would bring DG101"},
		"something else was there before":      {before: []lint.Finding{fixed, at("DG301", rule.Error, "b")}, after: []lint.Finding{at("DG301", rule.Error, "b")}},
		"something else is now worse":          {before: []lint.Finding{fixed, at("DG301", rule.Notice, "b")}, after: []lint.Finding{at("DG301", rule.Error, "b")}, want: "would bring DG301"},
		"something else is milder":             {before: []lint.Finding{fixed, at("DG301", rule.Error, "b")}, after: []lint.Finding{at("DG301", rule.Notice, "b")}},
		"something new is as bad":              {before: []lint.Finding{fixed}, after: []lint.Finding{at("DG301", rule.Warning, "b")}, want: "would bring DG301"},
		"something new is milder":              {before: []lint.Finding{fixed}, after: []lint.Finding{at("DG301", rule.Notice, "b")}},
		"something can no longer be told":      {before: []lint.Finding{fixed}, after: []lint.Finding{at("DG413", rule.Unknown, "b")}, want: "would bring DG413"},
		"the result cannot be read":            {before: []lint.Finding{fixed}, after: []lint.Finding{at(lint.Unreadable, rule.Error, "")}, want: "could not read"},
		"one more of what was there before":    {before: []lint.Finding{fixed, at("DG301", rule.Error, "b")}, after: []lint.Finding{at("DG301", rule.Error, "b"), at("DG301", rule.Error, "b")}, want: "would bring DG301"},
		"an ignore that hides nothing anymore": {before: []lint.Finding{fixed}, after: []lint.Finding{at(lint.UnusedIgnore, rule.Warning, "")}, want: "would bring DG001"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := worse(tt.before, tt.after, []lint.Finding{fixed})
			if tt.want == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, tt.want)
		})
	}
}
