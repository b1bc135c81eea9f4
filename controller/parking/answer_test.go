package parking

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// unhurried flushes nothing before the first byte of a body, which is what a flush that
// comes late amounts to: package http then looks at the body for a type.
type unhurried struct {
	http.ResponseWriter
	written bool
}

func (u *unhurried) Write(p []byte) (int, error) {
	u.written = true
	return u.ResponseWriter.Write(p)
}

func (u *unhurried) FlushError() error {
	if !u.written {
		return nil
	}
	return http.NewResponseController(u.ResponseWriter).Flush()
}

// TestAnAnswerArrivesAsItWasSent: what the proxy reads is what the instance wrote, but
// for the hop-by-hop headers. Package http would put in what it takes the body for.
func TestAnAnswerArrivesAsItWasSent(t *testing.T) {
	const date = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
	for name, c := range map[string]struct {
		method, sent string
		want         http.Header
	}{
		"no type is found out": {
			http.MethodGet, "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 15\r\n\r\n<html>hi</html>",
			http.Header{"Content-Length": {"15"}},
		},
		"nor of one whose length is not told": {
			http.MethodGet, "HTTP/1.1 200 OK\r\n" + date + "Transfer-Encoding: chunked\r\n\r\nf\r\n<html>hi</html>\r\n0\r\n\r\n",
			http.Header{},
		},
		"a type is kept": {
			http.MethodGet, "HTTP/1.1 200 OK\r\n" + date + "Content-Type: a/b\r\nContent-Length: 2\r\n\r\nhi",
			http.Header{"Content-Type": {"a/b"}, "Content-Length": {"2"}},
		},
		"hints come first": {
			http.MethodGet, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n" + date + "Content-Length: 15\r\n\r\n<html>hi</html>",
			http.Header{"Content-Length": {"15"}},
		},
		"no body": {
			http.MethodGet, "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 0\r\n\r\n",
			http.Header{"Content-Length": {"0"}},
		},
		"a head": {
			http.MethodHead, "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 15\r\n\r\n",
			http.Header{"Content-Length": {"15"}},
		},
		"nothing new": {
			http.MethodGet, "HTTP/1.1 304 Not Modified\r\n" + date + "Etag: \"a\"\r\n\r\n",
			http.Header{"Etag": {`"a"`}},
		},
		"cookies": {
			http.MethodGet, "HTTP/1.1 204 No Content\r\n" + date + "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
			http.Header{"Set-Cookie": {"a=1", "b=2"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newRawInstance(t, func(r raw) {
				head(r)
				_, _ = io.WriteString(r.Conn, c.sent)
			})
			l := open(t, LotOptions{})
			l.Serve([]Backend{backend.backend()})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.serve(&unhurried{ResponseWriter: w}, r) }))
			t.Cleanup(server.Close)
			r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL, nil)
			require.NoError(t, err)
			got := do(newClient(t), r)
			require.NoError(t, got.err)
			c.want.Set("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
			if diff := cmp.Diff(c.want, got.header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}
