package client_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
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

	"github.com/draingate/draingate/traefik/client"
)

// The goldens are recorded by the tests of the traefik package; the flag is
// here so that both can be run with it.
var _ = flag.Bool("update", false, "ignored: the traefik package records")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func golden(t *testing.T, name string) []byte {
	content, err := os.ReadFile(filepath.Join("..", "testdata", "api", name))
	require.NoError(t, err)
	return content
}

// traefik replays what a real Traefik answered.
func traefik(t *testing.T) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /api/version", answer("application/json; charset=UTF-8", golden(t, "version.json")))
	mux.Handle("GET /api/rawdata", answer("application/json", golden(t, "rawdata.json")))
	mux.Handle("GET /api/support-dump", answer("application/gzip", golden(t, "support-dump.tar.gz")))
	return mux
}

func answer(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
	}
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, o client.Options) *client.Client {
	c, err := client.New(o)
	require.NoError(t, err)
	return c
}

// call is each of the calls that a client has.
var calls = map[string]func(context.Context, *client.Client) error{
	"Identity": func(ctx context.Context, c *client.Client) error { _, _, err := c.Identity(ctx); return err },
	"Settings": func(ctx context.Context, c *client.Client) error { _, err := c.Settings(ctx); return err },
	"Routing":  func(ctx context.Context, c *client.Client) error { _, err := c.Routing(ctx); return err },
}

func TestEveryCallFailsInOneClearLine(t *testing.T) {
	html := answer("text/html; charset=utf-8", []byte("<html>secret-body</html>"))
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret-body", code) }
	}
	endless := func(contentType string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			chunk := []byte(strings.Repeat(" ", 1<<20))
			for range 80 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		options client.Options
		want    []string
	}{
		"401 without credentials": {handler: status(401), want: []string{"401 Unauthorized", "needs credentials: set --traefik-api-user"}},
		"401 with credentials":    {handler: status(401), options: client.Options{Username: "ann", Password: "hunter2"}, want: []string{"not accepted", "--traefik-api-password-file"}},
		"403 with a token":        {handler: status(403), options: client.Options{BearerToken: "hunter2"}, want: []string{"403 Forbidden", "not accepted"}},
		"404":                     {handler: status(404), want: []string{"404 Not Found", "api@internal", "--traefik-api-base-path"}},
		"400":                     {handler: status(400), want: []string{"http or https"}},
		"502":                     {handler: status(502), want: []string{"502 Bad Gateway"}},
		"a redirect": {handler: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://u:hunter2@elsewhere/login?token=hunter2", http.StatusFound)
		}, want: []string{"302 Found", "redirects to https://elsewhere/login"}},
		"HTML":            {handler: html, want: []string{"text/html, not application/", "--traefik-api-port"}},
		"no content type": {handler: func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil }, want: []string{"of no content type"}},
		"closed without an answer": {handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			want: []string{"closed early"}},
	}
	for name, tt := range tests {
		server := serve(t, tt.handler)
		for call, do := range calls {
			t.Run(name+": "+call, func(t *testing.T) {
				tt.options.URL = server.URL
				err := do(t.Context(), dial(t, tt.options))
				oneClearLine(t, err, append(tt.want, "read "+server.URL+"/api/"))
			})
		}
	}
	t.Run("an endless version", func(t *testing.T) {
		oneClearLine(t, calls["Identity"](t.Context(), dial(t, client.Options{URL: serve(t, endless("application/json")).URL})), []string{"longer than 65536 bytes"})
	})
	t.Run("an endless routing", func(t *testing.T) {
		oneClearLine(t, calls["Routing"](t.Context(), dial(t, client.Options{URL: serve(t, endless("application/json")).URL})), []string{"longer than 67108864 bytes"})
	})
	t.Run("an endless dump", func(t *testing.T) {
		oneClearLine(t, calls["Settings"](t.Context(), dial(t, client.Options{URL: serve(t, endless("application/gzip")).URL})), []string{"longer than 8388608 bytes"})
	})
}

func oneClearLine(t *testing.T, err error, want []string) {
	t.Helper()
	require.Error(t, err)
	for _, w := range want {
		require.ErrorContains(t, err, w)
	}
	for _, no := range []string{"\n", "hunter2", "secret-body"} {
		require.NotContains(t, err.Error(), no)
	}
}

func TestAnswersThatAreCutShortAreErrors(t *testing.T) {
	cut := func(contentType string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
		}
	}
	short := func(contentType string, body []byte) http.HandlerFunc { return answer(contentType, body[:len(body)/2]) }
	bodies := map[string]struct {
		contentType string
		body        []byte
	}{
		"Identity": {"application/json", golden(t, "version.json")},
		"Settings": {"application/gzip", golden(t, "support-dump.tar.gz")},
		"Routing":  {"application/json", golden(t, "rawdata.json")},
	}
	for call, b := range bodies {
		t.Run(call+": fewer bytes than announced", func(t *testing.T) {
			err := calls[call](t.Context(), dial(t, client.Options{URL: serve(t, cut(b.contentType, b.body)).URL}))
			oneClearLine(t, err, []string{"the answer broke off", "closed early"})
		})
		t.Run(call+": half a document", func(t *testing.T) {
			oneClearLine(t, calls[call](t.Context(), dial(t, client.Options{URL: serve(t, short(b.contentType, b.body)).URL})), nil)
		})
	}
}

func TestASlowAnswerEndsWithTheTimeoutOrTheContext(t *testing.T) {
	release := make(chan struct{})
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{"))
		w.(http.Flusher).Flush()
		<-release
	}))
	defer close(release)
	t.Run("the client's timeout", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := calls["Routing"](ctx, dial(t, client.Options{URL: server.URL, Timeout: 30 * time.Millisecond}))
		oneClearLine(t, err, []string{"no complete answer within 30ms"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("the caller's context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		err := calls["Routing"](ctx, dial(t, client.Options{URL: server.URL}))
		oneClearLine(t, err, []string{"the caller's deadline"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("a cancelled context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, calls["Routing"](ctx, dial(t, client.Options{URL: server.URL})), context.Canceled)
	})
}

func TestNobodyListens(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	oneClearLine(t, calls["Identity"](t.Context(), dial(t, client.Options{URL: "http://" + addr})),
		[]string{"read http://" + addr + "/api/version", "connection refused", "nothing listens there", "--traefik-api-port"})
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(traefik(t))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))

	require.NoError(t, calls["Routing"](t.Context(), dial(t, client.Options{URL: server.URL, CAFile: ca})))
	require.NoError(t, calls["Routing"](t.Context(), dial(t, client.Options{URL: server.URL, CAFile: ca, ServerName: "example.com"})))

	err := calls["Routing"](t.Context(), dial(t, client.Options{URL: server.URL}))
	oneClearLine(t, err, []string{"--traefik-api-ca"})
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)

	oneClearLine(t, calls["Routing"](t.Context(), dial(t, client.Options{URL: server.URL, CAFile: ca, ServerName: "other.test"})), []string{"--traefik-api-server-name"})
	oneClearLine(t, calls["Routing"](t.Context(), dial(t, client.Options{URL: strings.Replace(server.URL, "https", "http", 1)})), []string{"http or https"})
	plain := serve(t, traefik(t))
	oneClearLine(t, calls["Routing"](t.Context(), dial(t, client.Options{URL: strings.Replace(plain.URL, "http", "https", 1)})), []string{"--traefik-url", "http://"})
}

func TestEachCallOpensANewConnection(t *testing.T) {
	var (
		mu     sync.Mutex
		remote = map[string]bool{}
	)
	mux := traefik(t)
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		remote[r.RemoteAddr] = true
		mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	c := dial(t, client.Options{URL: server.URL})
	for range 3 {
		for _, do := range calls {
			require.NoError(t, do(t.Context(), c))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, remote, 9)
}

func TestCredentialsAndBasePathAreSentAndNeverShown(t *testing.T) {
	tests := map[string]struct {
		options client.Options
		header  string
	}{
		"basic":          {client.Options{Username: "ann", Password: "hunter2"}, "Basic YW5uOmh1bnRlcjI="},
		"bearer":         {client.Options{BearerToken: "hunter2"}, "Bearer hunter2"},
		"none":           {client.Options{}, ""},
		"with base path": {client.Options{BasePath: "/gate/"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var header string
			mux := http.NewServeMux()
			prefix := strings.TrimSuffix(tt.options.BasePath, "/")
			mux.Handle(prefix+"/api/", http.StripPrefix(prefix, traefik(t)))
			server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header = r.Header.Get("Authorization")
				mux.ServeHTTP(w, r)
			}))
			tt.options.URL = server.URL + "/"
			c := dial(t, tt.options)
			require.NoError(t, calls["Identity"](t.Context(), c))
			require.Equal(t, tt.header, header)
			require.Equal(t, server.URL+prefix, c.String())
			for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", *c), fmt.Sprintf("%#v", *c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%+v", tt.options), fmt.Sprintf("%#v", tt.options)} {
				require.NotContains(t, shown, "hunter2")
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	tests := map[string]struct {
		options client.Options
		want    string
	}{
		"no URL":                   {client.Options{}, "is not a URL"},
		"no scheme":                {client.Options{URL: "127.0.0.1:8080"}, "is not a URL"},
		"another scheme":           {client.Options{URL: "ftp://127.0.0.1"}, "is not a URL"},
		"credentials in the URL":   {client.Options{URL: "http://ann:hunter2@127.0.0.1:8080"}, "--traefik-api-user"},
		"credentials in a bad URL": {client.Options{URL: "http://ann:hunter2@127.0.0.1:80a80/"}, "is not a URL"},
		"a slash in a password":    {client.Options{URL: "http://ann:hun/hunter2@127.0.0.1:8080"}, "is not a URL"},
		"a query":                  {client.Options{URL: "http://127.0.0.1?a=hunter2"}, "query"},
		"a missing CA":             {client.Options{URL: "http://127.0.0.1", CAFile: "gone.pem"}, "--traefik-api-ca"},
		"a CA that is none":        {client.Options{URL: "http://127.0.0.1", CAFile: empty}, "no PEM certificate"},
		"a negative timeout":       {client.Options{URL: "http://127.0.0.1", Timeout: -1}, "negative"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := client.New(tt.options)
			oneClearLine(t, err, []string{tt.want})
		})
	}
}
