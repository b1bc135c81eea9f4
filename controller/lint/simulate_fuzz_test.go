package lint_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/report"
	"github.com/draingate/draingate/jobspecs"
)

// FuzzSimulate predicts the deploy of any text: none may end the process, and
// what is predicted must be figures in order.
func FuzzSimulate(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.hcl")
	require.NoError(f, err)
	require.NotEmpty(f, seeds)
	for _, name := range seeds {
		content, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(content, int64(time.Second))
	}
	f.Add([]byte(routed), int64(0))
	settings, err := lint.ReadSettings(f.Context(), lint.Traefik{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, content []byte, warmUp int64) {
		out, err := lint.Simulate(lint.Options{
			Paths: []string{"-"}, Stdin: bytes.NewReader(content), Settings: settings, Specs: jobspecs.Options{NoFiles: true},
		}, time.Duration(warmUp))
		require.NoError(t, err)
		for _, one := range out.Forecasts {
			r := one.AutoPromote.Loss.Total
			require.True(t, 0 <= r.Best && r.Best <= r.Mean && r.Mean <= r.Worst, "%+v", r)
		}
		for _, format := range report.SimulationFormats() {
			require.NoError(t, report.WriteSimulation(io.Discard, out, report.SimulationOptions{Format: format, Colour: true, Rate: 100}))
		}
	})
}
