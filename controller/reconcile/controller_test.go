package reconcile

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// passes runs a controller whose every pass is answered by the function, and
// returns when the passes began.
func passes(t *testing.T, lasting time.Duration, answer func(n int) (Result, error)) ([]time.Duration, []string) {
	t.Helper()
	var at []time.Duration
	var outcomes []string
	began := time.Now()
	c := NewController(func(context.Context, model.Key) (Result, error) {
		at = append(at, time.Since(began))
		return answer(len(at))
	}, 1, func(outcome string, _ time.Duration) { outcomes = append(outcomes, outcome) })
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	c.Enqueue(key)
	require.NoError(t, c.Run(ctx))
	return at, outcomes
}

func TestDispatch(t *testing.T) {
	cases := map[string]struct {
		answer   func(n int) (Result, error)
		at       []time.Duration
		outcomes []string
	}{
		"nothing to wait for": {func(int) (Result, error) { return Result{}, nil }, []time.Duration{0}, []string{OutcomeDone}},
		"look again later": {func(n int) (Result, error) { return again(n, 3) }, []time.Duration{0, 2 * time.Second, 4 * time.Second},
			[]string{OutcomeRequeue, OutcomeRequeue, OutcomeDone}},
		"errors wait longer each time": {func(n int) (Result, error) { return fail(n, 4) }, []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond},
			[]string{OutcomeError, OutcomeError, OutcomeError, OutcomeDone}},
		"a pass that went well clears the count": {func(n int) (Result, error) {
			if n == 3 {
				return Result{RequeueAfter: time.Second}, nil
			}
			return fail(n, 5)
		}, []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond, 3 * time.Second},
			[]string{OutcomeError, OutcomeError, OutcomeRequeue, OutcomeError, OutcomeDone}},
		"a panic is an error": {func(n int) (Result, error) {
			if n == 1 {
				panic("nobody thought of this")
			}
			return Result{}, nil
		}, []time.Duration{0, 500 * time.Millisecond}, []string{OutcomePanic, OutcomeDone}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at, outcomes := passes(t, time.Minute, c.answer)
				if diff := cmp.Diff(c.at, at); diff != "" {
					t.Errorf("passes (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.outcomes, outcomes); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func again(n, last int) (Result, error) {
	if n == last {
		return Result{}, nil
	}
	return Result{RequeueAfter: 2 * time.Second}, nil
}

func fail(n, last int) (Result, error) {
	if n == last {
		return Result{}, nil
	}
	return Result{RequeueAfter: time.Hour}, errors.New("refused")
}

func TestOneKeyIsNeverInTwoPassesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		c := NewController(func(context.Context, model.Key) (Result, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return Result{RequeueAfter: 100 * time.Millisecond}, nil
		}, 4, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		go func() {
			for ctx.Err() == nil {
				c.Enqueue(key)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		require.NoError(t, c.Run(ctx))
		require.Equal(t, 1, most)
	})
}

func TestRunWaitsForThePassUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finished := false
		c := NewController(func(context.Context, model.Key) (Result, error) {
			time.Sleep(3 * time.Second)
			finished = true
			return Result{}, nil
		}, 1, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Enqueue(key)
		require.NoError(t, c.Run(ctx))
		require.True(t, finished)
	})
}
