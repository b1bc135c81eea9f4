package parking

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestItWaitsForAnInstance: and goes to the one that comes, on whichever port.
func TestItWaitsForAnInstance(t *testing.T) {
	old, fresh := newInstance(t, nil), newInstance(t, nil)
	l := open(t, LotOptions{})
	client := newClient(t)
	l.Serve([]Backend{old.backend()})
	require.Equal(t, "served /before", receive(t, get(t, client, l, "/before")).body)
	refused, _ := refusing(t)
	l.Serve([]Backend{refused})
	answers := parkRequests(t, client, l, 20)
	require.Equal(t, 20, l.Figures().Waiting)
	require.Positive(t, l.Figures().FailedDials, "the one that is named refuses")
	l.Serve([]Backend{fresh.backend()})
	for i, a := range answers {
		got := receive(t, a)
		require.NoError(t, got.err)
		require.Equal(t, "served /"+strconv.Itoa(i), got.body)
		require.Empty(t, got.header.Get(HeaderParked))
	}
	require.Equal(t, []string{"/before"}, old.requests())
	require.Len(t, fresh.requests(), 20)
	eventually(t, "all have ended", func() bool { return l.Figures().UnderWay == 0 })
	f := l.Figures()
	require.Equal(t, [4]int{0, 20, 0, 0}, [4]int{f.Waiting, f.Peak, int(f.Bytes), f.UnderWay})
	require.Equal(t, [2]uint64{1, 20}, [2]uint64{f.Forwarded, f.Released})
	require.Positive(t, f.Longest)
}

// TestManyAtOnce: each of them is served, once, by one of two.
func TestManyAtOnce(t *testing.T) {
	const n = 500
	one, other := newInstance(t, nil), newInstance(t, nil)
	l := open(t, LotOptions{})
	client := newClient(t)
	answers := make([]<-chan answer, n)
	for i := range answers {
		answers[i] = get(t, client, l, "/"+strconv.Itoa(i))
	}
	waiting(t, l, n)
	l.Serve([]Backend{one.backend(), other.backend()})
	want := make([]string, n)
	for i, a := range answers {
		want[i] = "/" + strconv.Itoa(i)
		require.Equal(t, "served "+want[i], receive(t, a).body)
	}
	slices.Sort(want)
	require.Equal(t, want, slices.Sorted(slices.Values(append(one.requests(), other.requests()...))))
	require.NotEmpty(t, one.requests())
	require.NotEmpty(t, other.requests())
}

// TestARefusedDialIsNotSent: the request goes to another one at once, or waits and
// goes to the same one when it listens.
func TestARefusedDialIsNotSent(t *testing.T) {
	alive := newInstance(t, nil)
	client := newClient(t)

	t.Run("another one takes it at once", func(t *testing.T) {
		l := open(t, LotOptions{})
		dead, _ := refusing(t)
		l.Serve([]Backend{dead, alive.backend()})
		require.Equal(t, "served /a", receive(t, get(t, client, l, "/a")).body)
	})
	t.Run("the same one takes it later", func(t *testing.T) {
		l := open(t, LotOptions{})
		dead, listen := refusing(t)
		l.Serve([]Backend{dead})
		got := get(t, client, l, "/b")
		eventually(t, "it is tried again", func() bool { return l.Figures().FailedDials >= 2 })
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "late") }), ReadHeaderTimeout: patience}
		listener := listen()
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()
		require.Equal(t, "late", receive(t, got).body)
		require.NoError(t, server.Close())
		<-done
	})
	t.Run("and not all the time", func(t *testing.T) {
		l := open(t, LotOptions{Wait: 3 * retryPause})
		dead, _ := refusing(t)
		l.Serve([]Backend{dead})
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
			got := receive(t, send(client, r))
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

// TestAnotherTimeIsForThoseThatCome: what waits already keeps its own.
func TestAnotherTimeIsForThoseThatCome(t *testing.T) {
	l := open(t, LotOptions{Wait: time.Minute})
	first := line(t, l, 1)[0]
	l.SetWait(time.Hour)
	second := line(t, l, 1)[0]
	require.InDelta(t, 59*time.Minute, second.until.Sub(first.until), float64(time.Minute)/2)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuseOverdue(first.until)
	require.Equal(t, refusal(ReasonTime), (<-first.answer).err)
	require.Empty(t, second.answer)
}

// TestAShorterTimeIsForAll: nobody waits longer than those that come after.
func TestAShorterTimeIsForAll(t *testing.T) {
	l := open(t, LotOptions{Wait: time.Hour})
	first := line(t, l, 1)[0]
	l.SetWait(time.Minute)
	second := line(t, l, 1)[0]
	require.False(t, first.until.After(second.until))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuseOverdue(second.until)
	require.Equal(t, refusal(ReasonTime), (<-first.answer).err)
	require.Equal(t, refusal(ReasonTime), (<-second.answer).err)
}

// TestTheLogTellsOfACrowdOnce: of requests that one death leaves without an answer.
func TestTheLogTellsOfACrowdOnce(t *testing.T) {
	l := open(t, LotOptions{})
	now := time.Now()
	require.Equal(t, 1, l.countFailed(now))
	for range 5 {
		require.Zero(t, l.countFailed(now.Add(sayEvery-1)))
	}
	require.Equal(t, 6, l.countFailed(now.Add(sayEvery)))
	require.EqualValues(t, 7, l.Figures().Failed)
}

// TestExpireIsAtOnce, for those that wait and for those that come: none takes a
// place that it has no use for.
func TestExpireIsAtOnce(t *testing.T) {
	l := open(t, LotOptions{})
	all := line(t, l, 3)
	l.Expire()
	require.Equal(t, upTo(3), served(all))
	for _, w := range all {
		require.Equal(t, refusal(ReasonExpired), (<-w.answer).err)
	}
	_, err := l.turn(t.Context(), &waiter{answer: make(chan turn, 1)})
	require.Equal(t, refusal(ReasonExpired), err)
	require.Equal(t, 3, l.Figures().Waiting, "the one that came was never among them")
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

func TestAnExpireIsTakenBack(t *testing.T) {
	backend := newInstance(t, nil)
	l := open(t, LotOptions{})
	client := newClient(t)
	l.Expire()
	require.Equal(t, http.StatusServiceUnavailable, receive(t, get(t, client, l, "/early")).status)
	l.Renew()
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
