package fix_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint/fix"
)

func TestWriteReplacesTheFileWhole(t *testing.T) {
	name := put(t, "web.nomad.hcl", "old\n")
	change := fix.Change{Name: name, Before: []byte("old\n"), After: []byte("new\n")}
	require.NoError(t, change.Write())
	require.NoError(t, change.Write(), "given under two names")
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "new\n", string(content))
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside it")
}

func TestWriteFollowsALink(t *testing.T) {
	name := put(t, "web.nomad.hcl", "old\n")
	link := filepath.Join(t.TempDir(), "link.nomad.hcl")
	require.NoError(t, os.Symlink(name, link))
	require.NoError(t, fix.Change{Name: link, Before: []byte("old\n"), After: []byte("new\n")}.Write())
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "new\n", string(content))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "the link stays one")
}

func TestWriteLeavesWhatOthersChanged(t *testing.T) {
	name := put(t, "web.nomad.hcl", "theirs\n")
	err := fix.Change{Name: name, Before: []byte("old\n"), After: []byte("new\n")}.Write()
	require.ErrorContains(t, err, name)
	require.ErrorContains(t, err, "it has changed since it was read")
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "theirs\n", string(content))
	require.Error(t, fix.Change{Name: filepath.Join(t.TempDir(), "gone"), After: []byte("new\n")}.Write())
}

func TestDiffIsForGitAndPatch(t *testing.T) {
	change := fix.Change{Name: "/jobs/web.hcl", Before: []byte("a\nb"), After: []byte("a\nc")}
	require.Equal(t, "diff a/jobs/web.hcl b/jobs/web.hcl\n--- a/jobs/web.hcl\n+++ b/jobs/web.hcl\n@@ -1,2 +1,2 @@\n a\n"+
		"-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n", string(change.Diff()))
}
