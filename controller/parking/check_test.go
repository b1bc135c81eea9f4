package parking

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/park"
)

// TestChecksAreAnsweredHere: neither the owner's check nor that of a proxy waits, or
// reaches an instance; what only looks like one does.
func TestChecksAreAnsweredHere(t *testing.T) {
	probes := []park.Probe{
		{Path: "/ready?full=1", Method: http.MethodGet, Host: "health.local", Status: http.StatusNoContent},
		{Path: "/livez", Method: http.MethodHead, Status: http.StatusOK},
		{Path: "/sent", Method: http.MethodGet, Headers: map[string]string{"x-forwarded-server": "edge"}, Status: http.StatusAccepted},
	}
	const passed = 299
	for name, c := range map[string]struct {
		send   []string
		probes []park.Probe
		secret string
		want   int
	}{
		"the owner's":                        {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check: s"}, probes, "s", http.StatusOK},
		"the owner's, written another way":   {[]string{"GET / HTTP/1.1", "Host: x", "x-draingate-check: s"}, probes, "s", http.StatusOK},
		"that of another listener":           {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check: t"}, probes, "s", http.StatusForbidden},
		"two values":                         {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check: s", "X-Draingate-Check: s"}, probes, "s", http.StatusForbidden},
		"an empty value where none is set":   {[]string{"GET / HTTP/1.1", "Host: x", "X-Draingate-Check:"}, probes, "", http.StatusForbidden},
		"the proxy's":                        {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local"}, probes, "s", http.StatusNoContent},
		"that of another proxy":              {[]string{"HEAD /livez HTTP/1.1", "Host: x"}, probes, "s", http.StatusOK},
		"one that has a header of Traefik's": {[]string{"GET /sent HTTP/1.1", "Host: x", "X-Forwarded-Server: edge"}, probes, "s", http.StatusAccepted},
		"another method than that one's":     {[]string{"GET /livez HTTP/1.1", "Host: x"}, probes, "s", passed},
		"somebody else's on the same path":   {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local", "X-Forwarded-Server: edge"}, probes, "s", passed},
		"another method":                     {[]string{"POST /ready?full=1 HTTP/1.1", "Host: health.local", "Content-Length: 0"}, probes, "s", passed},
		"another host":                       {[]string{"GET /ready?full=1 HTTP/1.1", "Host: example.com"}, probes, "s", passed},
		"another query":                      {[]string{"GET /ready HTTP/1.1", "Host: health.local"}, probes, "s", passed},
		"the same where there is no check":   {[]string{"GET /ready?full=1 HTTP/1.1", "Host: health.local"}, nil, "s", passed},
		"an ordinary one beside all of that": {[]string{"GET / HTTP/1.1", "Host: x"}, probes, "s", passed},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newInstance(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(passed) })
			l := open(t, LotOptions{Secret: c.secret, Probes: c.probes})
			l.Serve([]Backend{backend.backend()})
			conn := dialRaw(t, l.Addr().String())
			conn.say(t, append(c.send, "", "")...)
			require.Equal(t, c.want, conn.response(t).StatusCode) //nolint:bodyclose // it ends with its connection
			require.Equal(t, c.want == passed, len(backend.requests()) == 1)
		})
	}
}
