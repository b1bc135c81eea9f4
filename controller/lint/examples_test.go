package lint_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
)

// What people copy has no findings behind a Traefik with its defaults, and the delays
// of the writer are no longer than they have to be.
func TestExamplesHaveNoFindings(t *testing.T) {
	settings, err := lint.ReadSettings(t.Context(), lint.Traefik{Config: "testdata/traefik.yml", Version: "3.6.12"})
	require.NoError(t, err)
	names, err := filepath.Glob("../../jobspecs/examples/*.nomad.hcl")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 3)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			result, err := lint.Run(lint.Options{Paths: []string{name}, Settings: settings, Margin: time.Second})
			require.NoError(t, err)
			require.Empty(t, result.Findings)

			more, err := lint.Run(lint.Options{Paths: []string{name}, Settings: settings, Margin: 2 * time.Second})
			require.NoError(t, err)
			if filepath.Base(name) == "writer.nomad.hcl" {
				require.Equal(t, []string{"DG101", "DG702"}, rulesIn(more.Findings), "a second more would be missing at both levels")
			}
		})
	}
}
