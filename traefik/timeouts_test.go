package traefik_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs"
	"github.com/draingate/draingate/traefik"
)

// apartFromTimeouts leaves to the tests of this file what they look at.
func apartFromTimeouts() cmp.Option { return cmpopts.IgnoreFields(model.ProxySettings{}, "Timeouts") }

func TestTimeoutsOfAFile(t *testing.T) {
	tests := map[string]struct {
		name, content string
		want          *model.Timeouts
	}{
		"no entry point is one for http": {"t.yml", "api: {}\n", &model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "http", Default: true, Read: time.Minute}}}},
		"all but that of the API are default ones": {"t.yml", "entryPoints:\n  web:\n    address: ':80'\n  traefik:\n    address: ':8080'\n",
			&model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "traefik", Read: time.Minute}, {Name: "web", Default: true, Read: time.Minute}}}},
		"keys in any case, a bare number is seconds": {"t.yml", "ENTRYPOINTS:\n  web:\n    asdefault: true\n    Transport:\n      respondingtimeouts:\n        WRITETIMEOUT: 20\n        readTimeout: 0\n  other: {}\n",
			&model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "other", Read: time.Minute}, {Name: "web", Default: true, Write: 20 * time.Second}}}},
		"TOML": {"t.toml", "[serversTransport.forwardingTimeouts]\nresponseHeaderTimeout = \"10s\"\n[entryPoints.web.transport.respondingTimeouts]\nwriteTimeout = 3\n",
			&model.Timeouts{ResponseHeader: 10 * time.Second, EntryPoints: []model.EntryPoint{{Name: "web", Default: true, Read: time.Minute, Write: 3 * time.Second}}}},
		"a duration that is none is not known": {"t.yml", "entryPoints:\n  web:\n    transport:\n      respondingTimeouts:\n        writeTimeout: soon\n", nil},
		"a response time that is none":         {"t.yml", "serversTransport:\n  forwardingTimeouts:\n    responseHeaderTimeout: soon\n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := traefik.ParseStatic(tt.name, []byte(tt.content))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(tt.want, got.Timeouts))
		})
	}
}

// A process was started with each of the files, and its report was recorded.
func TestTimeoutsOfAFileAreThoseOfTheProcess(t *testing.T) {
	for name, c := range dumpCases {
		if c.file == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join("testdata", "dump", c.file))
			require.NoError(t, err)
			dump, err := os.ReadFile(filepath.Join("testdata", "dump", name+".json"))
			require.NoError(t, err)
			file, err := traefik.ParseStatic(c.file, content)
			require.NoError(t, err)
			process, err := traefik.SettingsFromDump(dump)
			require.NoError(t, err)
			require.NotNil(t, file.Timeouts)
			require.Empty(t, cmp.Diff(process.Timeouts, file.Timeouts))
		})
	}
}

func TestTimeoutsOfADump(t *testing.T) {
	got, err := traefik.SettingsFromDump([]byte(`{"serversTransport":{"forwardingTimeouts":{"responseHeaderTimeout":"10s"}},"entryPoints":{"web":{"address":"xxxx","transport":{"respondingTimeouts":{"writeTimeout":"30s"}}}},"providers":{}}`))
	require.NoError(t, err)
	require.Equal(t, &model.Timeouts{ResponseHeader: 10 * time.Second, EntryPoints: []model.EntryPoint{{Name: "web", Default: true, Write: 30 * time.Second}}}, got.Timeouts, "a process leaves out what is 0")
}

func TestTimeoutsOfAJob(t *testing.T) {
	job := func(task string) string {
		return "job \"traefik\" {\n group \"g\" {\n task \"traefik\" {\n driver = \"docker\"\n" + task + "\n}\n}\n}\n"
	}
	args := func(words string) string {
		return job("config {\n image = \"traefik:v3.6\"\n args = [\"--providers.consulcatalog\", " + words + "]\n}")
	}
	file := func(data string) string {
		return job("config {\n image = \"traefik:v3.6\"\n args = [\"--configFile=local/t.yml\"]\n}\ntemplate {\n destination = \"local/t.yml\"\n data = <<E\nproviders:\n  consulCatalog: {watch: false}\n" + data + "\nE\n}")
	}
	tests := map[string]struct {
		job  string
		want *model.Timeouts
	}{
		"by arguments": {args(`"--entrypoints.web.transport.respondingtimeouts.writetimeout=20s", "--serverstransport.forwardingtimeouts.responseheadertimeout=5"`),
			&model.Timeouts{ResponseHeader: 5 * time.Second, EntryPoints: []model.EntryPoint{{Name: "web", Default: true, Read: time.Minute, Write: 20 * time.Second}}}},
		"by what only Nomad can fill in": {args(`"--entrypoints.web.transport.respondingtimeouts.writetimeout=${NOMAD_META_wait}"`), nil},
		"by variables": {job("config {\n image = \"traefik:v3.6\"\n}\nenv {\n TRAEFIK_PROVIDERS_CONSULCATALOG = \"true\"\n TRAEFIK_ENTRYPOINTS_WEB_ASDEFAULT = \"true\"\n}"),
			&model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "web", Default: true, Read: time.Minute}}}},
		"by nothing": {job("config {\n image = \"traefik:v3.6\"\n}"),
			&model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "http", Default: true, Read: time.Minute}}}},
		"by a template": {file("entryPoints:\n  web: {address: ':80'}\n"),
			&model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "web", Default: true, Read: time.Minute}}}},
		"by a template with a condition around them": {file("entryPoints:\n  web:\n    address: ':80'\n{{ if env \"X\" }}    transport: {respondingTimeouts: {writeTimeout: 1s}}\n{{ end }}"), nil},
		"by a template with what only Nomad knows":   {file("entryPoints:\n  web:\n    address: ':{{ env \"NOMAD_PORT_web\" }}'\n"), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			spec, err := jobspecs.Parse(jobspecs.Source{Name: "t.nomad.hcl", Content: []byte(tt.job)}, jobspecs.Options{})
			require.NoError(t, err)
			got, err := traefik.SettingsFromJob(&spec.Job, "")
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(tt.want, got.Timeouts))
		})
	}
}
