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
			p.Answered(now, time.Millisecond)
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
		"at once":                              {0, park.PaceFirst, false},
		"before it began":                      {-time.Hour, park.PaceFirst, false},
		"when it has been quiet for long":      {park.PaceQuiet, 9, false},
		"after one doubling for the silence":   {park.PaceQuiet + park.PaceDouble, 21, false},
		"after one doubling for the time, too": {park.PaceSlowly, 256, false},
		"when it is wide":                      {7 * time.Second, 1351, true},
		"after a day":                          {24 * time.Hour, 1<<31 - 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := park.NewPace(began)
			require.Equal(t, c.want, p.Window(began.Add(c.after)))
			require.Equal(t, c.wide, p.Wide(began.Add(c.after)))
		})
	}
}

// TestOnlyPromptAnswersWiden: what takes longer than twice the quickest answer, and
// a little, widens nothing.
func TestOnlyPromptAnswersWiden(t *testing.T) {
	now := time.Unix(0, 0)
	p := park.NewPace(now)
	for _, c := range []struct {
		took time.Duration
		more int
	}{
		{time.Second, 1}, {2*time.Second + park.PaceLate, 1}, {2*time.Second + park.PaceLate + 1, 0},
		{10 * time.Millisecond, 1}, {20*time.Millisecond + park.PaceLate, 1}, {time.Second, 0}, {-time.Second, 1}, {park.PaceLate, 1}, {park.PaceLate + 1, 0},
	} {
		p.Sent()
		before := p.Window(now)
		p.Answered(now, c.took)
		require.Equal(t, c.more, p.Window(now)-before, c.took)
	}
}

// server is an instance that works on one request after another.
type server struct {
	pace  *park.Pace
	queue []time.Time
	most  int
}

// release lets n requests go to one that needs work for each, and returns how long it
// takes.
func (s *server) release(n int, work time.Duration) time.Duration {
	began := time.Unix(0, 0)
	s.pace = park.NewPace(began)
	for now := began; ; now = now.Add(work) {
		if len(s.queue) > 0 {
			s.pace.Answered(now, now.Sub(s.queue[0]))
			s.queue = s.queue[1:]
		}
		for n > 0 && s.pace.Room(now) > 0 {
			s.pace.Sent()
			s.queue = append(s.queue, now)
			n--
		}
		s.most = max(s.most, len(s.queue))
		if n == 0 && len(s.queue) == 0 {
			return now.Sub(began)
		}
	}
}

// TestACrowdDoesNotMeetOneInstance: of ten thousand that waited, an instance that
// answers a thousand a second has a few hundred at a time, and is never idle.
func TestACrowdDoesNotMeetOneInstance(t *testing.T) {
	var s server
	require.Less(t, s.release(10_000, time.Millisecond), 10*time.Second+50*time.Millisecond)
	require.Less(t, s.most, 800)
	require.Greater(t, s.most, 100)
}

// TestUnlikeRequestsAreLetGo: an instance that can work on all at once, but needs
// five seconds for most and ten milliseconds for some, has a thousand within twenty seconds.
func TestUnlikeRequestsAreLetGo(t *testing.T) {
	began := time.Unix(0, 0)
	p := park.NewPace(began)
	answers := map[time.Duration][]time.Duration{}
	sent := 0
	for now := time.Duration(0); sent < 1000; now += 10 * time.Millisecond {
		require.Less(t, now, 20*time.Second, "%d of a thousand are sent", sent)
		for _, took := range answers[now] {
			p.Answered(began.Add(now), took)
		}
		for ; sent < 1000 && p.Room(began.Add(now)) > 0; sent++ {
			took := 5 * time.Second
			if sent%10 == 0 {
				took = 10 * time.Millisecond
			}
			p.Sent()
			answers[now+took] = append(answers[now+took], took)
		}
	}
}

// TestLongRequestsAreLetGo: where each takes longer than any waits, a thousand are
// under way after seven seconds.
func TestLongRequestsAreLetGo(t *testing.T) {
	began := time.Unix(0, 0)
	p := park.NewPace(began)
	for range 1000 {
		p.Sent()
	}
	require.Zero(t, p.Room(began.Add(6*time.Second)))
	require.Positive(t, p.Room(began.Add(7*time.Second)))
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
	require.Positive(t, p.Room(now.Add(park.PaceQuiet)))
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
				p.Answered(now, time.Duration(rapid.IntRange(0, 3000).Draw(t, "took"))*time.Millisecond)
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
