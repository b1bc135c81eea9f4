package parking

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stay is how long the client of FuzzRequests waits for answers.
const stay = 5 * time.Millisecond

// FuzzRequests writes anything to a listener with two instances: each request
// that it took reaches one of them at most, so together they see no more than it
// has passed on; and the next proper request is served.
func FuzzRequests(f *testing.F) {
	var read atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
	})
	one, other := newInstance(f, handler), newInstance(f, handler)
	l := open(f, LotOptions{})
	// An instance that hangs up is one more.
	hangUp := newRawInstance(f, func(r raw) {
		if head(r) != "" {
			read.Add(1)
		}
	})
	backends := []Backend{one.backend(), other.backend(), hangUp.backend()}
	proper := newRawInstance(f, func(r raw) {
		head(r)
		_, _ = io.WriteString(r.Conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	client := newClient(f)
	f.Fuzz(func(t *testing.T, sent []byte) {
		l.Serve(backends)
		before, passed := read.Load(), l.Figures().Forwarded+l.Figures().Released
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, _ = conn.Write(sent)
		// A client that closes at once is one that left.
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(stay)))
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.(*net.TCPConn).CloseWrite() // it may be closed
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, _ = io.Copy(io.Discard, conn)
		eventually(t, "all has ended", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.handling == 0
		})
		f := l.Figures()
		passed = f.Forwarded + f.Released - passed
		if seen := read.Load() - before; seen > int64(passed) {
			t.Fatalf("instances saw %d requests, and %d were passed on, of %q", seen, passed, sent)
		}
		if possible := bytes.Count(sent, []byte(" HTTP/")); passed > uint64(possible) {
			t.Fatalf("%d requests were passed on of %q, which has %d", passed, sent, possible)
		}
		l.Serve([]Backend{proper.backend()})
		require.Equal(t, "ok", do(client, request(context.Background(), t, l, http.MethodGet, "/", nil)).body)
	})
}
