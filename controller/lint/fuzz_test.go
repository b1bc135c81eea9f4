package lint_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/report"
	"github.com/draingate/draingate/jobspecs"
)

// FuzzLint sends any text through everything: no input may end the process,
// and each finding must stand in the text.
func FuzzLint(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.hcl")
	require.NoError(f, err)
	for _, folder := range []string{"ok", "err"} {
		for _, c := range corpus(f, folder) {
			seeds = append(seeds, c.path)
		}
	}
	require.NotEmpty(f, seeds)
	for _, name := range seeds {
		content, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(content)
	}
	f.Add([]byte(`{"Job": {"ID": "web", "Meta": {"draingate_ignore_DG201": ""}, "TaskGroups": [{"Name": "a", "Services": [{"Name": "web", "Tags": ["traefik.enable=true"]}]}]}}`))
	f.Add([]byte("job \"\xff\" {"))
	settings, err := lint.ReadSettings(f.Context(), lint.Traefik{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, content []byte) {
		result, err := lint.Run(lint.Options{
			Paths: []string{"-"}, Stdin: bytes.NewReader(content), Settings: settings, Specs: jobspecs.Options{NoFiles: true},
		})
		require.NoError(t, err)
		require.Equal(t, 1, result.Files)
		for _, one := range result.Findings {
			require.NotEmpty(t, one.Message)
			require.LessOrEqual(t, one.Line, bytes.Count(content, []byte("\n"))+1)
		}
		for _, format := range report.Formats() {
			require.NoError(t, report.Write(io.Discard, result, report.Options{Format: format, Colour: true}))
		}
	})
}
