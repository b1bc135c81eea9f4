package lint_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/draingate/draingate/controller/lint"
)

// The versions that the command names are those that the tests start.
func TestTestedVersionsArePinned(t *testing.T) {
	tested := lint.Tested()
	for folder, want := range map[string]struct{ module, version string }{
		"nomad":   {"github.com/hashicorp/nomad", tested.Nomad},
		"consul":  {"github.com/hashicorp/consul", tested.Consul},
		"traefik": {"github.com/traefik/traefik/v3", tested.Traefik},
	} {
		name := filepath.Join("..", "..", "hack", folder, "go.mod")
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		file, err := modfile.Parse(name, content, nil)
		require.NoError(t, err)
		found := ""
		for _, r := range file.Require {
			if r.Mod.Path == want.module {
				found = r.Mod.Version
			}
		}
		require.Equal(t, "v"+want.version, found, "%s in %s", want.module, name)
	}
}
