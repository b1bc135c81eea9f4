package traefik_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// dumpCase is one way to configure a real Traefik: by a file below
// testdata/dump, in which ${API} and ${CONSUL} are filled in, or by arguments.
type dumpCase struct {
	args []string
	file string
	want model.ProxySettings
	// wantErr is set where the dump must be refused.
	wantErr string
}

func defaults() model.ProxySettings {
	return model.ProxySettings{
		ConsulCatalog:    true,
		RefreshInterval:  15 * time.Second,
		Throttle:         2 * time.Second,
		StrictChecks:     []string{"passing", "warning"},
		ExposedByDefault: true,
		Prefix:           "traefik",
	}
}

// change returns the defaults with something changed.
func change(f func(*model.ProxySettings)) model.ProxySettings {
	s := defaults()
	f(&s)
	return s
}

var dumpCases = map[string]dumpCase{
	"args-default": {args: []string{"--providers.consulcatalog=true"}, want: defaults()},
	"args-tuned": {
		args: []string{
			"--providers.providersthrottleduration=500ms", "--providers.consulcatalog.refreshinterval=2s",
			"--providers.consulcatalog.strictchecks=passing", "--providers.consulcatalog.exposedbydefault=false",
			"--providers.consulcatalog.prefix=gate", "--providers.consulcatalog.constraints=Tag(`prod`)",
		},
		want: change(func(s *model.ProxySettings) {
			s.Throttle, s.RefreshInterval = 500*time.Millisecond, 2*time.Second
			s.StrictChecks, s.ExposedByDefault, s.Prefix, s.Constraints = []string{"passing"}, false, "gate", "Tag(`prod`)"
		}),
	},
	"args-bare-number": {
		args: []string{"--providers.consulcatalog.refreshinterval=7", "--providers.providersthrottleduration=0"},
		want: change(func(s *model.ProxySettings) { s.RefreshInterval, s.Throttle = 7*time.Second, 0 }),
	},
	"args-watch": {
		args: []string{"--providers.consulcatalog.watch=true"},
		want: change(func(s *model.ProxySettings) { s.Watch = true }),
	},
	"args-stale": {
		args: []string{"--providers.consulcatalog.stale=true"},
		want: change(func(s *model.ProxySettings) { s.Stale = true }),
	},
	"args-cache": {
		args: []string{"--providers.consulcatalog.cache=true", "--providers.consulcatalog.requireconsistent=true"},
		want: change(func(s *model.ProxySettings) { s.Cache = true }),
	},
	"args-connect": {
		args: []string{"--providers.consulcatalog.connectaware=true", "--providers.consulcatalog.connectbydefault=true"},
		want: change(func(s *model.ProxySettings) { s.ConnectAware, s.ConnectByDefault = true, true }),
	},
	"args-disabled": {
		args: []string{"--providers.rest.insecure=false"},
		want: model.ProxySettings{Throttle: 2 * time.Second},
	},
	"args-endpoint": {
		args: []string{
			"--providers.consulcatalog.endpoint.address=127.0.0.1:1", "--providers.consulcatalog.endpoint.datacenter=dc2",
			"--providers.consulcatalog.endpoint.token=secret", "--providers.consulcatalog.endpoint.scheme=https",
			"--providers.consulcatalog.endpoint.endpointwaittime=3s", "--providers.consulcatalog.endpoint.httpauth.username=u",
			"--providers.consulcatalog.endpoint.tls.insecureskipverify=true", "--providers.consulcatalog.defaultrule=Host(`x`)",
		},
		want: defaults(),
	},
	"args-masked": {
		args:    []string{"--providers.consulcatalog.constraints=Tag(`shop.example.com`)"},
		wantErr: "constraints is masked",
	},
	"args-namespaces": {
		args:    []string{"--providers.consulcatalog.namespaces=a,b"},
		wantErr: "several Consul namespaces",
	},
	"file-minimal": {file: "minimal.yml", want: defaults()},
	"file-many-sections": {
		file: "many-sections.yml",
		want: change(func(s *model.ProxySettings) {
			s.RefreshInterval, s.Throttle = 2*time.Second, 250*time.Millisecond
			s.Watch, s.Stale, s.Cache = true, true, true
			s.StrictChecks, s.ExposedByDefault, s.Prefix = []string{"passing"}, false, "gate"
			s.Constraints = "Tag(`prod`) && !TagRegex(`^old-`)"
		}),
	},
	"file-toml": {
		file: "catalog.toml",
		want: change(func(s *model.ProxySettings) { s.RefreshInterval, s.StrictChecks = 4*time.Second, []string{"any"} }),
	},
	"file-disabled": {file: "disabled.yml", want: model.ProxySettings{Throttle: 2 * time.Second}},
	"file-null":     {file: "null.yml", want: model.ProxySettings{Throttle: 2 * time.Second}},
}

func TestSettingsFromRecordedDumps(t *testing.T) {
	for name, c := range dumpCases {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join("testdata", "dump", name+".json"))
			require.NoError(t, err)
			got, err := traefik.SettingsFromDump(content)
			if c.wantErr != "" {
				require.ErrorContains(t, err, c.wantErr)
				require.Zero(t, got)
				return
			}
			require.NoError(t, err)
			c.want.Source = traefik.SourceProcess
			if diff := cmp.Diff(c.want, got, apartFromTimeouts()); diff != "" {
				t.Errorf("the recorded dump (-want +got):\n%s", diff)
			}
		})
	}
}

// The file must be read as the process that was started with it reported.
func TestParseStaticAgreesWithTheProcess(t *testing.T) {
	for name, c := range dumpCases {
		if c.file == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join("testdata", "dump", c.file))
			require.NoError(t, err)
			got, err := traefik.ParseStatic(c.file, content)
			require.NoError(t, err)
			c.want.Source = c.file
			if diff := cmp.Diff(c.want, got, apartFromTimeouts()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.file, diff)
			}
			require.Empty(t, traefik.Contradictions(c.want, got))
		})
	}
}
