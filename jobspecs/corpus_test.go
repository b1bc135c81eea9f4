package jobspecs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/jobspecs"
)

// requireGolden compares a text with a file, or writes the file where
// UPDATE_GOLDEN is set.
func requireGolden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// specs are the sources in a folder of testdata.
func specs(t testing.TB, folder string) []string {
	t.Helper()
	names, err := jobspecs.Find(filepath.Join("testdata", folder))
	require.NoError(t, err)
	return names
}

// optionsOf reads the flags and the environment that belong to a source, one a
// line, from the file beside it.
func optionsOf(t testing.TB, name string) jobspecs.Options {
	t.Helper()
	var o jobspecs.Options
	text, err := os.ReadFile(without(name) + ".options")
	if errors.Is(err, os.ErrNotExist) {
		return o
	}
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "-var="); ok {
			o.Vars = append(o.Vars, v)
		} else if v, ok := strings.CutPrefix(line, "-var-file="); ok {
			o.VarFiles = append(o.VarFiles, v)
		} else {
			o.Env = append(o.Env, line)
		}
	}
	return o
}

// without is the name of a source without what it ends in.
func without(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, ".hcl"), ".json"), ".nomad")
}

func parse(t testing.TB, name string) *jobspecs.File {
	t.Helper()
	src, err := jobspecs.Read(name, nil)
	require.NoError(t, err)
	file, err := jobspecs.Parse(src, optionsOf(t, name))
	require.NoError(t, err)
	return file
}

func TestCorpusOK(t *testing.T) {
	t.Parallel()
	names := specs(t, "ok")
	require.Greater(t, len(names), 12)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			file := parse(t, name)
			job, err := json.MarshalIndent(file.Job, "", "  ")
			require.NoError(t, err)
			requireGolden(t, without(name)+".golden.json", string(job)+"\n")
			requireGolden(t, without(name)+".positions", positions(file))
		})
	}
}

// positions has a line for each path: its range and the text in it, and that of
// its value, each cut short at the end of its line.
func positions(f *jobspecs.File) string {
	var out strings.Builder
	for _, path := range f.Paths() {
		at, _ := f.Locate(path)
		fmt.Fprintf(&out, "%s  %s %q", path, span(at.Range), text(f, at.Range))
		if at.Value != at.Range && at.Value.Known() {
			fmt.Fprintf(&out, "  %s %q", span(at.Value), text(f, at.Value))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func span(r jobspecs.Range) string {
	return fmt.Sprintf("%d:%d-%d:%d", r.Start.Line, r.Start.Column, r.End.Line, r.End.Column)
}

func text(f *jobspecs.File, r jobspecs.Range) string {
	first, rest, _ := strings.Cut(string(f.Content[r.Start.Byte:r.End.Byte]), "\n")
	if rest != "" {
		first += "…"
	}
	return first
}

func TestCorpusErr(t *testing.T) {
	t.Parallel()
	for _, name := range specs(t, "err") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			src, err := jobspecs.Read(name, nil)
			require.NoError(t, err)
			file, err := jobspecs.Parse(src, optionsOf(t, name))
			require.Nil(t, file)
			var problems jobspecs.Diagnostics
			require.ErrorAs(t, err, &problems)
			var out strings.Builder
			for _, p := range problems {
				fmt.Fprintf(&out, "%s %s\n  %s\n", p.Range.File, span(p.Range), p.Summary)
				for line := range strings.Lines(p.Detail) {
					fmt.Fprintf(&out, "  %s\n", strings.TrimRight(line, " \n"))
				}
			}
			requireGolden(t, name+".out", out.String())
		})
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("examples/*.nomad.hcl")
	require.NoError(t, err)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, parse(t, name).Job.Groups)
		})
	}
}
