package status_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// listener is a raw connection with an open stream: as little of a client as
// there can be, so that the memory measured is the server's.
type listener struct {
	conn net.Conn
	read *bufio.Reader
}

func listen(t *testing.T, addr string) (*listener, error) {
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &listener{conn: conn, read: bufio.NewReaderSize(conn, 1024)}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", status.EventsPath); err != nil {
		return nil, err
	}
	return l, l.until("retry:")
}

// until reads lines until one begins with the text.
func (l *listener) until(text string) error {
	for {
		line, err := l.read.ReadString('\n')
		if err != nil {
			return fmt.Errorf("wait for %q: %w", text, err)
		}
		if strings.HasPrefix(line, text) {
			return nil
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestAThousandStreams(t *testing.T) {
	const clients, changes = 1000, 20
	s := status.NewStore()
	addr, stop, done := start(t, status.NewHandler(status.Options{Store: s}))
	before := heap()
	open := make([]*listener, clients)
	var opening errgroup.Group
	opening.SetLimit(50)
	for i := range open {
		opening.Go(func() (err error) {
			open[i], err = listen(t, addr)
			return err
		})
	}
	require.NoError(t, opening.Wait())
	defer func() {
		for _, l := range open {
			_ = l.conn.Close()
		}
	}()
	require.Eventually(t, func() bool { return s.Subscribers() == clients }, 10*time.Second, 10*time.Millisecond)

	var reading errgroup.Group
	for _, l := range open {
		reading.Go(func() error {
			for range changes {
				if err := l.until("data: "); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var slowest time.Duration
	for i := range changes {
		began := time.Now()
		s.Record(record("a", reason(model.Reason(fmt.Sprint("R", i)))))
		slowest = max(slowest, time.Since(began))
	}
	require.NoError(t, reading.Wait())
	each := (heap() - before) / clients
	t.Logf("%d streams, %d changes: slowest Record %s, %d KiB for each stream, client's part included", clients, changes, slowest, each>>10)
	require.Less(t, each, uint64(128<<10))
	// A pass that waited for a client would take the 10 s that one write may; the
	// figure itself is that of a machine on which a thousand clients run too.
	require.Less(t, slowest, 5*time.Second, "the loop is not held up")

	began := time.Now()
	stop()
	require.NoError(t, <-done)
	// Streams that do not end in that time are cut, so that the end is bounded also
	// where a thousand clients share the processors.
	require.Less(t, time.Since(began), status.ShutdownTimeout+10*time.Second)
	require.Zero(t, s.Subscribers())
}

// A client that reads nothing is dropped, and neither the loop nor other
// clients notice.
func TestASlowStreamIsDropped(t *testing.T) {
	s := status.NewStore()
	addr, _, _ := start(t, status.NewHandler(status.Options{Store: s}))
	slow, err := listen(t, addr)
	require.NoError(t, err)
	defer func() { _ = slow.conn.Close() }()
	require.NoError(t, slow.conn.(*net.TCPConn).SetReadBuffer(1024))
	require.Eventually(t, func() bool { return s.Subscribers() == 1 }, 5*time.Second, time.Millisecond)
	message := strings.Repeat("x", 2000)
	var slowest time.Duration
	for i := 0; s.Subscribers() > 0; i++ {
		require.Less(t, i, 1_000_000, "it is never dropped")
		began := time.Now()
		s.Record(record("a", reason(model.Reason(fmt.Sprint("R", i))), func(r *model.Record) { r.Decision.Message = message }))
		slowest = max(slowest, time.Since(began))
	}
	require.Less(t, slowest, 5*time.Second)
}

func TestThereAreOnlySoManyStreams(t *testing.T) {
	s := status.NewStore()
	h := status.NewHandler(status.Options{Store: s})
	var open sync.WaitGroup
	ended := make(chan struct{})
	end := sync.OnceFunc(func() { close(ended) })
	defer end()
	for range status.MaxSubscribers {
		open.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, status.EventsPath, nil)
			h.ServeHTTP(&blocked{header: http.Header{}, until: ended}, r)
		})
	}
	require.Eventually(t, func() bool { return s.Subscribers() == status.MaxSubscribers }, 20*time.Second, 10*time.Millisecond)
	res := httptest.NewRecorder()
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	h.ServeHTTP(res, httptest.NewRequestWithContext(soon, http.MethodGet, status.EventsPath, nil))
	require.Equal(t, http.StatusServiceUnavailable, res.Code)
	require.Equal(t, "5", res.Header().Get("Retry-After"))
	end()
	open.Wait()
	require.Zero(t, s.Subscribers())
}

// blocked is a client whose first write ends, in an error, when told.
type blocked struct {
	header http.Header
	until  <-chan struct{}
}

func (b *blocked) Header() http.Header { return b.header }
func (b *blocked) WriteHeader(int)     {}
func (b *blocked) Write([]byte) (int, error) {
	<-b.until
	return 0, io.ErrClosedPipe
}

// A client that sends its request a byte at a time, or a header without end,
// is cut off.
func TestSlowAndEndlessRequestsAreCutOff(t *testing.T) {
	addr, _, _ := start(t, status.NewHandler(status.Options{Store: status.NewStore()}))
	t.Run("a header that never ends", func(t *testing.T) {
		t.Parallel()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		began := time.Now()
		_, err = io.WriteString(conn, "GET /v1/deployments HTTP/1.1\r\nHost: x\r\n")
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, conn)
		require.InDelta(t, 5, time.Since(began).Seconds(), 3)
	})
	t.Run("headers that are too large", func(t *testing.T) {
		t.Parallel()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/v1/deployments", nil)
		require.NoError(t, err)
		req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		res, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
	})
}

func FuzzHandlerHeaders(f *testing.F) {
	f.Add("Last-Event-ID", "abc-1", "namespace=a&job=b")
	f.Add("Accept", "text/html", "after=0")
	f.Add("Range", "bytes=0-", "after=%zz")
	f.Add("If-None-Match", "*", ";;;")
	h := status.NewHandler(status.Options{Store: status.NewStore(), Ready: func() (bool, []string) { return true, nil }})
	f.Fuzz(func(t *testing.T, name, value, query string) {
		for _, path := range []string{"/v1/deployments", "/v1/deployments/aaaa/history", "/v1/proxies", "/livez", status.EventsPath} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodHead, path, nil)
			req.URL.RawQuery = query
			req.Header[name] = []string{value}
			res := httptest.NewRecorder()
			h.ServeHTTP(res, req)
			switch res.Code {
			case http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable:
			default:
				t.Fatalf("%s?%s with %q: %q: %d", path, query, name, value, res.Code)
			}
			if kind := res.Header().Get("Content-Type"); kind != "application/json; charset=utf-8" && kind != "text/event-stream" {
				t.Fatalf("%s: content type %q", path, kind)
			}
		}
	})
}
