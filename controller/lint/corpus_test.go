package lint_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/jobspecs"
)

// The corpora: a case is a job specification testdata/err/ID-what.nomad.hcl (or
// .nomad.json), which has a finding of the rule, or testdata/ok/ID-what, a near
// miss that has none. What belongs to a case has its name and another ending:
//
//	.out                what is found, a line a finding; one between slashes is a
//	                    regular expression; no such file where nothing is found
//	.traefik.yml, .toml Traefik's static settings in place of testdata/traefik.yml;
//	                    a comment alone stands for none
//	.version            Traefik's version in place of 3.6.12
//	.vars               a file of variables
//	.against.nomad.hcl  the version that runs now (or .json)
//	.beside.nomad.hcl   another job of the same run, read first or last by its name
//
// To add a case, add files and run go test ./controller/lint -run TestCorpora
// -update, then read the .out.
type corpusCase struct {
	id, name, path string
	// sidecars are the contents of the other files by ending.
	sidecars map[string]string
}

// sidecarEndings are all that may follow the name of a case.
var sidecarEndings = []string{
	".out", ".traefik.yml", ".traefik.toml", ".version", ".vars", ".against.nomad.hcl", ".against.nomad.json", ".beside.nomad.hcl",
}

func corpus(t testing.TB, folder string) []corpusCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
	require.NoError(t, err)
	cases := map[string]*corpusCase{}
	var rest []string
	for _, file := range files {
		at := regexp.MustCompile(`^(.*/(DG[0-9]{3})-[a-z0-9-]+)\.nomad\.(hcl|json)$`).FindStringSubmatch(file)
		if at == nil {
			rest = append(rest, file)
			continue
		}
		require.Nil(t, cases[at[1]], "%s is there twice", at[1])
		cases[at[1]] = &corpusCase{id: at[2], name: filepath.Base(at[1]), path: file, sidecars: map[string]string{}}
	}
	for _, file := range rest {
		base, ending, _ := strings.Cut(filepath.Base(file), ".")
		c := cases[filepath.Join("testdata", folder, base)]
		require.NotNil(t, c, "%s belongs to no case", file)
		require.Contains(t, sidecarEndings, "."+ending, "%s belongs to no case", file)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		c.sidecars["."+ending] = string(content)
	}
	var out []corpusCase
	for _, key := range slices.Sorted(maps.Keys(cases)) {
		out = append(out, *cases[key])
	}
	return out
}

// sidecar is the path of another file of the case.
func (c corpusCase) sidecar(ending string) string {
	return filepath.Join(filepath.Dir(c.path), c.name+ending)
}

// run returns a line for each finding.
func (c corpusCase) run(t *testing.T) []string {
	t.Helper()
	with := lint.Traefik{Config: "testdata/traefik.yml", Version: "3.6.12"}
	for ending, content := range c.sidecars {
		if strings.HasPrefix(ending, ".traefik.") {
			with.Config = c.sidecar(ending)
			if strings.HasPrefix(content, "#") && strings.Count(content, "\n") == 1 {
				with.Config = ""
			}
		}
	}
	if v, ok := c.sidecars[".version"]; ok {
		with.Version = strings.TrimSpace(v)
	}
	settings, err := lint.ReadSettings(t.Context(), with)
	require.NoError(t, err)
	o := lint.Options{Paths: []string{c.path}, Settings: settings, Margin: time.Second, Specs: jobspecs.Options{BaseDir: filepath.Dir(c.path)}}
	for ending := range c.sidecars {
		switch {
		case strings.HasPrefix(ending, ".against."):
			o.Against = append(o.Against, c.sidecar(ending))
		case strings.HasPrefix(ending, ".beside."):
			o.Paths = append(o.Paths, c.sidecar(ending))
		case ending == ".vars":
			o.Specs.VarFiles = append(o.Specs.VarFiles, c.sidecar(ending))
		}
	}
	result, err := lint.Run(o)
	require.NoError(t, err)
	var out []string
	for _, f := range result.Findings {
		out = append(out, fmt.Sprintf("%s:%d:%d: %s: %s [%s]", filepath.Base(f.File), f.Line, f.Column, f.Severity, f.Message, f.Rule))
	}
	return out
}

func TestCorpora(t *testing.T) {
	for _, folder := range []string{"ok", "err"} {
		for _, c := range corpus(t, folder) {
			t.Run(folder+"/"+c.name, func(t *testing.T) {
				got := c.run(t)
				require.Equal(t, folder == "err", slices.ContainsFunc(got, func(line string) bool { return strings.HasSuffix(line, "["+c.id+"]") }),
					"a case in err has a finding of its rule and one in ok has none: %s", strings.Join(got, "\n"))
				if want := c.sidecars[".out"]; !sameLines(want, got) {
					if *update {
						c.write(t, got)
						return
					}
					t.Errorf("run with -update if that is right (-want +got):\n%s", cmp.Diff(strings.Split(want, "\n"), append(got, "")))
				}
			})
		}
	}
}

// sameLines compares with what a .out says; an expression must match the whole
// line.
func sameLines(out string, got []string) bool {
	want := slices.Collect(strings.Lines(out))
	return slices.EqualFunc(want, got, func(w, line string) bool {
		w = strings.TrimSuffix(w, "\n")
		if len(w) > 1 && strings.HasPrefix(w, "/") && strings.HasSuffix(w, "/") {
			return regexp.MustCompile("^(?:" + w[1:len(w)-1] + ")$").MatchString(line)
		}
		return w == line
	})
}

// write writes the .out, or removes it where nothing is found.
func (c corpusCase) write(t *testing.T, got []string) {
	t.Helper()
	if len(got) == 0 {
		if err := os.Remove(c.sidecar(".out")); !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
		return
	}
	require.NoError(t, os.WriteFile(c.sidecar(".out"), []byte(strings.Join(got, "\n")+"\n"), 0o600))
}

// What every rule must have in the corpora.
const (
	leastFinds = 2
	leastCases = 3
	// nearLines is by how many lines a near miss may differ from its twin in
	// err, the case of the same name, all files together.
	nearLines = 8
)

func TestCorporaCoverEveryRule(t *testing.T) {
	finds, misses, twins := map[string]int{}, map[string]int{}, map[string]bool{}
	bad := map[string]corpusCase{}
	for _, c := range corpus(t, "err") {
		finds[c.id]++
		bad[c.name] = c
	}
	for _, c := range corpus(t, "ok") {
		misses[c.id]++
		if twin, there := bad[c.name]; there {
			require.LessOrEqual(t, apart(c.text(t), twin.text(t)), nearLines, "ok/%s is not a near miss of err/%s", c.name, c.name)
			twins[c.id] = true
		}
	}
	for _, r := range lint.Rules() {
		require.GreaterOrEqual(t, finds[r.ID], leastFinds, "cases of %s in testdata/err", r.ID)
		require.GreaterOrEqual(t, finds[r.ID]+misses[r.ID], leastCases, "cases of %s", r.ID)
		require.True(t, twins[r.ID], "%s has no near miss: a case in testdata/ok with the name of one in testdata/err", r.ID)
		delete(finds, r.ID)
		delete(misses, r.ID)
	}
	require.Empty(t, finds, "rules that there are not")
	require.Empty(t, misses, "rules that there are not")
}

// text is all that the case is made of but for what is found.
func (c corpusCase) text(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(c.path)
	require.NoError(t, err)
	var out strings.Builder
	out.Write(content)
	for _, ending := range sidecarEndings[1:] {
		out.WriteString(c.sidecars[ending])
	}
	return out.String()
}

// apart is how many lines one text has and the other has not, alignment aside.
func apart(a, b string) int {
	count := map[string]int{}
	for line := range strings.Lines(a) {
		count[strings.Join(strings.Fields(line), " ")]++
	}
	for line := range strings.Lines(b) {
		count[strings.Join(strings.Fields(line), " ")]--
	}
	n := 0
	for _, d := range count {
		n += max(d, -d)
	}
	return n
}
