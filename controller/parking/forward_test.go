package parking

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// head reads a request's line and headers as they were sent.
func head(r raw) string {
	var out strings.Builder
	for {
		line, err := r.ReadString('\n')
		out.WriteString(line)
		if err != nil || line == "\r\n" {
			return out.String()
		}
	}
}

// sorted is the line and the headers, in an order that says nothing.
func sorted(lines []string) []string {
	return append(lines[:1:1], slices.Sorted(slices.Values(lines[1:]))...)
}

// TestARequestArrivesAsItWasSent compares bytes: what the instance reads is what
// the proxy wrote, but for the hop-by-hop headers.
func TestARequestArrivesAsItWasSent(t *testing.T) {
	for name, c := range map[string]struct{ send, want []string }{
		"a plain one": {
			[]string{"GET / HTTP/1.1", "Host: example.com"}, nil,
		},
		"no user agent is added, and no encoding": {
			[]string{"GET /a HTTP/1.1", "Host: example.com", "Accept: */*"}, nil,
		},
		"what a proxy says of its client": {
			[]string{"GET /a HTTP/1.1", "Host: example.com:8080", "User-Agent: curl/8", "Forwarded: for=192.0.2.60;proto=https", "X-Forwarded-For: 192.0.2.60, 10.0.0.1", "X-Forwarded-Host: example.com", "X-Forwarded-Port: 443", "X-Forwarded-Proto: https", "X-Forwarded-Server: edge", "X-Real-Ip: 192.0.2.60"}, nil,
		},
		"headers that come twice": {
			[]string{"GET /a HTTP/1.1", "Host: example.com", "Cookie: a=1", "Cookie: b=2", "X-Forwarded-For: 192.0.2.60", "X-Forwarded-For: 10.0.0.1"}, nil,
		},
		"a path that has escapes where none are needed, and none where some are": {
			[]string{`GET /a%2fb/%41/"<>|^/ä/;x=1/a#b HTTP/1.1`, "Host: example.com"}, nil,
		},
		"a query that no parser takes": {
			[]string{"GET /a?x=%zz;y=1&z=%&&=;+?/ HTTP/1.1", "Host: example.com"}, nil,
		},
		"an empty query": {
			[]string{"GET /a? HTTP/1.1", "Host: example.com"}, nil,
		},
		"two slashes at the beginning": {
			[]string{"GET //a//b%2fc?d HTTP/1.1", "Host: example.com"}, nil,
		},
		"the options of the whole server": {
			[]string{"OPTIONS * HTTP/1.1", "Host: example.com"}, nil,
		},
		"a method that nobody knows": {
			[]string{"BREW /pot HTTP/1.1", "Host: example.com"}, nil,
		},
		"hop-by-hop headers": {
			[]string{"GET /a HTTP/1.1", "Host: example.com", "Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Authorization: Basic eDp5", "Te: trailers", "X-End: 1"},
			[]string{"GET /a HTTP/1.1", "Host: example.com", "Te: trailers", "X-End: 1"},
		},
		"a WebSocket": {
			[]string{"GET /a HTTP/1.1", "Host: example.com", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhl", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: chat"}, nil,
		},
		"a body of no bytes": {
			[]string{"POST /a HTTP/1.1", "Host: example.com", "Content-Length: 0"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == nil {
				c.want = c.send
			}
			heads := make(chan string, 1)
			backend := newRawInstance(t, func(r raw) {
				heads <- head(r)
				r.say(t, "HTTP/1.1 204 No Content", "Connection: close", "", "")
			})
			l := open(t, LotOptions{})
			l.Serve([]Backend{backend.backend()})
			conn := dialRaw(t, l.Addr().String())
			conn.say(t, append(c.send, "", "")...)
			require.Equal(t, http.StatusNoContent, conn.response(t).StatusCode) //nolint:bodyclose // it ends with its connection
			got := strings.Split(<-heads, "\r\n")
			want := append(slices.Clone(c.want), "", "")
			if !slices.Contains(want, "Connection: Upgrade") {
				want = append(want, "Connection: close")
			}
			if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
				t.Errorf("sent %q (-want +got):\n%s", c.send, d)
			}
		})
	}
}

// TestTheHostOfAServer: a proxy that asks for the server's own address as the host
// asks an instance for the instance's.
func TestTheHostOfAServer(t *testing.T) {
	for name, c := range map[string]struct {
		host func(l *Lot) string
		own  bool
	}{
		"the listener's own address":        {func(l *Lot) string { return l.Addr().String() }, true},
		"its address with another port":     {func(*Lot) string { return "127.0.0.1:1" }, false},
		"its port with another name":        {func(l *Lot) string { return fmt.Sprintf("example.com:%d", l.Addr().Port()) }, false},
		"its address without a port":        {func(*Lot) string { return "127.0.0.1" }, false},
		"the host that the client asks for": {func(*Lot) string { return "example.com" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			hosts := make(chan string, 1)
			backend := newInstance(t, func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host })
			l := open(t, LotOptions{Host: "127.0.0.1"})
			l.Serve([]Backend{backend.backend()})
			conn := dialRaw(t, l.Addr().String())
			conn.say(t, "GET / HTTP/1.1", "Host: "+c.host(l), "", "")
			require.Equal(t, http.StatusOK, conn.response(t).StatusCode) //nolint:bodyclose // it ends with its connection
			want := c.host(l)
			if c.own {
				want = backend.Listener.Addr().String()
			}
			require.Equal(t, want, <-hosts)
		})
	}
}

// TestNothingIsSentTwice: an instance that reads a request and hangs up may have
// processed it, so nobody else gets it, whatever package http thinks of GET.
func TestNothingIsSentTwice(t *testing.T) {
	for name, c := range map[string]struct{ method, body, begun string }{
		"a GET":                          {http.MethodGet, "", ""},
		"a HEAD":                         {http.MethodHead, "", ""},
		"a POST":                         {http.MethodPost, "once", ""},
		"a GET, half of a line answered": {http.MethodGet, "", "HTTP/1.1 20"},
	} {
		t.Run(name, func(t *testing.T) {
			hangUp := func(r raw) {
				head(r)
				_, _ = io.WriteString(r.Conn, c.begun)
			}
			one, other := newRawInstance(t, hangUp), newRawInstance(t, hangUp)
			l := open(t, LotOptions{})
			l.Serve([]Backend{one.backend(), other.backend()})
			client := newClient(t)
			const n = 10
			for range n {
				got := do(client, request(t.Context(), t, l, c.method, "/", strings.NewReader(c.body)))
				require.NoError(t, got.err)
				require.Equal(t, http.StatusBadGateway, got.status)
				require.Equal(t, "failed; reason=instance", got.header.Get(HeaderParked))
				if c.method != http.MethodHead {
					require.Contains(t, got.body, "It was sent once, and is not sent again.")
				}
			}
			require.Equal(t, n, one.connections()+other.connections())
			require.EqualValues(t, n, l.Figures().Failed)
		})
	}
}

// TestEachRequestHasItsOwnConnection: one that served another request before could
// close just when the next one is written.
func TestEachRequestHasItsOwnConnection(t *testing.T) {
	backend := newRawInstance(t, func(r raw) {
		for strings.HasPrefix(head(r), "GET ") {
			_, _ = io.WriteString(r.Conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	l := open(t, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	client := newClient(t)
	for n := 1; n <= 5; n++ {
		require.Equal(t, "ok", do(client, request(t.Context(), t, l, http.MethodGet, "/", nil)).body)
		require.Equal(t, n, backend.connections())
	}
}

// TestAConnectionIsHandedOverOnce: package http asks for a second one only to send
// a request again.
func TestAConnectionIsHandedOverOnce(t *testing.T) {
	backend := newRawInstance(t, func(raw) {})
	p := &passage{conn: make(chan net.Conn, 1)}
	p.conn <- dialRaw(t, backend.Addr().String()).Conn
	transport := newProxy().Transport.(*http.Transport)
	ctx := context.WithValue(t.Context(), passageKey{}, p)
	_, err := transport.DialContext(ctx, "tcp", "")
	require.NoError(t, err)
	_, err = transport.DialContext(ctx, "tcp", "")
	require.ErrorIs(t, err, errSent)
}

// TestWhatCannotBePassedOn is answered, and does not go to an instance.
func TestWhatCannotBePassedOn(t *testing.T) {
	for name, c := range map[string]struct {
		send   []string
		status int
	}{
		"a tunnel":                           {[]string{"CONNECT example.com:443 HTTP/1.1", "Host: example.com:443"}, http.StatusNotImplemented},
		"an upgrade to what has no name":     {[]string{"GET / HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: \xff"}, http.StatusBadRequest},
		"two lengths of the body":            {[]string{"POST / HTTP/1.1", "Host: x", "Content-Length: 1", "Content-Length: 2"}, http.StatusBadRequest},
		"a path with an escape that is none": {[]string{"GET /%zz HTTP/1.1", "Host: x"}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newInstance(t, nil)
			l := open(t, LotOptions{})
			l.Serve([]Backend{backend.backend()})
			conn := dialRaw(t, l.Addr().String())
			conn.say(t, append(c.send, "", "")...)
			require.Equal(t, c.status, conn.response(t).StatusCode) //nolint:bodyclose // it ends with its connection
			require.Empty(t, backend.requests())
			eventually(t, "the turn ends", func() bool { return l.Figures().UnderWay == 0 })
		})
	}
}
