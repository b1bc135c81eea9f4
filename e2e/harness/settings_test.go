package harness

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestSettingsInBothForms(t *testing.T) {
	s := settings{"log.level": "INFO", "a.b.c": "1", "a.b.d": "x: y", "a.e": "2", "ping": ""}
	wantYAML := `a:
  b:
    c: "1"
    d: "x: y"
  e: "2"
log:
  level: "INFO"
ping: {}
`
	if diff := cmp.Diff(wantYAML, s.yaml()); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
	wantArgs := []string{"--a.b.c=1", "--a.b.d=x: y", "--a.e=2", "--log.level=INFO", "--ping="}
	if diff := cmp.Diff(wantArgs, s.args()); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

func TestTraefikOptions(t *testing.T) {
	const refresh, watch, insecure = "providers.consulCatalog.refreshInterval", "providers.consulCatalog.watch", "api.insecure"
	tests := map[string]struct {
		opts TraefikOptions
		want map[string]string // "-" means not set
	}{
		"defaults are Traefik's own":          {want: map[string]string{refresh: "-", watch: "-", insecure: "true", "providers.providersThrottleDuration": "-", "providers.consulCatalog.prefix": "traefik"}},
		"what is set is written":              {opts: TraefikOptions{RefreshInterval: 2 * time.Second, Throttle: "0s", Watch: true, Prefix: "p"}, want: map[string]string{refresh: "2s", watch: "true", "providers.providersThrottleDuration": "0s", "providers.consulCatalog.prefix": "p"}},
		"a password closes the plain API":     {opts: TraefikOptions{User: "eve"}, want: map[string]string{insecure: "false"}},
		"a disabled API has no settings":      {opts: TraefikOptions{DisableAPI: true, BasePath: "/x"}, want: map[string]string{insecure: "-", "api.dashboard": "-", "api.basePath": "-"}},
		"what is said explicitly comes first": {opts: TraefikOptions{RefreshInterval: time.Second, Extra: map[string]string{refresh: "9s"}}, want: map[string]string{refresh: "9s"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := tt.opts.withDefaults().settings("c:1", 1, 2, "")
			got := map[string]string{}
			for k := range tt.want {
				got[k] = "-"
				if v, ok := s[k]; ok {
					got[k] = v
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSampleHCL(t *testing.T) {
	job := Sample{Name: "web", Version: "2", ShutdownDelay: 6 * time.Second, Meta: map[string]string{"draingate_mode": "enforce"}}
	job.Tags = job.Route("edge", job.HealthCheckTags(time.Second)...)
	hcl, err := job.HCL("/bin/sample")
	require.NoError(t, err)
	for _, want := range []string{
		`job "web" {`, `draingate_mode = "enforce"`, `canary            = 1`, `auto_promote      = false`,
		`shutdown_delay = "6s"`, `kill_timeout = "5s"`, `min_healthy_time  = "2s"`, `VERSION = "2"`,
		`"edge.enable=true",`, "\"edge.http.routers.web.rule=Host(`web.test`)\",",
		`"edge.http.services.web.loadbalancer.healthcheck.interval=1s",`, `interval = "2s"`,
	} {
		if !strings.Contains(hcl, want) {
			t.Errorf("the job does not have %s:\n%s", want, hcl)
		}
	}
	for _, not := range []string{"initial_status", "canary_tags", "NEVER_READY"} {
		if strings.Contains(hcl, not) {
			t.Errorf("the job has %s, which was not asked for", not)
		}
	}
}

func TestSampleHCLOfSeveralGroups(t *testing.T) {
	job := Sample{Name: "web", Version: "2", More: []Sample{{Name: "web-api", Group: "api", Count: 2, NoCanary: true, Restarts: 3, RescheduleDelay: 5 * time.Second}}}
	hcl, err := job.HCL("/bin/sample")
	require.NoError(t, err)
	first, second, found := strings.Cut(hcl, `group "api" {`)
	require.True(t, found, hcl)
	for _, want := range []string{`group "web" {`, `name     = "web"`, `count = 1`, `canary            = 1`, `attempts = 0`} {
		require.Contains(t, first, want)
	}
	for _, want := range []string{`name     = "web-api"`, `count = 2`, `canary            = 0`, `attempts = 3`, `delay          = "5s"`} {
		require.Contains(t, second, want)
	}
	require.NotContains(t, first, "reschedule")
}

func TestPortBlocksAreDisjoint(t *testing.T) {
	a, err := claimPorts()
	require.NoError(t, err)
	defer a.release()
	b, err := claimPorts()
	require.NoError(t, err)
	defer b.release()
	first, middle := a.tasks(0, 2)
	next, last := a.tasks(1, 2)
	require.Equal(t, middle+1, next, "two clients share no port")
	if a.base == b.base || last-a.base+1 != blockSize {
		t.Errorf("blocks at %d and %d with tasks from %d to %d", a.base, b.base, first, last)
	}
	// Every port is given out before any is given out again.
	seen := map[int]bool{}
	for range ownPorts / 2 {
		port, err := a.take()
		require.NoError(t, err)
		if seen[port] || port <= a.base || port >= first {
			t.Errorf("port %d of block %d: taken twice or outside", port, a.base)
		}
		seen[port] = true
	}
	for range ownPorts {
		port, err := a.take()
		require.NoError(t, err)
		require.Greater(t, port, a.base)
		require.Less(t, port, first)
	}
}

// A port on which someone listens is passed over.
func TestTakenPortIsPassedOver(t *testing.T) {
	a, err := claimPorts()
	require.NoError(t, err)
	defer a.release()
	relay, err := NewRelay(a.next, "127.0.0.1:1")
	require.NoError(t, err)
	defer func() { require.NoError(t, relay.Close()) }()
	port, err := a.take()
	require.NoError(t, err)
	require.NotEqual(t, relay.Addr, address(port))
}

func TestMergeGoesDeep(t *testing.T) {
	base := map[string]any{"a": map[string]any{"x": 1, "y": 2}, "b": 3}
	got := merge(base, map[string]any{"a": map[string]any{"y": 4}, "b": 5, "c": 6})
	want := map[string]any{"a": map[string]any{"x": 1, "y": 4}, "b": 5, "c": 6}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	require.Equal(t, 3, base["b"], "the base must not change")
}
