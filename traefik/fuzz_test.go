package traefik_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// FuzzReadTags proves that no tags make the reading panic, differ from one
// reading to the next, or claim an instance that is refused or unknown.
func FuzzReadTags(f *testing.F) {
	for _, set := range tagCases {
		for _, c := range set.cases {
			for _, i := range c.instances {
				f.Add(strings.Join(i.tags, "\n"), set.settings.Constraints, set.settings.ExposedByDefault)
			}
		}
	}
	f.Add("traefik.http.routers.a].rule=x\ntraefik.http.middlewares.p.plugin.x.y=1\ntraefik.http.middlewares.p.plugin.x=1", "!Tag(`a`)", true)
	f.Fuzz(func(t *testing.T, tags, constraints string, exposed bool) {
		s := defaults()
		s.Constraints, s.ExposedByDefault = constraints, exposed
		reg := model.Registration{ServiceID: "i", ServiceName: "svc", Address: "10.0.0.1", Port: 80, Tags: strings.Split(tags, "\n")}
		got := traefik.ReadTags(s, reg)
		if diff := cmp.Diff(got, traefik.ReadTags(s, reg)); diff != "" {
			t.Fatalf("two readings differ:\n%s", diff)
		}
		if got.Exposed == (got.Err != "" || got.Unknown != "" || got.Excluded != "") {
			t.Fatalf("exposed and refused, or neither: %+v", got)
		}
		if !got.Exposed && (got.Services != nil || got.Routers != nil || got.Retry != nil) {
			t.Fatalf("a service of an instance that is not exposed: %+v", got)
		}
	})
}

// FuzzParseStatic proves that no file makes the parser panic or give settings
// that an error came with, and that an enabled provider has usable numbers.
func FuzzParseStatic(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "dump", "*.*ml"))
	require.NoError(f, err)
	for _, name := range files {
		content, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(content), strings.HasSuffix(name, ".toml"))
	}
	f.Fuzz(func(t *testing.T, content string, toml bool) {
		name := "t.yml"
		if toml {
			name = "t.toml"
		}
		got, err := traefik.ParseStatic(name, []byte(content))
		usable(t, got, err)
	})
}

// FuzzSettingsFromDump proves the same of what a process reports.
func FuzzSettingsFromDump(f *testing.F) {
	for name := range dumpCases {
		content, err := os.ReadFile(filepath.Join("testdata", "dump", name+".json"))
		require.NoError(f, err)
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := traefik.SettingsFromDump(content)
		usable(t, got, err)
	})
}

func usable(t *testing.T, got model.ProxySettings, err error) {
	t.Helper()
	if err != nil {
		require.Zero(t, got)
		require.NotContains(t, err.Error(), "\n")
		return
	}
	require.GreaterOrEqual(t, got.Throttle, time.Duration(0))
	if got.ConsulCatalog {
		require.Positive(t, got.RefreshInterval)
		require.NotEmpty(t, got.StrictChecks)
	}
}
