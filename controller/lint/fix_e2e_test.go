//go:build e2e

package lint_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/fix"
	"github.com/draingate/draingate/e2e/harness"
)

// validate is what `nomad job validate` says of a text, and whether it is
// content.
func validate(t *testing.T, nomad, address, job string) (string, bool) {
	t.Helper()
	command := exec.CommandContext(t.Context(), nomad, "job", "validate", "-")
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NOMAD_") }), "NOMAD_ADDR=http://"+address)
	command.Stdin = strings.NewReader(job)
	out, err := command.CombinedOutput()
	return string(out), err == nil
}

// What --fix makes of the bad example of each rule that it knows, and of the
// jobs that people copy, a real Nomad takes.
func TestNomadTakesWhatIsFixed(t *testing.T) {
	bins, err := harness.Binaries(t.Context(), io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stack, err := harness.Start(ctx, harness.Options{Bins: bins})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })

	says, ok := validate(t, bins.Nomad, stack.NomadAddr, badExamples(t)["DG303"].before)
	require.False(t, ok, "a real one looks at the deadlines: %s", says)
	require.Contains(t, says, "progress deadline")

	examples := badExamples(t)
	for _, id := range slices.Sorted(maps.Keys(examples)) {
		if examples[id].rule.Fixes == "" {
			continue
		}
		t.Run(id, func(t *testing.T) {
			require.NotEqual(t, examples[id].before, examples[id].after)
			says, ok := validate(t, bins.Nomad, stack.NomadAddr, examples[id].after)
			require.True(t, ok, "%s\n%s", says, examples[id].after)
			require.NotContains(t, says, "Error")
		})
	}
	t.Run("everything at once", func(t *testing.T) {
		files, err := filepath.Glob("fix/testdata/*.nomad.hcl")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		result, err := fix.Run(lint.Options{Paths: files, Settings: optionsFor(t, "", "", "providers: {consulCatalog: {}}\n").Settings, Margin: time.Second})
		require.NoError(t, err)
		require.Len(t, result.Changes, len(files))
		for _, c := range result.Changes {
			says, ok := validate(t, bins.Nomad, stack.NomadAddr, string(bytes.ReplaceAll(c.After, []byte("\r\n"), []byte("\n"))))
			require.True(t, ok, "%s: %s\n%s", c.Name, says, c.After)
		}
	})
}
