package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// stubRules find a count above 1, any throttle, and a version to compare with;
// with these the tests do not depend on what the real rules say.
func stubRules() []rule.Rule {
	return []rule.Rule{
		{ID: "DG201", Severity: rule.Error, Find: func(in rule.Input) []rule.Finding {
			var out []rule.Finding
			for _, g := range in.Job.Groups {
				if g.Count > 1 {
					out = append(out, rule.Finding{Path: model.GroupPath(g.Name).Child("count"), Message: fmt.Sprintf("count is %d", g.Count)})
				}
			}
			return out
		}},
		{ID: "DG101", Severity: rule.Error, Find: func(rule.Input) []rule.Finding { return nil }},
		{ID: "DG501", Severity: rule.Warning, Find: func(in rule.Input) []rule.Finding {
			return []rule.Finding{{Message: fmt.Sprintf("throttle is %s", in.Settings.Throttle)}}
		}},
		{ID: "DG901", Severity: rule.Notice, Find: func(in rule.Input) []rule.Finding {
			if in.Against == nil {
				return nil
			}
			return []rule.Finding{{Path: model.JobPath, Message: fmt.Sprintf("ran with %d groups", len(in.Against.Job.Groups))}}
		}},
	}
}

// found runs the stub rules over files, and returns one line a finding.
func found(t *testing.T, o lint.Options) ([]string, lint.Result) {
	t.Helper()
	o.Rules = stubRules()
	result, err := lint.Run(o)
	require.NoError(t, err)
	var out []string
	for _, f := range result.Findings {
		out = append(out, fmt.Sprintf("%s:%d:%d %s %s", filepath.Base(f.File), f.Line, f.Column, f.Rule, f.Message))
	}
	return out, result
}

// put writes a file into a new folder and returns its name.
func put(t *testing.T, name, body string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, []byte(body), 0o600))
	return name
}

func TestFindingsHaveTheirPlace(t *testing.T) {
	name := put(t, "web.nomad.hcl", "job \"web\" {\n  group \"a\" {\n    count = 2\n  }\n  group \"b\" {}\n}\n")
	lines, result := found(t, lint.Options{Paths: []string{name}, Settings: lint.Settings{Assumed: true}})
	require.Equal(t, []string{"web.nomad.hcl:1:1 DG501 throttle is 0s", "web.nomad.hcl:3:5 DG201 count is 2"}, lines)
	want := lint.Finding{
		Rule: "DG201", Severity: rule.Error, File: name, Path: model.GroupPath("a").Child("count"), Line: 3, Column: 5, EndLine: 3, EndColumn: 14, Message: "count is 2",
		Excerpt: lint.Excerpt{Text: "    count = 2", From: 4, To: 13},
	}
	require.Empty(t, cmp.Diff(want, result.Findings[1]))
	require.Equal(t, 1, result.Files)
}

func TestSettingsAreShownWhereTheyComeFromOnce(t *testing.T) {
	job := "job \"%s\" {\n  group \"a\" {}\n}\n"
	dir := t.TempDir()
	for _, id := range []string{"one", "two"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, id+".nomad"), fmt.Appendf(nil, job, id), 0o600))
	}
	settings := lint.Settings{Where: "traefik.yml", Value: model.ProxySettings{Throttle: time.Second}}
	lines, _ := found(t, lint.Options{Paths: []string{dir}, Settings: settings})
	require.Equal(t, []string{"traefik.yml:0:0 DG501 throttle is 1s"}, lines)
	lines, _ = found(t, lint.Options{Paths: []string{dir}, Settings: lint.Settings{Assumed: true}})
	require.Equal(t, []string{"one.nomad:1:1 DG501 throttle is 0s"}, lines, "at the first job, where there is no file")
	lines, _ = found(t, lint.Options{Settings: settings})
	require.Equal(t, []string{"traefik.yml:0:0 DG501 throttle is 1s"}, lines, "the settings alone")
}

func TestMistakesAreFindings(t *testing.T) {
	tests := map[string]struct {
		body string
		want string
	}{
		"a block that does not end": {"job \"web\" {\n  group \"a\" {\n", "x.nomad:2:13 DG000 Unclosed configuration block"},
		"a value of a wrong type":   {"job \"web\" {\n  group \"a\" {\n    count = \"many\"\n  }\n}\n", "x.nomad:3:"},
		"a variable without a value": {"variable \"tag\" {}\njob \"web\" {\n  group \"a\" {\n    task \"t\" {\n      driver = var.tag\n    }\n  }\n}\n",
			"DG000 "},
		"JSON that ends early":   {`{"Job": {"ID": "x"`, "DG000 "},
		"nothing at all":         {"", "DG000 "},
		"bytes that are no text": {"job \"\xff\xfe\" {\n", "DG000 "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			lines, result := found(t, lint.Options{Paths: []string{put(t, "x.nomad", tt.body)}, Settings: lint.Settings{Where: "t"}})
			require.Contains(t, strings.Join(lines, "\n"), tt.want)
			require.Equal(t, 1, result.Unreadable)
		})
	}
}

func TestOneBadFileDoesNotHideTheOthers(t *testing.T) {
	good := put(t, "good.nomad", "job \"web\" {\n  group \"a\" {\n    count = 2\n  }\n}\n")
	bad := put(t, "bad.nomad", "job {")
	result, err := lint.Run(lint.Options{Paths: []string{bad, "nowhere.nomad", good}, Rules: stubRules()[:1]})
	require.ErrorContains(t, err, "nowhere.nomad")
	require.Equal(t, 2, result.Files)
	require.Equal(t, 1, result.Unreadable)
	require.Equal(t, 1, result.Count(rule.Error)-countOf(result, lint.Unreadable))
}

func countOf(r lint.Result, id string) int {
	n := 0
	for _, f := range r.Findings {
		if f.Rule == id {
			n++
		}
	}
	return n
}

func TestAgainstComparesJobsOfOneName(t *testing.T) {
	now := put(t, "now.json", `{"ID": "web", "Namespace": "default", "TaskGroups": [{"Name": "a"}, {"Name": "b"}]}`)
	next := put(t, "next.nomad", "job \"web\" {\n  group \"a\" {}\n}\n")
	lines, _ := found(t, lint.Options{Paths: []string{next}, Against: []string{now}, Settings: lint.Settings{Where: "t"}})
	require.Equal(t, []string{"next.nomad:1:1 DG901 ran with 2 groups", "t:0:0 DG501 throttle is 0s"}, lines)

	other := put(t, "other.nomad", "job \"api\" {\n  group \"a\" {}\n}\n")
	_, err := lint.Run(lint.Options{Paths: []string{other}, Against: []string{now}, Rules: stubRules()})
	require.ErrorContains(t, err, `its job "web" is in none of the files`)
}

func TestVariablesAreSharedByManyFiles(t *testing.T) {
	declares := put(t, "a.nomad", "variable \"n\" {}\njob \"a\" {\n  group \"a\" {\n    count = var.n\n  }\n}\n")
	lacks := put(t, "b.nomad", "job \"b\" {\n  group \"a\" {}\n}\n")
	o := lint.Options{Paths: []string{declares, lacks}, Specs: jobspecs.Options{Vars: []string{"n=3"}}, Settings: lint.Settings{Where: "t"}}
	lines, _ := found(t, o)
	require.Equal(t, []string{"a.nomad:4:5 DG201 count is 3", "t:0:0 DG501 throttle is 0s"}, lines)
	o.Paths = []string{lacks}
	lines, _ = found(t, o)
	require.Contains(t, strings.Join(lines, "\n"), "DG000", "a single file must declare it, as for Nomad")
	o = lint.Options{Paths: []string{declares}, Specs: jobspecs.Options{Env: []string{"NOMAD_VAR_n=4"}}, Settings: lint.Settings{Where: "t"}}
	lines, _ = found(t, o)
	require.Contains(t, lines, "a.nomad:4:5 DG201 count is 4")
}

func TestStandardInput(t *testing.T) {
	lines, _ := found(t, lint.Options{Paths: []string{"-"}, Stdin: strings.NewReader("job \"a\" {\n  group \"a\" {\n    count = 2\n  }\n}\n"), Settings: lint.Settings{Where: "t"}})
	require.Equal(t, []string{"stdin:3:5 DG201 count is 2", "t:0:0 DG501 throttle is 0s"}, lines)
}

func TestEveryRuleHasItsOwnID(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range lint.Rules() {
		require.Regexp(t, `^DG[0-9]{3}$`, r.ID)
		require.Regexp(t, `^[a-z][a-z0-9-]*$`, r.Name, r.ID)
		require.Contains(t, rule.Severities(), r.Severity, r.ID)
		require.NotEmpty(t, r.Why, r.ID)
		require.False(t, seen[r.ID] || seen[r.Name], "%s %s is there twice", r.ID, r.Name)
		seen[r.ID], seen[r.Name] = true, true
	}
}
