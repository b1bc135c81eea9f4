package park

import (
	"math"
	"time"
)

// The shape of a Pace.
const (
	// PaceFirst is how many requests go to an instance at once before it has
	// answered any: about what a web server with a few workers takes in its stride.
	PaceFirst = 8
	// PaceDouble is how long it takes the window to double where nothing is
	// answered: a cold instance, or uploads that take their time.
	PaceDouble = time.Second
	// PaceWide is the window from which on a Pace does not matter any more.
	PaceWide = 1024
)

// Pace bounds how many requests are under way to one instance that is released
// to, so that one that has just started is not met by all that waited at once. Its
// window is PaceFirst, one more for each answer (so that it doubles with each
// round, as in TCP's slow start), and all of that doubled each PaceDouble, so that
// requests that are slow hold up the others for a short time only:
//
//	window(t) = (PaceFirst + answers) · 2^((t − began) / PaceDouble)
//
// A Pace is not safe for concurrent use.
type Pace struct {
	began    time.Time
	answers  int
	underWay int
}

// NewPace returns a Pace that begins now.
func NewPace(now time.Time) *Pace { return &Pace{began: now} }

// Window is how many requests may be under way.
func (p *Pace) Window(now time.Time) int {
	doubled := math.Exp2(float64(max(now.Sub(p.began), 0)) / float64(PaceDouble))
	return int(min(float64(PaceFirst+p.answers)*doubled, math.MaxInt32))
}

// Room is how many more requests may be sent; 0 where the window is full.
func (p *Pace) Room(now time.Time) int { return max(p.Window(now)-p.underWay, 0) }

// Wide is true from when on the Pace does not matter any more.
func (p *Pace) Wide(now time.Time) bool { return p.Window(now) >= PaceWide }

// Sent counts a request that goes to the instance.
func (p *Pace) Sent() { p.underWay++ }

// Answered counts the answer of one that was Sent. Its begin is enough: the
// instance has done its work, and an answer may go on for hours.
func (p *Pace) Answered() { p.underWay--; p.answers++ }

// Ended counts the end of one that was Sent and got no answer.
func (p *Pace) Ended() { p.underWay-- }
