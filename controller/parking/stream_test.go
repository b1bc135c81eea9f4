package parking

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
	res := conn.response(t) //nolint:bodyclose // it ends with its connection
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
	var taken atomic.Int64
	r := request(context.Background(), t, l, http.MethodPost, "/", &counted{Reader: io.LimitReader(zeros{}, size), n: &taken})
	r.ContentLength = size
	got := send(newClient(t), r)
	waiting(t, l, 1)
	require.Less(t, heldUp(t, &taken), int64(size/2))
	l.Serve([]Backend{backend.backend()})
	require.Equal(t, strconv.Itoa(size), receive(t, got).body)
}

// heldUp waits until something is written and no more of it is taken, and returns
// how much was.
func heldUp(t *testing.T, taken *atomic.Int64) int64 {
	t.Helper()
	var before int64
	eventually(t, "the writer is held up", func() bool {
		now := taken.Load()
		held := now > 0 && now == before
		before = now
		time.Sleep(20 * time.Millisecond)
		return held
	})
	return before
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counted struct {
	io.Reader
	n *atomic.Int64
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
	res := conn.response(t) //nolint:bodyclose // it ends with its connection
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

// TestAnAnswerOfKnownLengthIsStreamedToo: package httputil alone would keep its
// parts back.
func TestAnAnswerOfKnownLengthIsStreamedToo(t *testing.T) {
	rest := make(chan struct{})
	backend := newInstance(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "8")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-rest
		_, _ = io.WriteString(w, "half")
	})
	l := open(t, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "GET / HTTP/1.1", "Host: x", "", "")
	t.Cleanup(sync.OnceFunc(func() { close(rest) }))
	got := make([]byte, 4)
	_, err := io.ReadFull(conn.response(t).Body, got) //nolint:bodyclose // it ends with its connection
	require.NoError(t, err)
	require.Equal(t, "half", string(got))
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
	require.Equal(t, http.StatusSwitchingProtocols, conn.response(t).StatusCode) //nolint:bodyclose // it ends with its connection
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
