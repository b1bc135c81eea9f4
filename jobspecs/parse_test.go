package jobspecs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs"
)

func source(content string) jobspecs.Source {
	return jobspecs.Source{Name: "x.nomad.hcl", Content: []byte(content)}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "n"), []byte("3"), 0o644))
	reads := source("job \"x\" {\n group \"g\" {\n count = file(\"n\")\n }\n}")
	vars := source("variable \"n\" {\n default = 1\n}\njob \"x\" {\n group \"g\" {\n count = var.n\n }\n}")
	cases := map[string]struct {
		src   jobspecs.Source
		o     jobspecs.Options
		count int
		says  string
	}{
		"a file below the base folder":         {reads, jobspecs.Options{BaseDir: dir}, 3, ""},
		"a file that is not there":             {reads, jobspecs.Options{}, 0, "no file exists"},
		"files are forbidden":                  {reads, jobspecs.Options{BaseDir: dir, NoFiles: true}, 0, "filesystem function disabled"},
		"the default":                          {vars, jobspecs.Options{}, 1, ""},
		"the environment":                      {vars, jobspecs.Options{Env: []string{"NOMAD_VAR_n=4", "n=5", "NOMAD_VAR_m=6"}}, 4, ""},
		"a flag goes before the environment":   {vars, jobspecs.Options{Env: []string{"NOMAD_VAR_n=4"}, Vars: []string{"n=5"}}, 5, ""},
		"the last flag wins":                   {vars, jobspecs.Options{Vars: []string{"n=5", "n=6"}}, 6, ""},
		"a variable that is not declared":      {vars, jobspecs.Options{Vars: []string{"m=5"}}, 0, "Undefined -var variable"},
		"one that need not be":                 {vars, jobspecs.Options{Vars: []string{"m=5"}, AllowUndeclared: true}, 1, ""},
		"a flag without a value":               {vars, jobspecs.Options{Vars: []string{"n"}}, 0, `"n" is not of the form name=value`},
		"a flag without a name":                {vars, jobspecs.Options{Vars: []string{"=1"}}, 0, "not of the form"},
		"a file of variables that is no file":  {vars, jobspecs.Options{VarFiles: []string{dir}}, 0, "is a directory"},
		"variables do not matter to JSON":      {source(`{"ID":"x","TaskGroups":[{"Count":7}]}`), jobspecs.Options{Vars: []string{"m=5"}}, 7, ""},
		"JSON under a key in another case":     {source("\n\t{\"job\":{\"id\":\"x\",\"taskgroups\":[{\"count\":8}]}}"), jobspecs.Options{}, 8, ""},
		"JSON with something after it":         {source(`{"ID":"x"} {}`), jobspecs.Options{}, 0, "Extraneous data"},
		"an empty object":                      {source(`{}`), jobspecs.Options{}, 0, "Missing job"},
		"a wrapped null":                       {source(`{"Job":null}`), jobspecs.Options{}, 0, "Missing job"},
		"a list instead of an object":          {source(`[{"ID":"x"}]`), jobspecs.Options{}, 0, "x.nomad.hcl:1:1"},
		"text that is not UTF-8":               {source("job \"\xff\" {}"), jobspecs.Options{}, 0, "Invalid character"},
		"a for_each over what nobody declares": {source("job \"x\" {\n group \"g\" {\n dynamic \"service\" {\n for_each = var.none\n content {}\n }\n }\n}"), jobspecs.Options{}, 0, "x.nomad.hcl:4:"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := jobspecs.Parse(c.src, c.o)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.Nil(t, file)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.count, file.Job.Groups[0].Count)
		})
	}
}

// Without a guard, each of these ends the whole process: Go does not let a
// program recover from a stack that is too large.
func TestWhatIsNestedTooDeeplyIsRefused(t *testing.T) {
	t.Parallel()
	const n = 1 << 18
	cases := map[string]string{
		"parentheses":                           strings.Repeat("(", n),
		"lists":                                 strings.Repeat("[", n),
		"objects":                               strings.Repeat("{a=", n),
		"negations":                             strings.Repeat("!", n) + "true",
		"additions":                             "1" + strings.Repeat("+1", n),
		"over many lines":                       "(1" + strings.Repeat("\n+1", n) + ")",
		"conditions":                            strings.Repeat("true?1:", n) + "1",
		"interpolations":                        strings.Repeat(`"${`, n),
		"indexes":                               "a" + strings.Repeat("[0]", n),
		"calls of calls":                        strings.Repeat("f(", n),
		"blocks in blocks":                      "1\n" + strings.Repeat("a {\n", n),
		"additions that calls with commas hide": "1" + strings.Repeat("+f(1,1)", n/4),
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := jobspecs.Parse(source("job \"x\" {\n a = "+c+"\n}\n"), jobspecs.Options{})
			require.ErrorContains(t, err, "Nested too deeply")
		})
	}
	t.Run("HCL in JSON", func(t *testing.T) {
		_, err := jobspecs.Parse(source(`{"job":{"x":{"a":"${`+strings.Repeat("(", n)+`}"}}}`), jobspecs.Options{})
		require.ErrorContains(t, err, "Too large")
	})
	t.Run("JSON", func(t *testing.T) {
		_, err := jobspecs.Parse(source(`{"ID":"x","Meta":`+strings.Repeat("[", n)+`}`), jobspecs.Options{})
		require.Error(t, err)
	})
}

// What is large and flat is not what the guard is for.
func TestLargeSourcesAreRead(t *testing.T) {
	t.Parallel()
	src := large(t, 256<<10)
	file, err := jobspecs.Parse(src, jobspecs.Options{})
	require.NoError(t, err)
	require.Greater(t, len(file.Job.Groups), 50)
	for _, g := range file.Job.Groups {
		require.True(t, file.Has(model.GroupPath(g.Name).Service(0).Tag(1)), g.Name)
	}
}

func TestReadRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	_, err := jobspecs.Read("-", strings.NewReader(strings.Repeat(" ", jobspecs.MaxSize+1)))
	require.ErrorContains(t, err, "larger than 16 MiB")
	_, err = jobspecs.Read("absent.nomad", nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
