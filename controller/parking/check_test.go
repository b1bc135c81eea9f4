package parking

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChecksAreAnsweredHere: neither the owner's nor the proxy's check waits, or
// reaches an instance; what only looks like one does.
func TestChecksAreAnsweredHere(t *testing.T) {
	health := &HealthCheck{Path: "/ready?full=1", Hostname: "health.local", Status: http.StatusNoContent}
	const passed = 299
	for name, c := range map[string]struct {
		send   []string
		health *HealthCheck
		secret string
		want   int
	}{
		"the owner's":                        {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check: s"}, health, "s", http.StatusOK},
		"the owner's, written another way":   {[]string{"GET / HTTP/1.1", "Host: x", "x-draingate-check: s"}, health, "s", http.StatusOK},
		"that of another listener":           {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check: t"}, health, "s", http.StatusForbidden},
		"two values":                         {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check: s", "X-Draingate-Check: s"}, health, "s", http.StatusForbidden},
		"an empty value where none is set":   {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check:"}, health, "", http.StatusForbidden},
		"the proxy's":                        {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local"}, health, "s", http.StatusNoContent},
		"the proxy's, with a port":           {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local:8080"}, &HealthCheck{Path: "/a/../ready?full=1", Hostname: "health.local:8080"}, "s", http.StatusOK},
		"the proxy's by default":             {[]string{"GET /ready HTTP/1.1", "Host: x"}, &HealthCheck{Path: "ready"}, "s", http.StatusOK},
		"the proxy's with its own method":    {[]string{"HEAD /ready HTTP/1.1", "Host: x"}, &HealthCheck{Path: "/ready", Method: "HEAD"}, "s", http.StatusOK},
		"somebody else's on the same path":   {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local", "X-Forwarded-Server: edge"}, health, "s", passed},
		"another method":                     {[]string{"POST /ready?full=1 HTTP/1.1", "Host: health.local", "Content-Length: 0"}, health, "s", passed},
		"another host":                       {[]string{"GET /ready?full=1 HTTP/1.1", "Host: example.com"}, health, "s", passed},
		"another query":                      {[]string{"GET /ready HTTP/1.1", "Host: health.local"}, health, "s", passed},
		"the same where there is no check":   {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local"}, nil, "s", passed},
		"an ordinary one beside all of that": {[]string{"GET / HTTP/1.1", "Host: x"}, health, "s", passed},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newInstance(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(passed) })
			l := open(t, LotOptions{Secret: c.secret, Health: c.health})
			l.Serve([]Backend{backend.backend()})
			conn := dialRaw(t, l.Addr().String())
			conn.say(t, append(c.send, "", "")...)
			require.Equal(t, c.want, conn.response(t).StatusCode)
			require.Equal(t, c.want == passed, len(backend.requests()) == 1)
		})
	}
}

func TestAHealthCheckThatCannotBeAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		health HealthCheck
		want   error
	}{
		"a path that is none":       {HealthCheck{Path: "/%zz"}, errHealthPath},
		"a status of no answer":     {HealthCheck{Status: 100}, errHealthStatus},
		"a status that is too high": {HealthCheck{Status: 600}, errHealthStatus},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{}).Open(t.Context(), LotOptions{Name: "web", Health: &c.health})
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, "open a listener for web: ")
		})
	}
}
