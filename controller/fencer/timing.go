package fencer

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// newPause is what lies between tries that fail: a quarter of the TTL at most.
func newPause(ttl time.Duration) *backoff.ExponentialBackOff {
	out := backoff.NewExponentialBackOff()
	out.InitialInterval, out.MaxInterval = 200*time.Millisecond, ttl/4
	return out
}

// call bounds one question: an agent that is frozen answers none.
func call[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return ask(ctx)
}

// signal wakes who waits, or will; it never blocks.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns with the signal, after the time, or when ctx ends.
func wait(ctx context.Context, c <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sleep returns after the time, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) { wait(ctx, nil, d) }
