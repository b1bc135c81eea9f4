package parking

import (
	"container/list"
	"context"
	"errors"
	"time"
)

// What ends the wait of a request without a turn.
var (
	errGone  = errors.New("the client left")
	errAgain = errors.New("nothing was sent, the request waits on")
)

// refusal is the error of a request that gets a 503.
type refusal Reason

func (r refusal) Error() string { return "refused: " + string(r) }

// waiter is a request that nothing was sent of yet.
type waiter struct {
	client client
	// head is how many bytes its line and headers have.
	head int64
	// number is its place in the order of arrival; 0 before that.
	number uint64
	since  time.Time
	until  time.Time
	// kept is true while it is counted against the bounds.
	kept bool
	// place is where it stands in the queue; nil where it does not.
	place *list.Element
	// answer has room for the one that is given when it leaves the queue.
	answer chan turn
}

// turn is what a waiter gets: a slot, or why it gets none.
type turn struct {
	slot *slot
	err  error
}

func asWaiter(e *list.Element) *waiter { return e.Value.(*waiter) }

// turn waits until the request may be sent to a backend.
func (l *Lot) turn(ctx context.Context, w *waiter) (*slot, error) {
	l.mu.Lock()
	s, err := l.enter(w, time.Now())
	l.mu.Unlock()
	if s != nil || err != nil {
		return s, err
	}
	select {
	case t := <-w.answer:
		return t.slot, t.err
	case <-ctx.Done():
		l.abandon(w)
		return nil, errGone
	}
}

// enter gives a turn at once, refuses, or puts the request into the queue.
func (l *Lot) enter(w *waiter, now time.Time) (*slot, error) {
	if w.number == 0 {
		l.arrivals++
		w.number, w.since, w.until = l.arrivals, now, now.Add(l.options.Wait)
	}
	first := l.queue.Front()
	if first == nil {
		l.unpace(now)
	}
	if first == nil || w.number < asWaiter(first).number {
		if s := l.pick(now, w.kept); s != nil {
			return s, nil
		}
	}
	switch {
	case l.expired && !l.alive(now):
		return nil, refusal(ReasonExpired)
	case !now.Before(w.until):
		return nil, refusal(ReasonTime)
	}
	if err := l.keep(w); err != nil {
		return nil, err
	}
	l.insert(w)
	signal(l.stir)
	return nil, nil // neither means that it waits
}

// keep counts the request against the bounds, once.
func (l *Lot) keep(w *waiter) error {
	if w.kept {
		return nil
	}
	if err := l.options.Bounds.refuse(l.figures.Waiting, l.figures.Bytes, w.head, ReasonRequests, ReasonBytes); err != nil {
		return err
	}
	if err := l.garage.keep(w.head); err != nil {
		return err
	}
	w.kept = true
	l.figures.Waiting++
	l.figures.Bytes += w.head
	l.figures.Peak = max(l.figures.Peak, l.figures.Waiting)
	return nil
}

// unkeep is the end of the request's wait, whatever comes of it.
func (l *Lot) unkeep(w *waiter) {
	if !w.kept {
		return
	}
	w.kept = false
	l.figures.Waiting--
	l.figures.Bytes -= w.head
	l.figures.Longest = max(l.figures.Longest, time.Since(w.since))
	l.garage.unkeep(w.head)
}

// insert keeps the order of arrival: one whose dial failed stands before all that
// came after it.
func (l *Lot) insert(w *waiter) {
	last := l.queue.Back()
	if last == nil || asWaiter(last).number < w.number {
		w.place = l.queue.PushBack(w)
		return
	}
	e := l.queue.Front()
	for asWaiter(e).number < w.number {
		e = e.Next()
	}
	w.place = l.queue.InsertBefore(w, e)
}

// leave takes the request out of the queue and tells it why.
func (l *Lot) leave(w *waiter, t turn) {
	l.queue.Remove(w.place)
	w.place = nil
	w.answer <- t
}

// abandon takes a request out whose client left; a turn that it got in the same
// moment goes to the next one.
func (l *Lot) abandon(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.place != nil {
		l.queue.Remove(w.place)
		w.place = nil
		return
	}
	if t := <-w.answer; t.slot != nil {
		l.giveBack(t.slot)
	}
}

// giveBack ends a turn of which nothing came.
func (l *Lot) giveBack(s *slot) {
	s.backend.dialing--
	l.free(s)
}

// free ends a turn.
func (l *Lot) free(s *slot) {
	s.backend.active--
	if s.pace != nil {
		s.pace.Ended()
		s.pace = nil
	}
	l.dispatch(time.Now())
}

// dispatch gives turns to the first of the queue, as many as there are.
func (l *Lot) dispatch(now time.Time) {
	for e := l.queue.Front(); e != nil; e = l.queue.Front() {
		s := l.pick(now, true)
		if s == nil {
			return
		}
		l.leave(asWaiter(e), turn{slot: s})
	}
}

// signal wakes who waits, or will; it never blocks.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
