package loop

import (
	"context"
	"time"
)

// WatchTime is for how long a watch has a change waited for.
const WatchTime = 30 * time.Second

// Query is a question that is answered once something is newer than an index, or
// when the time is over; with index 0 at once. It returns the index of its answer.
type Query[T any] func(ctx context.Context, index uint64, wait time.Duration) (T, uint64, error)

// Watch asks again and again until ctx ends, with a gap between, and tells of each
// answer that is not the same as the one before, and of the first after a question
// that failed, since what it would have told of may have been missed. Where same is nil
// it tells of every answer.
func Watch[T any](ctx context.Context, ttl, gap time.Duration, ask Query[T], same func(before, now T) bool, tell func(T)) {
	pause := NewPause(ttl)
	var index uint64
	var before T
	for ctx.Err() == nil {
		answer, now, err := await(ctx, index, ask)
		if err != nil {
			index = 0
			Sleep(ctx, pause.NextBackOff())
			continue
		}
		pause.Reset()
		// It is answered also where only something beside this changed.
		if index == 0 || same == nil || !same(before, answer) {
			tell(answer)
		}
		// It may go backwards, as after a restored snapshot: what was answered is as
		// of that index. One that is zero would make every question return at once.
		before, index = answer, max(now, 1)
		Sleep(ctx, gap)
	}
}

func await[T any](ctx context.Context, index uint64, ask Query[T]) (T, uint64, error) {
	// Consul adds up to a sixteenth to the time (agent/blockingquery, v1.22.3).
	ctx, cancel := context.WithTimeout(ctx, WatchTime+WatchTime/16+CallTime)
	defer cancel()
	return ask(ctx, index, WatchTime)
}
