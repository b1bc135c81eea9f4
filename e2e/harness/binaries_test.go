package harness

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindOrder(t *testing.T) {
	have := func(paths ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			for _, p := range paths {
				if p == name || filepath.Base(p) == name {
					return p, nil
				}
			}
			return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
		}
	}
	tests := map[string]struct {
		env     string
		look    func(string) (string, error)
		want    string
		wantErr string
	}{
		"the variable comes before PATH":               {env: "/opt/consul-dev", look: have("/opt/consul-dev", "/usr/bin/consul"), want: "/opt/consul-dev"},
		"PATH where the variable is not set":           {look: have("/usr/bin/consul"), want: "/usr/bin/consul"},
		"neither means that it has to be installed":    {look: have()},
		"a variable that names nothing is an error":    {env: "/opt/gone", look: have("/usr/bin/consul"), wantErr: "DRAINGATE_CONSUL"},
		"a binary in PATH that cannot run is an error": {look: func(string) (string, error) { return "", errors.New("permission denied") }, wantErr: "permission denied"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			env := func(key string) (string, bool) {
				require.Equal(t, "DRAINGATE_CONSUL", key)
				return tt.env, tt.env != ""
			}
			got, err := find(tools()[1], env, tt.look)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			if got != tt.want {
				t.Errorf("find consul: got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestInstall builds a module of its own twice: the second time nothing is
// built, and a change of go.sum leads to another file.
func TestInstall(t *testing.T) {
	ownCache(t)
	root := t.TempDir()
	t.Chdir(root)
	dir := filepath.Join(root, "hack", "tiny")
	write(t, filepath.Join(root, "go.mod"), "module github.com/draingate/draingate\n")
	write(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.26\n\nrequire example.com/tiny v1.2.3\n\nreplace example.com/tiny => ./src\n")
	write(t, filepath.Join(dir, "go.sum"), "")
	write(t, filepath.Join(dir, "src", "go.mod"), "module example.com/tiny\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "src", "main.go"), "package main\n\nvar version string\n\nfunc main() { println(version) }\n")

	in := installer{tool: tool{name: "tiny", module: "example.com/tiny", version: "main.version"}, place: "1 of 1"}
	install := func() (path, said string) {
		var progress strings.Builder
		in.progress = &progress
		path, err := in.path(t.Context())
		require.NoError(t, err)
		return path, progress.String()
	}
	first, said := install()
	require.Contains(t, said, "installing tiny v1.2.3 (1 of 1)")
	out, err := exec.CommandContext(t.Context(), first).CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "1.2.3\n", string(out))

	second, said := install()
	require.Equal(t, first, second)
	require.Empty(t, said, "a binary that is there must not be built again")

	write(t, filepath.Join(dir, "go.sum"), "\n")
	third, _ := install()
	require.NotEqual(t, first, third)
}

func TestInstallSaysWhatFailed(t *testing.T) {
	ownCache(t)
	root := t.TempDir()
	t.Chdir(root)
	dir := filepath.Join(root, "hack", "tiny")
	write(t, filepath.Join(root, "go.mod"), "module github.com/draingate/draingate\n")
	write(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.26\n\nrequire example.com/tiny v1.2.3\n\nreplace example.com/tiny => ./src\n")
	write(t, filepath.Join(dir, "go.sum"), "")
	write(t, filepath.Join(dir, "src", "go.mod"), "module example.com/tiny\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "src", "main.go"), "package main\n\nfunc main() { undefinedThing() }\n")
	in := installer{tool: tool{name: "tiny", module: "example.com/tiny"}, place: "1 of 1", progress: os.Stderr}
	_, err := in.path(t.Context())
	require.ErrorContains(t, err, "install tiny v1.2.3: go build")
	require.ErrorContains(t, err, "undefinedThing")
	left, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "draingate", "bin", "tiny*"))
	require.NoError(t, err)
	require.Empty(t, left, "a failed build must leave nothing behind")
}

func TestAnnounceFailsForWhatCannotRun(t *testing.T) {
	err := announce(context.Background(), "/does/not/exist", os.Stderr)
	require.ErrorContains(t, err, "/does/not/exist")
}

// ownCache gives the test a cache folder of its own, but for Go's build cache.
func ownCache(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644), "write %s", path)
}
