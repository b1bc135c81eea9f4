package lint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
)

func TestIgnores(t *testing.T) {
	// At the mark stands what each case adds.
	const counted = "    count = 2"
	tests := map[string]struct {
		jobMeta, groupMeta, above, after string
		want                             []string
	}{
		"nothing is ignored":                        {want: []string{"DG201"}},
		"a comment above":                           {above: "    # draingate:ignore DG201 it is a test\n"},
		"a comment on the line":                     {after: " # draingate:ignore DG201 it is a test"},
		"a comment in the other style":              {above: "    // draingate:ignore DG201 it is a test\n"},
		"a comment in the third style":              {above: "    /* draingate:ignore DG201 it is a test */\n"},
		"two comments above":                        {above: "    # draingate:ignore DG201 it is a test\n    # and more\n\n"},
		"two rules in one comment":                  {above: "    # draingate:ignore DG201,DG101 it is a test\n", want: []string{"DG001 DG101 finds nothing"}},
		"a comment two lines above":                 {above: "    # draingate:ignore DG201 no\n    shutdown_delay = \"1s\"\n", want: []string{"DG001 DG201 finds nothing", "DG201"}},
		"a comment at the end of the line above":    {above: "    shutdown_delay = \"1s\" # draingate:ignore DG201 no\n", want: []string{"DG001 DG201 finds nothing", "DG201"}},
		"a comment without a reason":                {above: "    # draingate:ignore DG201\n", want: []string{"DG002 this ignore of DG201", "DG201"}},
		"a comment without anything":                {above: "    # draingate:ignore\n", want: []string{"DG002", "DG201"}},
		"a comment for another rule":                {above: "    # draingate:ignore DG101 no\n", want: []string{"DG001 DG101 finds nothing", "DG201"}},
		"a comment for no rule":                     {above: "    # draingate:ignore DG777 no\n", want: []string{"DG001 this ignore names DG777", "DG201"}},
		"a word that only begins like it":           {above: "    # draingate:ignored DG201 no\n", want: []string{"DG201"}},
		"meta of the job":                           {jobMeta: `draingate_ignore_DG201 = "it is a test"`},
		"meta of the group":                         {groupMeta: `draingate_ignore_DG201 = "it is a test"`},
		"meta in lower case":                        {groupMeta: `draingate_ignore_dg201 = "it is a test"`},
		"meta without a reason":                     {groupMeta: `draingate_ignore_DG201 = " "`, want: []string{"DG002", "DG201"}},
		"meta that hides nothing":                   {jobMeta: `draingate_ignore_DG101 = "no"`, want: []string{"DG001 DG101 finds nothing", "DG201"}},
		"meta and a comment that both say the same": {above: "    # draingate:ignore DG201 one\n", jobMeta: `draingate_ignore_DG201 = "two"`},
		"meta for no rule is for a rule to report":  {jobMeta: `draingate_ignore_DG001 = "no"`, want: []string{"DG201"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := "job \"web\" {\n  meta {\n    " + tt.jobMeta + "\n  }\n  group \"a\" {\n    meta {\n      " + tt.groupMeta + "\n    }\n" +
				tt.above + counted + tt.after + "\n  }\n}\n"
			lines, _ := found(t, lint.Options{Paths: []string{put(t, "web.nomad", body)}, Settings: lint.Settings{Where: "t"}})
			require.Len(t, lines, len(tt.want)+1, "%v in\n%s", lines, body)
			for i, want := range tt.want {
				require.Contains(t, lines[i], want)
			}
		})
	}
}

func TestAnIgnoreOfAGroupIsForThatGroup(t *testing.T) {
	body := "job \"web\" {\n  group \"a\" {\n    meta {\n      draingate_ignore_DG201 = \"test\"\n    }\n    count = 2\n  }\n  group \"ab\" {\n    count = 3\n  }\n}\n"
	lines, _ := found(t, lint.Options{Paths: []string{put(t, "web.nomad", body)}, Settings: lint.Settings{Where: "t"}})
	require.Equal(t, []string{"web.nomad:9:5 DG201 count is 3", "t:0:0 DG501 throttle is 0s"}, lines)
}

func TestTextInAStringIsNoComment(t *testing.T) {
	body := "job \"web\" {\n  group \"a\" {\n    meta {\n      x = \"# draingate:ignore DG777 no\"\n    }\n  }\n}\n"
	lines, _ := found(t, lint.Options{Paths: []string{put(t, "web.nomad", body)}, Settings: lint.Settings{Where: "t"}})
	require.Equal(t, []string{"t:0:0 DG501 throttle is 0s"}, lines)
}
