package fix

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// corpus has the jobs of the repository as they are, with the ends of lines of
// another system, and without the end of the last line.
func corpus(t testing.TB) []jobspecs.Source {
	t.Helper()
	var out []jobspecs.Source
	for _, pattern := range []string{"../../../jobspecs/testdata/ok/*.nomad.hcl", "../../../jobspecs/examples/*.nomad.hcl", "../testdata/*.hcl", "testdata/*.hcl"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			content, err := os.ReadFile(name)
			require.NoError(t, err)
			unix := bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
			out = append(out,
				jobspecs.Source{Name: name, Content: content},
				jobspecs.Source{Name: name, Content: bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))},
				jobspecs.Source{Name: name, Content: bytes.TrimRight(unix, "\n")})
		}
	}
	return out
}

// readable are those that can be parsed as they are.
func readable(t testing.TB) []*jobspecs.File {
	t.Helper()
	var out []*jobspecs.File
	for _, src := range corpus(t) {
		if file, err := jobspecs.Parse(src, jobspecs.Options{BaseDir: filepath.Dir(src.Name)}); err == nil {
			out = append(out, file)
		}
	}
	require.Greater(t, len(out), 30)
	return out
}

// candidates are edits of every kind at every place where one might be wanted,
// also where it is not possible.
func candidates(f *jobspecs.File) []rule.Edit {
	var out []rule.Edit
	for _, p := range f.Paths() {
		out = append(out, rule.Edit{Path: p, Value: "a \"new\" ${one}"}, rule.Edit{Path: p, Value: 7}, rule.Edit{Path: p, Rename: "renamed_key"})
		for _, name := range []string{"shutdown_delay", "kill_timeout", "initial_status", "progress_deadline"} {
			out = append(out, rule.Edit{Path: p.Child(name), Value: "19s"})
		}
	}
	return out
}

// Whatever is written, into whatever job: the text can still be parsed, all
// comments are there, and the lines around it are as they were.
func TestPropOnlyWhatIsMeantChanges(t *testing.T) {
	files := readable(t)
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom(files).Draw(t, "file")
		if !rapid.Bool().Draw(t, "as it is") {
			content := bytes.ReplaceAll(file.Content, []byte("  "), []byte(" \t")) // a layout of its own
			if odd, err := jobspecs.Parse(jobspecs.Source{Name: file.Name, Content: content}, jobspecs.Options{BaseDir: filepath.Dir(file.Name)}); err == nil {
				file = odd
			}
		}
		source, all := newText(file), changes{values: map[model.Path]any{}}
		for _, e := range rapid.SliceOfN(rapid.SampledFrom(candidates(file)), 1, 8).Draw(t, "edits") {
			if splices, why := source.splices([]rule.Edit{e}); why == "" {
				all.add([]rule.Edit{e}, splices)
			}
		}
		after := rewrite(file.Content, all.splices)
		_, diags := hclsyntax.ParseConfig(after, file.Name, hcl.InitialPos)
		if diags.HasErrors() && !strings.Contains(diags.Error(), "redefined") {
			t.Fatalf("%v in\n%s", diags, after)
		}
		if d := cmp.Diff(comments(file.Content), comments(after)); d != "" {
			t.Fatalf("comments: %s", d)
		}
		if d := cmp.Diff(untouched(file.Content, all.splices), remaining(file.Content, after, all.splices)); d != "" {
			t.Fatalf("lines: %s\n%s", d, after)
		}
	})
}

func comments(content []byte) []string {
	tokens, _ := hclsyntax.LexConfig(content, "", hcl.InitialPos)
	var out []string
	for _, token := range tokens {
		if token.Type == hclsyntax.TokenComment {
			out = append(out, string(token.Bytes))
		}
	}
	return out
}

// untouched are the lines that no splice is in, as they are to be compared.
func untouched(content []byte, splices []splice) []string {
	var out []string
	start, compare := 0, comparable(content)
	for line := range bytes.Lines(content) {
		end := start + len(line)
		touched := slices.ContainsFunc(splices, func(s splice) bool {
			return s.start < end && s.end > start || s.start == s.end && s.start > start && s.start < end
		})
		if !touched {
			out = append(out, compare(string(line)))
		}
		start = end
	}
	return out
}

// remaining are the lines of the result that come from untouched ones: what
// stands between the splices.
func remaining(before, after []byte, splices []splice) []string {
	want, compare := untouched(before, splices), comparable(before)
	var out []string
	for line := range bytes.Lines(after) {
		if text := compare(string(line)); len(out) < len(want) && text == want[len(out)] {
			out = append(out, text)
		}
	}
	return out
}

// comparable makes of a line the line itself, byte by byte. In a file that is
// in the layout of nomad fmt, what a new line moves is the blanks before an
// equals sign or a comment.
func comparable(file []byte) func(string) string {
	if !bytes.Equal(file, hclwrite.Format(file)) {
		return func(line string) string { return line }
	}
	blanks := regexp.MustCompile(`(\S) +`)
	return func(line string) string { return blanks.ReplaceAllString(line, "$1 ") }
}

// What is found in the corpus is fixed without a trace of anything else, and
// then left alone.
func TestTheCorpusIsFixedOnce(t *testing.T) {
	settings, err := lint.ReadSettings(t.Context(), lint.Traefik{Config: "testdata/settings.yml"})
	require.NoError(t, err)
	linter, err := lint.NewLinter(lint.Options{Settings: settings, Specs: jobspecs.Options{NoFiles: true}})
	require.NoError(t, err)
	fixed := 0
	for _, src := range corpus(t) {
		s := newSession(linter, src)
		s.run()
		fixed += len(s.fixed)
		require.Equal(t, comments(src.Content), comments(s.src.Content), src.Name)
		again := newSession(linter, s.src)
		again.run()
		require.Equal(t, string(s.src.Content), string(again.src.Content), src.Name)
		require.Equal(t, bytes.HasSuffix(src.Content, []byte("\n")), bytes.HasSuffix(s.src.Content, []byte("\n")))
		if bytes.Count(src.Content, []byte("\r\n")) == bytes.Count(src.Content, []byte("\n")) {
			require.Equal(t, bytes.Count(s.src.Content, []byte("\r\n")), bytes.Count(s.src.Content, []byte("\n")), "%s: the ends of lines", src.Name)
		}
	}
	require.Greater(t, fixed, 30)
}

// FuzzFix sends any text through everything: no input may end the process, and
// what comes out is better or the same.
func FuzzFix(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src.Content)
	}
	linter, err := lint.NewLinter(lint.Options{Specs: jobspecs.Options{NoFiles: true}, Settings: lint.Settings{Where: "fuzz"}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, content []byte) {
		s := newSession(linter, jobspecs.Source{Name: "fuzz", Content: content})
		before := len(s.found)
		s.run()
		if len(s.fixed) == 0 {
			require.Equal(t, string(content), string(s.src.Content))
			return
		}
		require.NotNil(t, s.file)
		require.LessOrEqual(t, len(s.found), before+len(s.fixed))
		require.Equal(t, comments(content), comments(s.src.Content))
	})
}
