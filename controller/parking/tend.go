package parking

import (
	"context"
	"slices"
	"time"
)

// refuseOverdue refuses those that have waited for as long as one may, and all
// where the service is given up. None waits longer than one that comes after it, so
// the first of the queue is over first.
func (l *Lot) refuseOverdue(now time.Time) {
	given := l.expired && !l.alive(now)
	for e := l.queue.Front(); e != nil; e = l.queue.Front() {
		w := asWaiter(e)
		switch {
		case given:
			l.leave(w, turn{err: refusal(ReasonExpired)})
		case !now.Before(w.until):
			l.leave(w, turn{err: refusal(ReasonTime)})
		default:
			return
		}
	}
}

// Expire gives up: each request that waits gets its 503 now, and so does each
// that comes while there is no backend, until Serve names one.
func (l *Lot) Expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.expired = true
	l.dispatch(now)
	l.refuseOverdue(now)
}

// Renew takes an Expire back: what comes from now on waits again.
func (l *Lot) Renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expired = false
}

// The times of the lot's own loop.
const (
	// tick is how often, while any request waits, it is looked for those whose time
	// is over, for backends that may be tried again and for windows that have grown.
	tick = 20 * time.Millisecond
	// lookGone is how often clients are looked for that have left.
	lookGone = time.Second
)

// tend looks after those that wait, until ctx ends.
func (l *Lot) tend(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.stir:
			l.tendQueue(ctx)
		}
	}
}

// tendQueue returns when nothing waits.
func (l *Lot) tendQueue(ctx context.Context) {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	looked := time.Now()
	for l.tendOnce() {
		if time.Since(looked) >= lookGone {
			l.dismissGone()
			looked = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// tendOnce returns whether anything waits.
func (l *Lot) tendOnce() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.dispatch(now)
	l.refuseOverdue(now)
	return l.queue.Len() > 0
}

// dismissGone takes those out whose client has left. Package http tells that by
// itself only where there is no body left to read.
func (l *Lot) dismissGone() {
	l.mu.Lock()
	all := make([]*waiter, 0, l.queue.Len())
	for e := l.queue.Front(); e != nil; e = e.Next() {
		all = append(all, asWaiter(e))
	}
	l.mu.Unlock()
	// Without the lock, since each look is a system call.
	all = slices.DeleteFunc(all, func(w *waiter) bool { return !w.client.gone() })
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range all {
		if w.place != nil {
			l.leave(w, turn{err: errGone})
		}
	}
}
