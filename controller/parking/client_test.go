package parking

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestClientsThatLeave are never sent, with a body or without.
func TestClientsThatLeave(t *testing.T) {
	for name, c := range map[string]struct{ send []string }{
		"without a body":         {[]string{"GET /gone HTTP/1.1", "Host: x", "", ""}},
		"with one that it sent":  {[]string{"POST /gone HTTP/1.1", "Host: x", "Content-Length: 5", "", "hello"}},
		"with one that it began": {[]string{"POST /gone HTTP/1.1", "Host: x", "Content-Length: 500", "", "hello"}},
		"with one that it holds": {[]string{"POST /gone HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newInstance(t, nil)
			l := open(t, LotOptions{})
			conn := dialRaw(t, l.Addr().String())
			conn.say(t, c.send...)
			waiting(t, l, 1)
			stays := get(t, newClient(t), l, "/stays")
			waiting(t, l, 2)
			require.NoError(t, conn.Close())
			waiting(t, l, 1)
			require.EqualValues(t, 1, l.Figures().Gone)
			l.Serve([]Backend{backend.backend()})
			require.Equal(t, http.StatusOK, receive(t, stays).status)
			require.Equal(t, []string{"/stays"}, backend.requests())
		})
	}
}

// TestAClientThatLeftIsLookedForRightBefore: the release finds it also where
// nobody has looked since.
func TestAClientThatLeftIsLookedForRightBefore(t *testing.T) {
	backend := newInstance(t, nil)
	l := open(t, LotOptions{})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "POST /gone HTTP/1.1", "Host: x", "Content-Length: 5", "", "hello")
	waiting(t, l, 1)
	l.mu.Lock()
	w := asWaiter(l.queue.Front())
	l.mu.Unlock()
	require.NoError(t, conn.Close())
	eventually(t, "the connection is closed", w.client.gone)
	l.Serve([]Backend{backend.backend()})
	eventually(t, "it leaves", func() bool { return l.Figures().Gone == 1 })
	require.Empty(t, backend.requests())
}

// TestATurnThatItsClientLeaves goes to the next one.
func TestATurnThatItsClientLeaves(t *testing.T) {
	l := open(t, LotOptions{})
	all := line(t, l, 2)
	l.mu.Lock()
	b := &backend{Backend: Backend{ID: "a"}, suspect: true}
	l.backends = []*backend{b}
	l.dispatch(time.Now())
	l.mu.Unlock()
	require.Equal(t, upTo(1), served(all))
	l.abandon(all[0])
	require.Len(t, all[1].answer, 1)
	require.Equal(t, 1, b.active)
	l.abandon(all[1])
	require.Zero(t, b.active)
	require.Zero(t, b.dialing)
}

// TestAClientThatLeavesLater ends the request at the instance, and is counted.
func TestAClientThatLeavesLater(t *testing.T) {
	ended := make(chan struct{})
	backend := newInstance(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	})
	l := open(t, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	ctx, cancel := context.WithCancel(t.Context())
	got := send(newClient(t), request(ctx, t, l, http.MethodGet, "/", nil))
	eventually(t, "it is under way", func() bool { return len(backend.requests()) == 1 })
	cancel()
	<-ended
	require.ErrorIs(t, receive(t, got).err, context.Canceled)
	eventually(t, "it is counted", func() bool { f := l.Figures(); return f.Broken == 1 && f.UnderWay == 0 })
}

// TestAnAnswerThatBreaksOff breaks off at the client too: it must not look whole.
func TestAnAnswerThatBreaksOff(t *testing.T) {
	backend := newRawInstance(t, func(r raw) {
		head(r)
		r.say(t, "HTTP/1.1 200 OK", "Content-Length: 100", "", "half")
	})
	l := open(t, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	got := receive(t, get(t, newClient(t), l, "/"))
	require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
	eventually(t, "it is counted", func() bool { return l.Figures().Broken == 1 })
}
