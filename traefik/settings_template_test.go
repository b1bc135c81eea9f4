package traefik_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// withTemplate is a job whose configuration file is a template.
func withTemplate(name string, t model.Template) model.Job {
	return docker(func(task *model.Task) {
		task.Program.Args = []string{"--configFile=/local/" + name}
		t.Destination = "local/" + name
		task.Templates = []model.Template{t}
	})
}

func TestTemplatesAreReadAroundTheirActions(t *testing.T) {
	tests := map[string]struct {
		name, data string
		want       model.ProxySettings
	}{
		"no action": {"t.yml", "providers:\n  consulCatalog: {}\n", defaults()},
		"actions beside the settings": {"t.yml", "entryPoints:\n  web:\n    address: ':{{ env \"NOMAD_PORT_web\" }}'\napi:\n  insecure: {{ key \"x\" }}\n" +
			"providers:\n  consulCatalog:\n    endpoint:\n      address: {{ env \"C\" }}:8500\n" +
			"      token: {{ with secret \"a\" }}{{ .Data.token }}{{ end }}\n    refreshInterval: 3s\n", refresh(3 * time.Second)},
		"a provider with a token alone": {"t.yml", "providers:\n  consulCatalog:\n    endpoint:\n      token: {{ key \"t\" }}\n", defaults()},
		"braces as text":                {"t.yml", "providers:\n  consulCatalog:\n    defaultRule: 'Host(`{{ \"{{\" }} .Name {{ \"}}\" }}`)'\n    refreshInterval: 3s\n", refresh(3 * time.Second)},
		"a variable and a comment":      {"t.yml", "{{- /* ours */ -}}\n{{ $x := 1 }}\n" + threeYAML, refresh(3 * time.Second)},
		"a loop beside the settings": {"t.yml", "entryPoints:\n{{ range ls \"p\" }}\n  {{ .Key }}:\n    address: {{ .Value }}\n{{ end }}\n" + threeYAML,
			refresh(3 * time.Second)},
		"a condition with another case": {"t.yml", "{{ if key \"x\" }}\napi: {}\n{{ else }}\nlog: {}\n{{ end }}\n" + threeYAML, refresh(3 * time.Second)},
		"TOML": {"t.toml", "[api]\ninsecure = {{ key \"x\" }}\n[entryPoints.web]\naddress = \":{{ env \"P\" }}\"\n[providers.consulCatalog]\nrefreshInterval = \"3s\"\n",
			refresh(3 * time.Second)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := withTemplate(tt.name, model.Template{Data: tt.data})
			got, err := traefik.SettingsFromJob(&job, "")
			require.NoError(t, err)
			tt.want.Source = `job "edge"`
			require.Empty(t, cmp.Diff(tt.want, got.ProxySettings, apartFromTimeouts()))
		})
	}
}

func TestTemplatesThatRenderSettingsAreUnknown(t *testing.T) {
	catalog := func(lines string) string { return "providers:\n  consulCatalog:\n" + lines }
	tests := map[string]struct{ name, data, want string }{
		"an action in a setting":          {"t.yml", catalog("    refreshInterval: {{ key \"x\" }}\n"), "t.yml: providers.consulcatalog.refreshinterval is rendered by the template"},
		"a part of a setting":             {"t.yml", catalog("    refreshInterval: {{ key \"x\" }}s\n"), "refreshinterval is rendered"},
		"an action in the throttle":       {"t.toml", "[providers]\nprovidersThrottleDuration = \"{{ key \"x\" }}\"\n", "throttleduration is rendered"},
		"an action in a list":             {"t.yml", catalog("    strictChecks:\n      - passing\n      - {{ key \"x\" }}\n"), "strictchecks is rendered"},
		"a section by an action":          {"t.yml", "providers:\n  {{ key \"x\" }}: {}\n", "is rendered by the template"},
		"a root by an action":             {"t.yml", "{{ key \"x\" }}:\n  consulCatalog: {}\n", "is rendered by the template"},
		"all providers by an action":      {"t.yml", "api: {}\nproviders: {{ key \"x\" | toJSON }}\n", "providers is rendered"},
		"lines by an action":              {"t.yml", catalog("    watch: false\n{{ key \"more\" }}\n"), "cannot be told"},
		"a setting in a condition":        {"t.yml", threeYAML + "{{ if key \"x\" }}\n    watch: true\n{{ end }}\n", "providers.consulcatalog.watch stands in a condition or a loop"},
		"an item in a loop":               {"t.yml", catalog("    strictChecks:\n{{ range ls \"x\" }}\n      - passing\n{{ end }}\n"), "strictchecks stands in a condition"},
		"the provider in a condition":     {"t.toml", "{{ if key \"x\" }}\n[providers.consulCatalog]\nrefreshInterval = \"3s\"\n{{ end }}\n", "stands in a condition"},
		"a setting after else":            {"t.yml", "{{ if key \"x\" }}\napi: {}\n{{ else }}\nproviders: {consulCatalog: {watch: true}}\n{{ end }}\n", "follows an else"},
		"a table that may not be there":   {"t.toml", "[providers.consulCatalog]\nwatch = false\n{{ if key \"x\" }}\n[api]\n{{ end }}\nstale = true\n", "depend on a condition"},
		"a section that may not be there": {"t.yml", threeYAML + "{{ if key \"x\" }}\n  docker:\n{{ end }}\n    watch: true\n", "depend on a condition"},
		"a template that is none":         {"t.yml", "{{ if }", "it is no template"},
		"a template in the template":      {"t.yml", "{{ template \"x\" }}", "more than is understood"},
		"a mistyped key beside actions":   {"t.yml", "api: {insecure: {{ key \"x\" }}}\n" + catalog("    refreshIntervall: 3s\n"), "providers.consulCatalog.refreshIntervall"},
		"a character that we use":         {"t.yml", threeYAML + "# \uE000\n", "private use"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := withTemplate(tt.name, model.Template{Data: tt.data})
			got, err := traefik.SettingsFromJob(&job, "")
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, got)
		})
	}
	t.Run("delimiters of its own", func(t *testing.T) {
		job := withTemplate("t.yml", model.Template{LeftDelim: "[[", RightDelim: "]]", Data: catalog("    defaultRule: 'Host(`{{ .Name }}`)'\n    refreshInterval: [[ key \"x\" ]]\n")})
		_, err := traefik.SettingsFromJob(&job, "")
		require.ErrorContains(t, err, "refreshinterval is rendered")
	})
}

func TestPlaces(t *testing.T) {
	const refreshInterval = "providers.consulCatalog.refreshInterval"
	tests := map[string]struct {
		name, content, setting string
		want                   traefik.Span
		none                   bool
	}{
		"YAML":                        {"t.yml", "api: {}\nproviders:\n  consulCatalog:\n    refreshInterval: 3s # often\n", refreshInterval, traefik.Span{Line: 4, From: 5, To: 24}, false},
		"a quoted value":              {"t.yml", "providers:\n  consulCatalog:\n    refreshInterval: '3s'\n", refreshInterval, traefik.Span{Line: 3, From: 5, To: 26}, false},
		"in braces":                   {"t.yml", "providers: {consulCatalog: {refreshInterval: 3s}}\n", refreshInterval, traefik.Span{Line: 1, From: 29, To: 48}, false},
		"JSON":                        {"t.json", "{\"providers\": {\n  \"consulCatalog\": {\"refreshInterval\": \"3s\"}}}", refreshInterval, traefik.Span{Line: 2, From: 21, To: 44}, false},
		"a setting that is not there": {"t.yml", "providers:\n  consulCatalog:\n    watch: true\n", refreshInterval, traefik.Span{Line: 2, From: 3, To: 16}, false},
		"a section that is not there": {"t.yml", "api: {}\n", refreshInterval, traefik.Span{}, true},
		"a file that cannot be read":  {"t.yml", "a: [", refreshInterval, traefik.Span{}, true},
		"TOML":                        {"t.toml", "[providers]\n  [providers.consulCatalog]\n    refreshInterval = \"3s\" # often\n", refreshInterval, traefik.Span{Line: 3, From: 5, To: 27}, false},
		"a key with dots":             {"t.toml", "providers.consulCatalog.\"refreshInterval\" = 3\n", refreshInterval, traefik.Span{Line: 1, From: 1, To: 46}, false},
		"an inline table":             {"t.toml", "[providers]\nconsulCatalog = { refreshInterval = 3 }\n", refreshInterval, traefik.Span{Line: 2, From: 1, To: 40}, false},
		"behind texts of several lines": {"t.toml", "x = \"\"\"\n[providers]\n\"\"\"\ny = [ # [\n  \"[\",\n]\n[providers.consulCatalog]\nwatch = true\n", "providers.consulCatalog.watch",
			traefik.Span{Line: 8, From: 1, To: 13}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := traefik.StaticPlaces(tt.name, []byte(tt.content)).Of(tt.setting)
			require.Equal(t, !tt.none, ok)
			require.Equal(t, tt.want, got.Span)
		})
	}
	t.Run("of a template", func(t *testing.T) {
		job := withTemplate("t.yml", model.Template{Data: "{{ $x := 1 }}\n{{ range y }}\n# {{ . }}\n{{ end }}\n" + threeYAML})
		got, err := traefik.SettingsFromJob(&job, "")
		require.NoError(t, err)
		at, _ := got.Places.Of(refreshInterval)
		require.Equal(t, traefik.Place{Path: `group["edge"].task["traefik"].template[0].data`, Span: traefik.Span{Line: 7, From: 5, To: 24}, Text: "    refreshInterval: 3s"}, at)
		at, _ = got.Places.Of("nothing.like.it")
		require.Equal(t, traefik.Place{Path: `group["edge"].task["traefik"].template[0].data`}, at)
	})
	t.Run("of arguments and of variables", func(t *testing.T) {
		job := docker(args("--api", "--Providers.consulCatalog.refreshInterval=3s"))
		got, err := traefik.SettingsFromJob(&job, "")
		require.NoError(t, err)
		at, _ := got.Places.Of(refreshInterval)
		require.Equal(t, traefik.Place{Path: `group["edge"].task["traefik"].config.args[1]`}, at)
		job = docker(func(t *model.Task) { t.Env = map[string]string{"TRAEFIK_PROVIDERS_CONSULCATALOG_WATCH": "true"} })
		got, err = traefik.SettingsFromJob(&job, "")
		require.NoError(t, err)
		at, _ = got.Places.Of("providers.consulCatalog.watch")
		require.Equal(t, traefik.Place{Path: `group["edge"].task["traefik"].env["TRAEFIK_PROVIDERS_CONSULCATALOG_WATCH"]`}, at)
	})
}
