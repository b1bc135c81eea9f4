// Package loop has what goroutines that ask again and again have in common: bounded
// calls, pauses, watches, signals that never block, and a board for what goes wrong. It
// knows nothing of what is asked.
package loop

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// CallTime bounds one question or order.
const CallTime = 2 * time.Second

// NewPause is what lies between tries that fail: a quarter of the TTL at most.
func NewPause(ttl time.Duration) *backoff.ExponentialBackOff {
	out := backoff.NewExponentialBackOff()
	out.InitialInterval, out.MaxInterval = 200*time.Millisecond, ttl/4
	return out
}

// Call bounds one question: an agent that is frozen answers none.
func Call[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTime)
	defer cancel()
	return ask(ctx)
}

// Signal wakes who waits, or will; it never blocks.
func Signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Wait returns with the signal, after the time, or when ctx ends.
func Wait(ctx context.Context, c <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Sleep returns after the time, or when ctx ends.
func Sleep(ctx context.Context, d time.Duration) { Wait(ctx, nil, d) }
