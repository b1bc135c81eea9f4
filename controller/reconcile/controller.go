package reconcile

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
)

// The bounds of the delay before a key whose pass failed is tried again.
const (
	retryFirst = 500 * time.Millisecond
	retryMost  = 30 * time.Second
)

// Outcomes of a pass, as they are counted.
const (
	OutcomeError   = "error"
	OutcomePanic   = "panic"
	OutcomeRequeue = "requeue"
	OutcomeDone    = "done"
)

// Outcomes returns every outcome of a pass.
func Outcomes() []string { return []string{OutcomeDone, OutcomeError, OutcomePanic, OutcomeRequeue} }

// Key is what a pass is about.
type Key interface {
	comparable
	fmt.Stringer
}

// Reconcile makes one pass over a key.
type Reconcile[K Key] func(context.Context, K) (Result, error)

// Controller feeds keys to a Reconcile function, each key to one worker at a
// time.
type Controller[K Key] struct {
	queue     workqueue.TypedRateLimitingInterface[K]
	reconcile Reconcile[K]
	workers   int
	done      func(outcome string, took time.Duration)
}

// NewController returns a controller with that many workers. done is told the
// outcome and the duration of every pass; it may be nil.
func NewController[K Key](r Reconcile[K], workers int, done func(outcome string, took time.Duration)) *Controller[K] {
	if done == nil {
		done = func(string, time.Duration) {}
	}
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[K](retryFirst, retryMost)
	return &Controller[K]{queue: workqueue.NewTypedRateLimitingQueue(limiter), reconcile: r, workers: max(workers, 1), done: done}
}

// Enqueue asks for a pass over the key. Asking twice before the pass begins is
// asking once.
func (c *Controller[K]) Enqueue(key K) { c.queue.Add(key) }

// Depth is the number of keys that wait for a worker.
func (c *Controller[K]) Depth() int { return c.queue.Len() }

// Close ends a controller that will not be run: its queue has a goroutine from
// the start.
func (c *Controller[K]) Close() { c.queue.ShutDown() }

// Run works until ctx ends, then lets the passes under way finish and returns.
func (c *Controller[K]) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, c.queue.ShutDown)
	defer stop()
	var workers sync.WaitGroup
	for range c.workers {
		workers.Go(func() {
			for c.next(ctx) {
			}
		})
	}
	workers.Wait()
	return nil
}

// next makes one pass and reports whether there may be another.
func (c *Controller[K]) next(ctx context.Context) bool {
	key, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(key)
	if ctx.Err() != nil {
		return true
	}
	began := time.Now()
	result, err := c.guarded(ctx, key)
	c.done(c.dispatch(ctx, key, result, err), time.Since(began))
	return true
}

// dispatch puts the key back as the outcome asks. A rate limiter is for
// errors and not for waiting, so a pass that only wants to look again later
// clears the count of failures first.
func (c *Controller[K]) dispatch(ctx context.Context, key K, result Result, err error) string {
	switch {
	case err != nil:
		logr.FromContextOrDiscard(ctx).Error(err, "pass failed", "key", key.String(), "attempt", c.queue.NumRequeues(key)+1)
		c.queue.AddRateLimited(key)
		if errors.Is(err, errPanic) {
			return OutcomePanic
		}
		return OutcomeError
	case result.RequeueAfter > 0:
		c.queue.Forget(key)
		c.queue.AddAfter(key, result.RequeueAfter)
		return OutcomeRequeue
	default:
		c.queue.Forget(key)
		return OutcomeDone
	}
}

var errPanic = errors.New("panic in a pass")

// guarded turns a panic into an error: one deployment that nobody thought of
// must not stop the watch over all others. A pass that panicked has promoted
// nothing after the panic.
func (c *Controller[K]) guarded(ctx context.Context, key K) (result Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}
	}()
	return c.reconcile(ctx, key)
}
