package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
)

// marked begins every secret of the test, so that one search finds all.
const marked = "M4RKED"

// Whatever goes wrong, and all of it does here, no secret is in the log, in
// any answer of the endpoint, in events, in metrics or in what the webhook gets.
func TestNoSecretIsShown(t *testing.T) {
	nomad := httptest.NewServer(halfANomad(t))
	defer nomad.Close()
	denies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }))
	defer denies.Close()
	var posts atomic.Int64
	var posted syncBuffer
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(&posted, r.Body)
		if posts.Add(1)%2 == 1 {
			http.Error(w, "later", http.StatusBadGateway)
		}
	}))
	defer hook.Close()

	o := secretSettings(t, nomad.URL, denies.URL, hook.URL)
	var log syncBuffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := New(ctx, o, &log)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()

	require.Eventually(t, func() bool { return posts.Load() >= 2 && len(a.store.Records()) > 0 }, 20*time.Second, 10*time.Millisecond)
	var seen bytes.Buffer
	paths := []string{"/v1/deployments", "/v1/proxies", "/v1/fences", "/v1/leader", "/v1/lint", "/livez", "/readyz", "/metrics", "/", "/v1/events?after=bad"}
	for _, r := range a.store.Records() {
		paths = append(paths, "/v1/deployments/"+r.Key.Deployment, "/v1/deployments/"+r.Key.Deployment+"/history")
	}
	for _, path := range paths {
		_, body := get(t, a, path)
		seen.WriteString(path + "\n" + body)
	}
	seen.WriteString(someEvents(t, a))
	cancel()
	require.NoError(t, <-ended)
	for where, text := range map[string]string{"the log": log.String(), "the endpoint": seen.String(), "the webhook": posted.String()} {
		for line := range strings.SplitSeq(text, "\n") {
			require.NotContains(t, line, marked, where)
		}
	}
	require.Contains(t, log.String(), "webhook", "the webhook is in the log, without its path")
	require.Contains(t, seen.String(), "decision")
}

// halfANomad has a deployment and its job, and fails at everything else.
func halfANomad(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Nomad-Token") != marked+"-nomad-token" {
			t.Errorf("%s came without the token", r.URL)
		}
		for path, file := range map[string]string{"/v1/deployments": "deployments.json", "/v1/deployment/": "deployment.json", "/v1/job/": "job.json"} {
			if r.URL.Path == path || strings.HasSuffix(path, "/") && strings.HasPrefix(r.URL.Path, path) && strings.Count(r.URL.Path, "/") == 3 {
				if r.URL.Query().Get("index") == "7" {
					<-r.Context().Done()
					return
				}
				content, err := os.ReadFile(filepath.Join("..", "nomad", "testdata", "recorded", file))
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("X-Nomad-Index", "7")
				w.Header().Set("X-Nomad-KnownLeader", "true")
				w.Header().Set("X-Nomad-LastContact", "0")
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(content)
				return
			}
		}
		http.Error(w, "boom: "+r.Header.Get("X-Nomad-Token"), http.StatusInternalServerError)
	})
}

// secretSettings have a secret wherever there can be one. Consul's address is
// one where nothing listens, so that it stands in errors.
func secretSettings(t *testing.T, nomad, traefik, hook string) options.Run {
	t.Helper()
	with := func(url string) string { return strings.Replace(url, "://", "://user:"+marked+"-userinfo@", 1) }
	t.Setenv("NOMAD_ADDR", with(nomad))
	t.Setenv("NOMAD_TOKEN", marked+"-nomad-token")
	t.Setenv("CONSUL_HTTP_ADDR", "http://127.0.0.1:1")
	t.Setenv("CONSUL_HTTP_TOKEN", marked+"-consul-token")
	t.Setenv("CONSUL_HTTP_AUTH", "user:"+marked+"-consul-auth")
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	o := options.Default()
	o.Traefik.URLs = []string{traefik, "http://127.0.0.1:1"}
	o.Traefik.APIUser, o.Traefik.APIPasswordFile = "gate", file("password", marked+"-traefik-password")
	o.Webhook = options.Webhook{URL: with(hook) + "/" + marked + "-path?key=" + marked + "-query", SecretFile: file("key", marked+"-webhook-key")}
	o.Listen, o.LogLevel, o.DefaultMode = "127.0.0.1:0", slog.LevelDebug, "enforce"
	o.Leader.Off = true // Without Consul nobody leads, and only who leads posts.
	return o
}

// Consul's client would take credentials for a part of the name of the host.
func TestCredentialsInConsulsAddressAreRefused(t *testing.T) {
	o := settings(t)
	t.Setenv("CONSUL_HTTP_ADDR", "http://user:"+marked+"@127.0.0.1:1")
	_, err := New(t.Context(), o, io.Discard)
	require.ErrorContains(t, err, "CONSUL_HTTP_AUTH")
	require.NotContains(t, err.Error(), marked)
	require.Equal(t, exit.Usage, exit.Code(err))
}

// someEvents are what the stream has at its beginning.
func someEvents(t *testing.T, a *App) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.Addr()+"/v1/events?after=0", nil)
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, _ := io.ReadAll(res.Body)
	require.Contains(t, string(body), "event: decision")
	return string(body)
}
