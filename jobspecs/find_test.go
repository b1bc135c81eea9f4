package jobspecs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/jobspecs"
)

// tree makes a folder of files and returns its name.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{
		"a.nomad":                "",
		"b.nomad.hcl":            "",
		"c.nomad.json":           "",
		"jobs/d.hcl":             "# A comment.\n  job \"d\" {\n}\n",
		"jobs/e.hcl":             "job bare {\n}\n",
		"jobs/vars.hcl":          "a = 1\n# job \"x\" is elsewhere\n",
		"jobs/deep/er/f.nomad":   "",
		"jobs/README.md":         "job \"x\" {",
		"jobs/package.json":      "{}",
		".git/g.nomad":           "",
		"empty/keep":             "",
		"odd/with*star.nomad":    "",
		"odd/custom.jobspec.txt": "",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	require.NoError(t, os.Symlink(filepath.Join(root, "a.nomad"), filepath.Join(root, "jobs", "link.nomad")))
	require.NoError(t, os.Symlink(root, filepath.Join(root, "jobs", "loop")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "jobs", "dangling.nomad")))
	return root
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := tree(t)
	all := "a.nomad b.nomad.hcl c.nomad.json jobs/d.hcl jobs/deep/er/f.nomad jobs/e.hcl jobs/link.nomad odd/with*star.nomad"
	cases := map[string]struct {
		args, want string
		says       []string
	}{
		"a folder, and all below it but hidden ones":  {".", all, nil},
		"a file, whatever its name":                   {"odd/custom.jobspec.txt", "odd/custom.jobspec.txt", nil},
		"several, sorted and each once":               {"jobs/e.hcl a.nomad jobs/../a.nomad jobs", "a.nomad jobs/d.hcl jobs/deep/er/f.nomad jobs/e.hcl jobs/link.nomad", nil},
		"a pattern":                                   {"*.nomad.*", "b.nomad.hcl c.nomad.json", nil},
		"a pattern for any depth":                     {"jobs/deep/**/*.nomad", "jobs/deep/er/f.nomad", nil},
		"a pattern takes files that folders leave":    {"jobs/*.hcl", "jobs/d.hcl jobs/e.hcl jobs/vars.hcl", nil},
		"a file whose name looks like a pattern":      {"odd/with*star.nomad", "odd/with*star.nomad", nil},
		"nothing there":                               {"absent.nomad a.nomad", "a.nomad", []string{"absent.nomad: no such file"}},
		"a pattern without a match":                   {"*.jobspec", "", []string{"no job specification matches"}},
		"a folder without any":                        {"empty", "", []string{"no job specification matches"}},
		"a pattern that is none":                      {"[", "", []string{"syntax error in pattern"}},
		"every argument without a file is complained": {"absent empty", "", []string{"absent", "empty"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var args, want []string
			for a := range strings.FieldsSeq(c.args) {
				args = append(args, root+"/"+a)
			}
			for w := range strings.FieldsSeq(c.want) {
				want = append(want, filepath.Join(root, w))
			}
			got, err := jobspecs.Find(args...)
			require.Equal(t, want, got)
			require.Equal(t, len(c.says) > 0, err != nil, "%v", err)
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
		})
	}
}

func TestFindStdin(t *testing.T) {
	t.Parallel()
	got, err := jobspecs.Find("-", "-")
	require.NoError(t, err)
	require.Equal(t, []string{"-"}, got)
	src, err := jobspecs.Read("-", strings.NewReader(`job "x" {}`))
	require.NoError(t, err)
	file, err := jobspecs.Parse(src, jobspecs.Options{})
	require.NoError(t, err)
	require.Equal(t, "stdin", file.Name)
	require.Equal(t, "x", file.Job.ID)
}
