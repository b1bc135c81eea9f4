package parking

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/park"
)

// TestItWaitsForAnInstance: and goes to the one that comes, on whichever port.
func TestItWaitsForAnInstance(t *testing.T) {
	old, fresh := newInstance(t, nil), newInstance(t, nil)
	l := open(t, LotOptions{})
	client := newClient(t)
	l.Serve([]Backend{old.backend()})
	require.Equal(t, "served /before", receive(t, get(t, client, l, "/before")).body)
	old.Close()
	answers := parkRequests(t, client, l, 20)
	require.Equal(t, 20, l.Figures().Waiting)
	require.Positive(t, l.Figures().FailedDials, "the old one is still named, and refuses")
	l.Serve([]Backend{fresh.backend()})
	for i, a := range answers {
		got := receive(t, a)
		require.NoError(t, got.err)
		require.Equal(t, "served /"+strconv.Itoa(i), got.body)
		require.Empty(t, got.header.Get(HeaderParked))
	}
	require.Equal(t, []string{"/before"}, old.requests())
	require.Len(t, fresh.requests(), 20)
	f := l.Figures()
	require.Equal(t, [4]int{0, 20, 0, 0}, [4]int{f.Waiting, f.Peak, int(f.Bytes), f.UnderWay})
	require.Equal(t, [2]uint64{1, 20}, [2]uint64{f.Forwarded, f.Released})
	require.Positive(t, f.Longest)
}

// TestARefusedDialIsNotSent: the request goes to another one at once, or waits and
// goes to the same one when it listens.
func TestARefusedDialIsNotSent(t *testing.T) {
	dead := newRawInstance(t, func(raw) {})
	require.NoError(t, dead.Close())
	alive := newInstance(t, nil)
	client := newClient(t)

	t.Run("another one takes it at once", func(t *testing.T) {
		l := open(t, LotOptions{})
		l.Serve([]Backend{dead.backend(), alive.backend()})
		require.Equal(t, "served /a", receive(t, get(t, client, l, "/a")).body)
	})
	t.Run("the same one takes it later", func(t *testing.T) {
		l := open(t, LotOptions{})
		l.Serve([]Backend{dead.backend()})
		got := get(t, client, l, "/b")
		eventually(t, "it is tried again", func() bool { return l.Figures().FailedDials >= 2 })
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", dead.Addr().String())
		require.NoError(t, err)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "late") }), ReadHeaderTimeout: patience}
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()
		require.Equal(t, "late", receive(t, got).body)
		require.NoError(t, server.Close())
		<-done
	})
	t.Run("and not all the time", func(t *testing.T) {
		l := open(t, LotOptions{Wait: 3 * retryPause})
		l.Serve([]Backend{{ID: "gone", Address: "127.0.0.1:1"}})
		answers := []<-chan answer{get(t, client, l, "/c"), get(t, client, l, "/d"), get(t, client, l, "/e")}
		for _, a := range answers {
			require.Equal(t, http.StatusServiceUnavailable, receive(t, a).status)
		}
		// One at the beginning and one after each pause; those that were under way
		// together with the first one count too.
		require.LessOrEqual(t, l.Figures().FailedDials, uint64(3+4))
	})
}

// TestBounds has what is refused, with which reason, and that others are not.
func TestBounds(t *testing.T) {
	// head is what one of the test's own requests has: GET /0, a host, an agent and
	// an encoding.
	for name, c := range map[string]struct {
		total, lot Bounds
		fill       int
		want       Reason
	}{
		"as many as may in one lot":           {lot: Bounds{Requests: 2}, fill: 2, want: ReasonRequests},
		"as many bytes as may in one lot":     {lot: Bounds{Bytes: 300}, fill: 1, want: ReasonBytes},
		"as many as may in all lots":          {total: Bounds{Requests: 3}, fill: 3, want: ReasonTotalRequests},
		"as many bytes as may in all lots":    {total: Bounds{Bytes: 300}, fill: 1, want: ReasonTotalBytes},
		"a head that is too large for itself": {lot: Bounds{Bytes: 150}, fill: 0, want: ReasonBytes},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newInstance(t, nil)
			g := New(Options{Total: c.total})
			l, other := openIn(t, g, LotOptions{Bounds: c.lot}), openIn(t, g, LotOptions{Name: "other"})
			client := newClient(t)
			kept := parkRequests(t, client, l, c.fill)
			r := request(t.Context(), t, l, http.MethodGet, "/over", nil)
			r.Header.Set("X-Pad", strings.Repeat("x", 150))
			got := do(client, r)
			require.NoError(t, got.err)
			require.Equal(t, http.StatusServiceUnavailable, got.status)
			require.Equal(t, "refused; reason="+string(c.want), got.header.Get(HeaderParked))
			require.Equal(t, "5", got.header.Get("Retry-After"))
			require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
			require.Contains(t, got.body, "draingate: no instance of web takes requests, and ")
			require.EqualValues(t, 1, l.Figures().Refused[c.want])

			other.Serve([]Backend{backend.backend()})
			require.Equal(t, "served /other", receive(t, get(t, client, other, "/other")).body)
			l.Serve([]Backend{backend.backend()})
			for _, a := range kept {
				require.Equal(t, http.StatusOK, receive(t, a).status)
			}
			// The room is there again.
			l.Serve(nil)
			if c.fill > 0 {
				again := get(t, client, l, "/again")
				waiting(t, l, 1)
				l.Serve([]Backend{backend.backend()})
				require.Equal(t, http.StatusOK, receive(t, again).status)
			}
			require.Len(t, backend.requests(), 1+c.fill+min(c.fill, 1))
			require.Zero(t, g.Figures().Waiting)
			require.Zero(t, g.Figures().Bytes)
		})
	}
}

// TestTheOwnTimeOfARequest: when it is over it gets a 503 that says so, and is not
// sent any more.
func TestTheOwnTimeOfARequest(t *testing.T) {
	backend := newInstance(t, nil)
	l := open(t, LotOptions{Wait: 60 * time.Millisecond})
	begun := time.Now()
	got := receive(t, get(t, newClient(t), l, "/"))
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "refused; reason=time", got.header.Get(HeaderParked))
	require.Equal(t, "draingate: no instance of web takes requests, and this request has waited for 60ms, which is the longest. This one was not sent to any.\n", got.body)
	require.GreaterOrEqual(t, time.Since(begun), 60*time.Millisecond)
	l.Serve([]Backend{backend.backend()})
	require.Empty(t, backend.requests())
	require.EqualValues(t, 1, l.Figures().Refused[ReasonTime])
}

func TestExpire(t *testing.T) {
	backend := newInstance(t, nil)
	l := open(t, LotOptions{})
	client := newClient(t)
	answers := parkRequests(t, client, l, 3)
	l.Expire()
	for _, a := range append(answers, get(t, client, l, "/later")) {
		got := receive(t, a)
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.Equal(t, "refused; reason=expired", got.header.Get(HeaderParked))
	}
	require.EqualValues(t, 4, l.Figures().Refused[ReasonExpired])
	l.Serve(nil)
	require.Equal(t, http.StatusServiceUnavailable, receive(t, get(t, client, l, "/none")).status, "an empty set is no instance")
	l.Serve([]Backend{backend.backend()})
	require.Equal(t, "served /back", receive(t, get(t, client, l, "/back")).body)
	l.Serve(nil)
	a := get(t, client, l, "/waits")
	waiting(t, l, 1)
	l.Serve([]Backend{backend.backend()})
	require.Equal(t, http.StatusOK, receive(t, a).status)
}

// TestUntil: nothing new goes to an instance after that.
func TestUntil(t *testing.T) {
	backend := newInstance(t, nil)
	l := open(t, LotOptions{})
	client := newClient(t)
	with := func(until time.Time) []Backend {
		b := backend.backend()
		b.Until = until
		return []Backend{b}
	}
	l.Serve(with(time.Now().Add(time.Hour)))
	require.Equal(t, http.StatusOK, receive(t, get(t, client, l, "/in-time")).status)
	l.Serve(with(time.Now().Add(-time.Nanosecond)))
	a := get(t, client, l, "/late")
	waiting(t, l, 1)
	require.Equal(t, []string{"/in-time"}, backend.requests())
	l.Serve(with(time.Time{}))
	require.Equal(t, http.StatusOK, receive(t, a).status)
}

// TestATurnThatCameTooLate: what ended while the connection was made is not used.
func TestATurnThatCameTooLate(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(l *Lot)
		gone bool
		want error
	}{
		"the instance was taken away":   {end: func(l *Lot) { l.Serve(nil) }, want: errAgain},
		"its time was over":             {end: func(l *Lot) { l.Serve([]Backend{{ID: "a", Until: time.Now()}}) }, want: errAgain},
		"the client left":               {end: func(*Lot) {}, gone: true, want: errGone},
		"nothing happened":              {end: func(*Lot) {}},
		"it was named again, and stays": {end: func(l *Lot) { l.Serve([]Backend{{ID: "a"}, {ID: "b"}}) }},
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, LotOptions{})
			l.Serve([]Backend{{ID: "a"}})
			w := &waiter{answer: make(chan turn, 1)}
			s, err := l.turn(t.Context(), w)
			require.NoError(t, err)
			c.end(l)
			require.ErrorIs(t, l.land(w, s, nil, c.gone), c.want)
			if c.want == nil {
				l.finish(&passage{slot: s}, true)
			}
			require.Zero(t, s.backend.active)
			require.Zero(t, s.backend.dialing)
		})
	}
}

// line puts n waiters into the queue.
func line(t *testing.T, l *Lot, n int) []*waiter {
	t.Helper()
	out := make([]*waiter, n)
	for i := range out {
		out[i] = &waiter{answer: make(chan turn, 1)}
		l.mu.Lock()
		s, err := l.enter(out[i], time.Now())
		l.mu.Unlock()
		require.NoError(t, err)
		require.Nil(t, s)
	}
	return out
}

// served are the places in the line of those that have their turn.
func served(all []*waiter) (out []int) {
	for i, w := range all {
		if len(w.answer) > 0 {
			out = append(out, i)
		}
	}
	return out
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestReleaseIsPacedAndInOrder: as many as the window has, the first ones first,
// and one answer makes room for two.
func TestReleaseIsPacedAndInOrder(t *testing.T) {
	l := open(t, LotOptions{})
	all := line(t, l, 100)
	l.mu.Lock()
	now := time.Now()
	l.backends = []*backend{{Backend: Backend{ID: "a"}}}
	l.dispatch(now)
	require.Equal(t, upTo(park.PaceFirst), served(all))
	l.dispatch(now)
	require.Equal(t, upTo(park.PaceFirst), served(all), "the window is full")
	first := (<-all[0].answer).slot
	first.pace.Answered()
	first.pace = nil
	l.dispatch(now)
	require.Equal(t, upTo(park.PaceFirst + 2)[1:], served(all))
	l.dispatch(now.Add(park.PaceDouble))
	require.Equal(t, upTo(2*(park.PaceFirst+1) + 1)[1:], served(all), "the window grows with time, whatever the first ones do")

	// One that comes now has to queue behind them, room or not.
	late := &waiter{answer: make(chan turn, 1)}
	s, err := l.enter(late, now.Add(2*park.PaceDouble))
	require.NoError(t, err)
	require.Nil(t, s)
	// One whose dial failed stands before all that came after it.
	first.backend.dialing--
	s, err = l.enter(all[0], now)
	require.NoError(t, err)
	require.Nil(t, s)
	require.Same(t, all[0], asWaiter(l.queue.Front()))

	l.dispatch(now.Add(time.Minute))
	require.Zero(t, l.queue.Len())
	l.unpace(now.Add(time.Minute))
	require.Nil(t, l.backends[0].pace, "pacing has an end")
	l.mu.Unlock()
}

// TestOneTriesABackendThatRefused: the others wait until it has an answer.
func TestOneTriesABackendThatRefused(t *testing.T) {
	l := open(t, LotOptions{})
	all := line(t, l, 5)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := &backend{Backend: Backend{ID: "a"}, suspect: true, notBefore: now.Add(retryPause)}
	l.backends = []*backend{b}
	l.dispatch(now)
	require.Empty(t, served(all))
	l.dispatch(now.Add(retryPause))
	require.Equal(t, upTo(1), served(all))
	b.suspect = false
	l.dispatch(now.Add(retryPause))
	require.Equal(t, upTo(5), served(all))
}

// TestTheLeastBusyIsChosen spreads what is released.
func TestTheLeastBusyIsChosen(t *testing.T) {
	l := open(t, LotOptions{})
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range []string{"a", "b", "c"} {
		l.backends = append(l.backends, &backend{Backend: Backend{ID: id}})
	}
	for range 9 {
		require.NotNil(t, l.pick(time.Now(), false))
	}
	for _, b := range l.backends {
		require.Equal(t, 3, b.active, b.ID)
	}
}

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

// TestFiguresAdd: nothing is forgotten in the sum.
func TestFiguresAdd(t *testing.T) {
	one := Figures{
		Waiting: 1, Bytes: 2, Oldest: 3, Peak: 4, Longest: 5, UnderWay: 6, Upgrades: 7, Forwarded: 8, Released: 9,
		Refused: map[Reason]uint64{}, Gone: 10, Failed: 11, Broken: 12, FailedDials: 13,
	}
	for i, r := range Reasons() {
		one.Refused[r] = uint64(i + 14)
	}
	sum := newFigures()
	sum.add(one)
	if d := cmp.Diff(one, sum); d != "" {
		t.Errorf("(-one +sum):\n%s", d)
	}
	sum.add(one)
	require.Equal(t, [3]uint64{16, 28, 26}, [3]uint64{sum.Forwarded, sum.Refused[ReasonRequests], sum.FailedDials})
	require.Equal(t, [2]int{2, 4}, [2]int{sum.Waiting, sum.Peak})
}
