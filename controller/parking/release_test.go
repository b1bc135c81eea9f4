package parking

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/park"
)

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
	defer l.mu.Unlock()
	now := time.Now()
	l.backends = []*backend{{Backend: Backend{ID: "a"}}}
	l.dispatch(now)
	require.Equal(t, upTo(park.PaceFirst), served(all))
	l.dispatch(now)
	require.Equal(t, upTo(park.PaceFirst), served(all), "the window is full")
	first := (<-all[0].answer).slot
	first.pace.Answered(now, 0)
	first.pace = nil
	l.dispatch(now)
	require.Equal(t, upTo(park.PaceFirst + 2)[1:], served(all))
	l.dispatch(now.Add(2 * time.Second))
	window := first.backend.pace.Window(now.Add(2 * time.Second))
	require.Greater(t, window, 2*park.PaceFirst)
	require.Equal(t, upTo(window + 1)[1:], served(all), "the window grows with time, whatever the first ones do")

	// One that comes now has to queue behind them, room or not.
	late := &waiter{answer: make(chan turn, 1)}
	s, err := l.enter(late, now.Add(2*park.PaceSlowly))
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
