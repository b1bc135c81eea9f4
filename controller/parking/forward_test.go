package parking

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
			require.Equal(t, http.StatusNoContent, conn.response(t).StatusCode)
			got := strings.Split(<-heads, "\r\n")
			want := append(append([]string(nil), c.want...), "Connection: close", "", "")
			if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
				t.Errorf("sent %q (-want +got):\n%s", c.send, d)
			}
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

// TestABodyIsReadWhenThereIsAnInstance: a client that asks first is told to go on
// after the release, not before.
func TestABodyIsReadWhenThereIsAnInstance(t *testing.T) {
	backend := newInstance(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	l := open(t, LotOptions{})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "POST / HTTP/1.1", "Host: x", "Expect: 100-continue", "Content-Length: 5", "", "")
	waiting(t, l, 1)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := conn.Peek(1)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nothing is said before there is an instance")
	conn = raw{Conn: conn.Conn, Reader: bufio.NewReader(conn.Conn)}
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	l.Serve([]Backend{backend.backend()})
	line, err := conn.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, _ = conn.ReadString('\n')
	conn.say(t, "hello")
	res := conn.response(t)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(body))
}

// TestALargeBodyIsNotTakenIn: while it waits, no more of it than the buffers of the
// connection take leaves the client.
func TestALargeBodyIsNotTakenIn(t *testing.T) {
	const size = 64 << 20
	backend := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	l := open(t, LotOptions{})
	body := &counted{Reader: io.LimitReader(zeros{}, size)}
	r := request(context.Background(), t, l, http.MethodPost, "/", body)
	r.ContentLength = size
	got := send(newClient(t), r)
	waiting(t, l, 1)
	// The client writes until nothing more is taken, and then no more.
	var before int64 = -1
	eventually(t, "the client is held up", func() bool {
		now := body.n.Load()
		held := now > 0 && now == before
		before = now
		time.Sleep(20 * time.Millisecond)
		return held
	})
	require.Less(t, before, int64(size/2))
	l.Serve([]Backend{backend.backend()})
	require.Equal(t, strconv.Itoa(size), receive(t, got).body)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counted struct {
	io.Reader
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// TestASlowUpload: what the client sends arrives as it is sent.
func TestASlowUpload(t *testing.T) {
	parts := make(chan string)
	backend := newInstance(t, func(_ http.ResponseWriter, r *http.Request) {
		part := make([]byte, 100)
		for {
			n, err := r.Body.Read(part)
			if n > 0 {
				parts <- string(part[:n])
			}
			if err != nil {
				close(parts)
				return
			}
		}
	})
	l := open(t, LotOptions{})
	reader, writer := io.Pipe()
	got := send(newClient(t), request(context.Background(), t, l, http.MethodPut, "/", reader))
	waiting(t, l, 1)
	l.Serve([]Backend{backend.backend()})
	for _, part := range []string{"one", "two", "three"} {
		_, err := io.WriteString(writer, part)
		require.NoError(t, err)
		require.Equal(t, part, <-parts)
	}
	require.NoError(t, writer.Close())
	_, more := <-parts
	require.False(t, more)
	require.Equal(t, http.StatusOK, receive(t, got).status)
}

// TestAnswersAreStreamed: an event reaches the client when it is sent, and trailers
// do both ways.
func TestAnswersAreStreamed(t *testing.T) {
	next := make(chan string)
	backend := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Content-Type", "text/plain")
		for event := range next {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("X-Sum", "of "+r.Trailer.Get("X-Up"))
	})
	l := open(t, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "Trailer: X-Up", "", "2", "hi", "0", "X-Up: 42", "", "")
	next <- "first"
	res := conn.response(t)
	for _, event := range []string{"first", "second"} {
		if event != "first" {
			next <- event
		}
		got := make([]byte, len(event))
		_, err := io.ReadFull(res.Body, got)
		require.NoError(t, err)
		require.Equal(t, event, string(got))
	}
	close(next)
	_, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "of 42", res.Trailer.Get("X-Sum"))
}

// TestAnUpgradeThatWaited: both ends talk on the connection after the release, and
// it is counted while it is open.
func TestAnUpgradeThatWaited(t *testing.T) {
	backend := newRawInstance(t, func(r raw) {
		if !strings.Contains(head(r), "Upgrade: websocket\r\n") {
			return
		}
		r.say(t, "HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket", "", "")
		_, _ = io.Copy(r.Conn, r)
	})
	l := open(t, LotOptions{})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "GET /ws HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket", "", "")
	waiting(t, l, 1)
	l.Serve([]Backend{backend.backend()})
	require.Equal(t, http.StatusSwitchingProtocols, conn.response(t).StatusCode)
	for _, word := range []string{"ping", "pong"} {
		conn.say(t, word)
		got := make([]byte, len(word))
		_, err := io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, word, string(got))
	}
	require.Equal(t, 1, l.Figures().Upgrades)
	require.NoError(t, conn.Close())
	eventually(t, "the upgrade ends with the client", func() bool { f := l.Figures(); return f.Upgrades == 0 && f.UnderWay == 0 })
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
			require.Equal(t, c.status, conn.response(t).StatusCode)
			require.Empty(t, backend.requests())
			eventually(t, "the turn ends", func() bool { return l.Figures().UnderWay == 0 })
		})
	}
}
