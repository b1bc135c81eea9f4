package park_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/park"
)

func TestAPaceGrowsWithAnswers(t *testing.T) {
	now := time.Unix(0, 0)
	p := park.NewPace(now)
	for round := 1; round <= 5; round++ {
		room := p.Room(now)
		require.Equal(t, park.PaceFirst<<(round-1), room, "round %d", round)
		for range room {
			p.Sent()
		}
		require.Zero(t, p.Room(now), "round %d", round)
		for range room {
			p.Answered()
		}
	}
	require.False(t, p.Wide(now))
}

func TestAPaceGrowsWithTime(t *testing.T) {
	began := time.Unix(0, 0)
	for name, c := range map[string]struct {
		after time.Duration
		want  int
		wide  bool
	}{
		"at once":             {0, park.PaceFirst, false},
		"before it began":     {-time.Hour, park.PaceFirst, false},
		"after one doubling":  {park.PaceDouble, 2 * park.PaceFirst, false},
		"after three of them": {3 * park.PaceDouble, 8 * park.PaceFirst, false},
		"when it is wide":     {7 * park.PaceDouble, park.PaceWide, true},
		"after a day":         {24 * time.Hour, 1<<31 - 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := park.NewPace(began)
			require.Equal(t, c.want, p.Window(began.Add(c.after)))
			require.Equal(t, c.wide, p.Wide(began.Add(c.after)))
		})
	}
}

func TestWhatGotNoAnswerWidensNothing(t *testing.T) {
	now := time.Unix(0, 0)
	p := park.NewPace(now)
	p.Sent()
	p.Ended()
	require.Equal(t, park.PaceFirst, p.Window(now))
	require.Equal(t, park.PaceFirst, p.Room(now))
}

// TestSlowRequestsDoNotStarve: the first ones never end, and the next gets its
// turn all the same.
func TestSlowRequestsDoNotStarve(t *testing.T) {
	now := time.Unix(0, 0)
	p := park.NewPace(now)
	for range park.PaceFirst {
		p.Sent()
	}
	require.Zero(t, p.Room(now))
	require.Positive(t, p.Room(now.Add(park.PaceDouble/4)))
}

// TestAPaceIsNeverOverrun: whatever happens, never more are under way than the
// window has, and the window never shrinks.
func TestAPaceIsNeverOverrun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		p := park.NewPace(now)
		underWay, window := 0, 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(t, "step"); {
			case step == 0 && p.Room(now) > 0:
				p.Sent()
				underWay++
			case step == 1 && underWay > 0:
				p.Answered()
				underWay--
			case step == 2 && underWay > 0:
				p.Ended()
				underWay--
			default:
				now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			}
			if got := p.Window(now); underWay > got || got < window {
				t.Fatalf("%d under way, window %d after %d", underWay, got, window)
			}
			window = p.Window(now)
		}
	})
}
