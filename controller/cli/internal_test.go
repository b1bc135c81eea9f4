package cli

import (
	"bytes"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/status"
)

func TestVersionFrom(t *testing.T) {
	vcs := []debug.BuildSetting{{Key: "vcs.revision", Value: "45a213e"}, {Key: "vcs.modified", Value: "true"}}
	tests := map[string]struct {
		stamped string
		info    debug.BuildInfo
		want    build
	}{
		"a stamped version wins":             {"v1", debug.BuildInfo{Main: debug.Module{Version: "v2"}}, build{"v1", "", ""}},
		"else the module's version is taken": {"", debug.BuildInfo{Main: debug.Module{Version: "v2"}}, build{"v2", "", ""}},
		"else it is a development build":     {"", debug.BuildInfo{Settings: vcs}, build{"(devel)", "45a213e, modified", ""}},
		"the parser of job specifications is that of its module": {
			"v1", debug.BuildInfo{Deps: []*debug.Module{{Path: "other", Version: "v3"}, {Path: lint.NomadModule, Version: "v1.11.3"}}}, build{"v1", "", "1.11.3"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, versionFrom(tt.stamped, &tt.info)) })
	}
}

func TestColourIsForTerminalsOnly(t *testing.T) {
	require.False(t, Program{Stdout: &bytes.Buffer{}}.palette().on)
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // nothing was written
	require.False(t, Program{Stdout: file}.palette().on)
}

func TestColourKeepsColumnsAligned(t *testing.T) {
	list := []status.Deployment{{Job: "a", Decision: "Hold", Reason: "R"}, {Job: "b", Decision: "Promote", Reason: "R"}}
	var plainText, coloured bytes.Buffer
	require.NoError(t, renderList(&plainText, list, time.Now(), palette{}))
	require.NoError(t, renderList(&coloured, list, time.Now(), palette{on: true}))
	require.Contains(t, coloured.String(), "\x1b[")
	require.NotContains(t, plainText.String(), "\x1b[")
	require.Equal(t, plainText.String(), uncoloured(coloured.String()))
}

// uncoloured removes escape sequences for colours.
func uncoloured(s string) string {
	var out []rune
	skip := false
	for _, r := range s {
		switch {
		case r == '\x1b':
			skip = true
		case !skip:
			out = append(out, r)
		case r == 'm':
			skip = false
		}
	}
	return string(out)
}

func TestAgeIsNeverNegative(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	require.Equal(t, "0s", age(now, now.Add(time.Minute)))
	require.Equal(t, "1m0s", age(now.Add(time.Minute), now))
	require.Equal(t, "-", age(now, time.Time{}))
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, cmd := range (Program{}).root().Commands() {
		require.NotEmpty(t, cmd.Example, cmd.Name())
	}
}

func TestTheReadmeNamesEveryFlagOfRun(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	var run *cobra.Command
	for _, cmd := range (Program{}).root().Commands() {
		if cmd.Name() == "run" {
			run = cmd
		}
	}
	run.LocalFlags().VisitAll(func(f *pflag.Flag) {
		require.Contains(t, string(readme), "`--"+f.Name, f.Name)
	})
}
