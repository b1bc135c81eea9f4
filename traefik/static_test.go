package traefik_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

func TestParseStaticRefuses(t *testing.T) {
	yaml := func(lines string) string { return "providers:\n" + lines }
	tests := map[string]struct {
		name, content string
		want          []string
	}{
		"an unknown key of the provider":     {"t.yml", yaml("  consulCatalog:\n    refreshIntervall: 2s\n"), []string{"t.yml: providers.consulCatalog.refreshIntervall = 2s", "correct the key"}},
		"an unknown key deep in it":          {"t.yml", yaml("  consulCatalog:\n    endpoint:\n      tls:\n        caa: x\n"), []string{"providers.consulCatalog.endpoint.tls.caa = x"}},
		"a mistyped provider":                {"t.yml", yaml("  consulCatlog:\n    watch: true\n"), []string{"providers.consulCatlog.watch"}},
		"a duration that is none":            {"t.yml", yaml("  consulCatalog:\n    refreshInterval: soon\n"), []string{"providers.consulCatalog.refreshInterval = soon", "invalid duration"}},
		"a flag that is none":                {"t.toml", "[providers.consulCatalog]\nwatch = \"maybe\"\n", []string{"t.toml: providers.consulCatalog.watch = maybe"}},
		"a throttle that is none":            {"t.yml", yaml("  providersThrottleDuration: fast\n"), []string{"providers.providersThrottleDuration = fast"}},
		"a negative throttle":                {"t.yml", yaml("  providersThrottleDuration: -1s\n"), []string{"providersThrottleDuration is -1s"}},
		"an interval of zero":                {"t.yml", yaml("  consulCatalog:\n    refreshInterval: 0\n"), []string{"refreshInterval is 0s", "panic"}},
		"an empty provider as a list":        {"t.yml", yaml("  consulCatalog: []\n  rest: {}\n  foo: {}\n"), []string{"providers.foo"}},
		"providers without any key":          {"t.yml", "providers:\n  consulCatalog:\n", []string{"t.yml", "providers cannot be a standalone element"}},
		"no status that counts":              {"t.toml", "[providers.consulCatalog]\nstrictChecks = \"\"\nnamespaces = [\"a\"]\n", []string{"namespaces"}},
		"YAML that is none":                  {"t.yml", "providers: [\n", []string{"t.yml: cannot be read as YML", "yaml"}},
		"TOML that is none":                  {"t.toml", "[providers\n", []string{"t.toml: cannot be read as TOML"}},
		"a name without a known extension":   {"traefik.conf", "x", []string{"traefik.conf", ".yml, .yaml, .toml or .json"}},
		"an empty file":                      {"t.yml", " \n", []string{"t.yml: the file is empty"}},
		"a key that makes the decoder panic": {"t.yml", yaml("  docker:\n    \"\": {a: b}\n  consulCatalog:\n    nope: 1\n"), []string{"t.yml: "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := traefik.ParseStatic(tt.name, []byte(tt.content))
			require.Error(t, err)
			if errors.Is(err, traefik.ErrRefreshInterval) {
				require.True(t, got.ConsulCatalog, "the settings are there, to report on")
			} else {
				require.Zero(t, got)
			}
			for _, w := range tt.want {
				require.ErrorContains(t, err, w)
			}
			require.NotContains(t, err.Error(), "\n", "an error is one line")
		})
	}
}

func TestParseStaticReads(t *testing.T) {
	tests := map[string]struct {
		name, content string
		want          model.ProxySettings
	}{
		"a file without providers": {"t.yml", "api: {}\n", model.ProxySettings{Throttle: 2 * time.Second}},
		"JSON": {"t.json", `{"providers":{"consulCatalog":{"refreshInterval":"3s"}}}`,
			change(func(s *model.ProxySettings) { s.RefreshInterval = 3 * time.Second })},
		"keys in any case": {"T.YAML", "Providers:\n  CONSULCATALOG:\n    REFRESHINTERVAL: 3s\n",
			change(func(s *model.ProxySettings) { s.RefreshInterval = 3 * time.Second })},
		"a bare number is seconds": {"t.toml", "[providers]\nprovidersThrottleDuration = 1\n[providers.consulCatalog]\nrefreshInterval = 3\n",
			change(func(s *model.ProxySettings) { s.RefreshInterval, s.Throttle = 3*time.Second, time.Second })},
		"statuses in any case": {"t.yml", "providers:\n  consulCatalog:\n    strictChecks: [Passing, WARNING]\n", defaults()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := traefik.ParseStatic(tt.name, []byte(tt.content))
			require.NoError(t, err)
			tt.want.Source = tt.name
			if diff := cmp.Diff(tt.want, got, apartFromTimeouts()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.content, diff)
			}
		})
	}
}

func TestSettingsFromDumpRefuses(t *testing.T) {
	catalog := func(inside string) string {
		return `{"providers":{"providersThrottleDuration":"2s","consulCatalog":{` + inside + `}}}`
	}
	const good = `"prefix":"traefik","refreshInterval":"15s","strictChecks":["passing"]`
	tests := map[string]struct{ content, want string }{
		"nothing":                        {``, "unexpected end of JSON"},
		"something that is no object":    {`[]`, "cannot unmarshal"},
		"no providers":                   {`{}`, "no providers section"},
		"a provider that is no object":   {`{"providers":{"consulCatalog":true}}`, "cannot unmarshal"},
		"an unknown option":              {catalog(good + `,"pollTimeout":"3s"`), "pollTimeout"},
		"a missing interval":             {catalog(`"strictChecks":["passing"]`), "refreshInterval is 0s"},
		"an interval that is null":       {catalog(`"refreshInterval":null,"strictChecks":["passing"]`), "invalid duration"},
		"a masked interval":              {catalog(`"refreshInterval":"xxxx","strictChecks":["passing"]`), "invalid duration"},
		"missing statuses":               {catalog(`"refreshInterval":"1s"`), "strictChecks is empty"},
		"a masked prefix":                {catalog(good + `,"prefix":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"`), "prefix is masked"},
		"masked statuses":                {catalog(`"refreshInterval":"1s","strictChecks":["xxxx"]`), "strictChecks is masked"},
		"a flag that is none":            {catalog(good + `,"watch":"yes"`), "Watch of type bool"},
		"a throttle that is none":        {`{"providers":{"providersThrottleDuration":"xxxx"}}`, "invalid duration"},
		"a throttle that is no duration": {`{"providers":{"providersThrottleDuration":{}}}`, "cannot unmarshal"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := traefik.SettingsFromDump([]byte(tt.content))
			require.ErrorContains(t, err, "the static configuration that the process reports")
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, got)
		})
	}
}

func TestContradictionsNameEverySettingThatDiffers(t *testing.T) {
	process, file := defaults(), defaults()
	process.Source, file.Source = traefik.SourceProcess, "traefik.yml"
	require.Empty(t, traefik.Contradictions(process, file))

	file.StrictChecks = []string{"warning", "passing"}
	require.Empty(t, traefik.Contradictions(process, file), "the order of statuses means nothing")

	file = model.ProxySettings{
		Source: "traefik.yml", ConsulCatalog: true, RefreshInterval: 2 * time.Second, Throttle: time.Second,
		Watch: true, Stale: true, Cache: true, StrictChecks: []string{"any"}, Prefix: "gate", Constraints: "Tag(`a`)",
		ConnectAware: true, ConnectByDefault: true,
	}
	want := []string{
		"providersThrottleDuration: the process says 2s, traefik.yml says 1s",
		"refreshInterval: the process says 15s, traefik.yml says 2s",
		"watch: the process says false, traefik.yml says true",
		"stale: the process says false, traefik.yml says true",
		"cache: the process says false, traefik.yml says true",
		"strictChecks: the process says passing, warning, traefik.yml says any",
		"exposedByDefault: the process says true, traefik.yml says false",
		"prefix: the process says traefik, traefik.yml says gate",
		"constraints: the process says nothing, traefik.yml says Tag(`a`)",
		"connectAware: the process says false, traefik.yml says true",
		"connectByDefault: the process says false, traefik.yml says true",
	}
	if diff := cmp.Diff(want, traefik.Contradictions(process, file)); diff != "" {
		t.Errorf("contradictions (-want +got):\n%s", diff)
	}

	off := model.ProxySettings{Throttle: 2 * time.Second}
	require.Equal(t, "consulCatalog enabled: the process says true, another source says false", strings.Join(traefik.Contradictions(process, off), "; "))
}
