package app

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// settings point at servers that are not there.
func settings(t *testing.T) options.Run {
	t.Helper()
	t.Setenv("NOMAD_ADDR", "http://127.0.0.1:1")
	t.Setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1")
	o := options.Default()
	o.Traefik.URLs = []string{"http://127.0.0.1:1"}
	o.Listen = "127.0.0.1:0"
	return o
}

// Without any server the process is alive, not ready, says what it waits for,
// and ends at once and completely when it is told to.
func TestRunWithoutServers(t *testing.T) {
	var log syncBuffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := New(ctx, settings(t), &log)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()

	code, _ := get(t, a, "/livez")
	require.Equal(t, http.StatusOK, code)
	code, body := get(t, a, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, "http://127.0.0.1:1")
	code, body = get(t, a, "/metrics")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `draingate_decisions_total{reason="DrainUnsafe",verb="Hold"} 0`)
	code, body = get(t, a, "/v1/deployments")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, "[]", body)

	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("retrying")) }, 10*time.Second, 10*time.Millisecond, log.String())
	cancel()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("Run did not end")
	}
	_, err = new(net.Dialer).DialContext(t.Context(), "tcp", a.Addr())
	require.Error(t, err, "the status endpoint is closed")
}

// Live jobs are looked at where nothing is written. What is in them is not known
// before Nomad has listed them, which is not nothing.
func TestLintOfLiveJobsIsForADryRun(t *testing.T) {
	for name, tt := range map[string]struct {
		dryRun bool
		code   int
		says   string
	}{
		"a dry run": {true, http.StatusServiceUnavailable, "Nomad has not listed the jobs yet"},
		"a run":     {false, http.StatusNotFound, "--dry-run"},
	} {
		t.Run(name, func(t *testing.T) {
			o := settings(t)
			o.DryRun = tt.dryRun
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			a, err := New(ctx, o, io.Discard)
			require.NoError(t, err)
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			code, body := get(t, a, "/v1/lint")
			require.Equal(t, tt.code, code)
			require.Contains(t, body, tt.says)
			cancel()
			require.NoError(t, <-ended)
		})
	}
}

func get(t *testing.T, a *App, path string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr()+path, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func TestStartThatCannotWork(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	broken := filepath.Join(t.TempDir(), "traefik.toml")
	require.NoError(t, os.WriteFile(broken, []byte("[providers.consulCatalog]\nrefreshInterval = \"soon\"\n"), 0o600))
	cases := map[string]struct {
		change func(*options.Run)
		says   string
	}{
		"the status address is in use":       {func(o *options.Run) { o.Listen = taken.Addr().String() }, "--listen"},
		"Traefik's file cannot be read":      {func(o *options.Run) { o.Traefik.Config = "nowhere.yml" }, "--traefik-config"},
		"Traefik's file has a bad value":     {func(o *options.Run) { o.Traefik.Config = broken }, "refreshInterval"},
		"the password file cannot be read":   {func(o *options.Run) { o.Traefik.APIPasswordFile = "nowhere" }, "--traefik-api-password-file"},
		"the address of a Traefik is no URL": {func(o *options.Run) { o.Traefik.URLs = []string{"://"} }, "://"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := settings(t)
			c.change(&o)
			err := Run(t.Context(), o, io.Discard)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, exit.Usage, exit.Code(err))
		})
	}
}

func TestDeniedTokenEndsTheStart(t *testing.T) {
	denies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Permission denied", http.StatusForbidden)
	}))
	defer denies.Close()
	for _, which := range []string{"NOMAD_ADDR", "CONSUL_HTTP_ADDR"} {
		o := settings(t)
		t.Setenv(which, denies.URL)
		err := Run(t.Context(), o, io.Discard)
		require.Error(t, err, which)
		require.Equal(t, exit.CannotSee, exit.Code(err), which)
	}
}

// A token that may read, and may not take part in the election.
func TestDeniedElectionEndsTheStart(t *testing.T) {
	consul := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Consul-KnownLeader", "true")
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/session/"):
			http.Error(w, "Permission denied", http.StatusForbidden)
		case strings.HasPrefix(r.URL.Path, "/v1/status/"):
			_, _ = io.WriteString(w, `"10.0.0.1:8300"`)
		default:
			_, _ = io.WriteString(w, "[]")
		}
	}))
	defer consul.Close()
	o := settings(t)
	t.Setenv("CONSUL_HTTP_ADDR", consul.URL)
	err := Run(t.Context(), o, io.Discard)
	require.ErrorContains(t, err, `session_prefix "" { policy = "write" }`)
	require.Equal(t, exit.CannotSee, exit.Code(err))
}

func TestAdvertisedIsOfUseElsewhere(t *testing.T) {
	cases := map[string]struct{ given, listen, want string }{
		"what was given wins":            {"10.0.0.7:80", "127.0.0.1:4689", "10.0.0.7:80"},
		"an address of the machine":      {"", "10.0.0.7:4689", "10.0.0.7:4689"},
		"loopback is of use to none":     {"", "127.0.0.1:4689", ""},
		"so is every address":            {"", "[::]:4689", ""},
		"and what is no address at all":  {"", "nowhere", ""},
		"loopback may be given by force": {"127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, advertised(c.given, c.listen)) })
	}
}

// A dry run never writes, so it neither leads nor keeps another from leading.
func TestWhoTakesPart(t *testing.T) {
	cases := map[string]struct {
		change       func(*options.Run)
		elects, lead bool
	}{
		"by default an instance must be elected": {func(*options.Run) {}, true, false},
		"without an election it may write":       {func(o *options.Run) { o.Leader.Off = true }, false, true},
		"in a dry run it never may":              {func(o *options.Run) { o.DryRun = true }, false, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := settings(t)
			c.change(&o)
			a, err := New(t.Context(), o, io.Discard)
			require.NoError(t, err)
			defer func() { require.NoError(t, a.server.Close()) }()
			require.Equal(t, c.elects, a.elector != nil)
			require.Equal(t, c.lead, a.leads())
			require.Equal(t, c.elects, a.loopOptions(time.Time{}).Lease != nil)
		})
	}
}
