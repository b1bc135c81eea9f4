package loop_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/draingate/draingate/controller/loop"
)

func TestAWatchTellsOfWhatIsNew(t *testing.T) {
	refused := errors.New("refused")
	type answer struct {
		text  string
		index uint64
		err   error
	}
	tests := map[string]struct {
		answers []answer
		every   bool
		asked   []uint64
		told    []string
	}{
		"the first answer is told, and each that differs": {
			answers: []answer{{"a", 5, nil}, {"a", 6, nil}, {"b", 9, nil}},
			asked:   []uint64{0, 5, 6, 9}, told: []string{"a", "b"},
		},
		"after a failure the same answer is told again, and asked for at once": {
			answers: []answer{{"a", 5, nil}, {"", 0, refused}, {"a", 5, nil}},
			asked:   []uint64{0, 5, 0, 5}, told: []string{"a", "a"},
		},
		"an index that goes backwards is waited from": {
			answers: []answer{{"a", 5, nil}, {"a", 2, nil}},
			asked:   []uint64{0, 5, 2}, told: []string{"a"},
		},
		"an answer without an index does not make it spin": {
			answers: []answer{{"a", 0, nil}, {"a", 0, nil}},
			asked:   []uint64{0, 1, 1}, told: []string{"a"},
		},
		"every answer is told where none is the same": {
			answers: []answer{{"a", 5, nil}, {"a", 6, nil}}, every: true,
			asked: []uint64{0, 5, 6}, told: []string{"a", "a"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var asked []uint64
				var told []string
				ask := func(_ context.Context, index uint64, _ time.Duration) (string, uint64, error) {
					asked = append(asked, index)
					if len(asked) > len(test.answers) {
						cancel()
						return "", 0, ctx.Err()
					}
					a := test.answers[len(asked)-1]
					return a.text, a.index, a.err
				}
				same := func(a, b string) bool { return a == b }
				if test.every {
					same = nil
				}
				loop.Watch(ctx, 10*time.Second, time.Second, ask, same, func(text string) { told = append(told, text) })
				if diff := cmp.Diff(test.asked, asked) + cmp.Diff(test.told, told); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// A server that is frozen keeps no question for ever, and one that waits as it was
// asked to is not cut off.
func TestAWatchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began, took := time.Now(), time.Duration(0)
		ask := func(bounded context.Context, _ uint64, wait time.Duration) (string, uint64, error) {
			<-bounded.Done()
			took = time.Since(began) - wait
			cancel()
			return "", 0, bounded.Err()
		}
		loop.Watch(ctx, 10*time.Second, time.Second, ask, nil, func(text string) { t.Error("told of " + strconv.Quote(text)) })
		if took < loop.WatchTime/16 || took > loop.WatchTime/16+loop.CallTime {
			t.Errorf("the question was given %v more than it may take", took)
		}
	})
}
