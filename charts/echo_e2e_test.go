//go:build e2e

package charts_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// echoing is a server in front of another that can be told to refuse every
// request with a text that holds all of the request's headers.
type echoing struct {
	*httptest.Server
	broken atomic.Bool
	mu     sync.Mutex
	sent   string
}

func newEchoing(t *testing.T, target string) *echoing {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	e := &echoing{}
	pass := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) }, FlushInterval: -1}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.note(r)
		if !e.broken.Load() {
			pass.ServeHTTP(w, r)
			return
		}
		refuse(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

// refuse echoes what the request was sent with, as it is, decoded and encoded.
func refuse(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	text := fmt.Sprintf("this is an echo of user %s with %s: %v %s %s\n", user, password, r.Header,
		base64.StdEncoding.EncodeToString([]byte(r.Header.Get("X-Nomad-Token"))), base64.StdEncoding.EncodeToString([]byte(r.Header.Get("X-Consul-Token"))))
	w.Header().Set("Location", "http://"+user+":"+password+"@elsewhere.test/?"+password)
	var out io.Writer = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		defer func() { _ = zip.Close() }()
		out = zip
	}
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(out, text)
}

// note keeps what proves that the secrets were used.
func (e *echoing) note(r *http.Request) {
	user, password, _ := r.BasicAuth()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = strings.Join([]string{r.Header.Get("X-Nomad-Token"), r.Header.Get("X-Consul-Token"), user, password}, " ")
}

func (e *echoing) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sent
}

// receiver is what the webhook posts to. It refuses every other request.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies bytes.Buffer
	auth   string
	count  int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies.Write(append(body, '\n'))
		_, r.auth, _ = req.BasicAuth()
		if r.count++; r.count%2 == 0 {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprintf(w, "an echo of %s with %v", req.URL, req.Header)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() (bodies, auth string, count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bodies.String(), r.auth, r.count
}
