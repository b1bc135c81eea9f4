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
	// PaceQuiet is for how long nothing may be answered before the window grows for
	// it: an instance to which all requests are long ones, such as uploads or polls.
	PaceQuiet = time.Second
	// PaceDouble is how long it then takes to double.
	PaceDouble = time.Second
	// PaceSlowly is how long it takes to double whatever is answered, for requests
	// that take unlike times, so that the quick ones make the others look late.
	PaceSlowly = 5 * time.Second
	// PaceLate is by how much more than twice the quickest answer one may take that is
	// still prompt: on a busy machine quick answers vary by about that.
	PaceLate = 100 * time.Millisecond
	// PaceWide is the window from which on a Pace does not matter any more.
	PaceWide = 1024
)

// Pace bounds how many requests are under way to one instance that is released
// to, so that one that has just started is not met by all that waited at once. Its
// window is PaceFirst, and one more for each prompt answer, so that it doubles with each
// round as in TCP's slow start (RFC 5681, 3.1). An instance that is given more than it can
// work on answers later, not more often (Little's law), so a late answer widens
// nothing, as in TCP Vegas. Time widens it as well, so that requests that are slow by
// themselves do not hold up the others for long:
//
//	window(t) = (PaceFirst + prompt answers) · 2^((t − began)/PaceSlowly + silence/PaceDouble)
//
// where silence is how long it was longer than PaceQuiet since the answer before, all such
// times together.
//
// A Pace is not safe for concurrent use.
type Pace struct {
	began time.Time
	// last is when the last answer began, and silence is what was before it.
	last    time.Time
	silence time.Duration
	// best is the shortest time that an answer took.
	best     time.Duration
	prompt   int
	underWay int
}

// NewPace returns a Pace that begins now.
func NewPace(now time.Time) *Pace { return &Pace{began: now, last: now, best: math.MaxInt64} }

// Window is how many requests may be under way.
func (p *Pace) Window(now time.Time) int {
	slowly := float64(max(now.Sub(p.began), 0)) / float64(PaceSlowly)
	silent := float64(p.silent(now)) / float64(PaceDouble)
	return int(min(float64(PaceFirst+p.prompt)*math.Exp2(slowly+silent), math.MaxInt32))
}

// silent is how long nothing was answered, but for what may be at a time.
func (p *Pace) silent(now time.Time) time.Duration {
	return p.silence + max(now.Sub(p.last)-PaceQuiet, 0)
}

// Room is how many more requests may be sent; 0 where the window is full.
func (p *Pace) Room(now time.Time) int { return max(p.Window(now)-p.underWay, 0) }

// Wide is true from when on the Pace does not matter any more.
func (p *Pace) Wide(now time.Time) bool { return p.Window(now) >= PaceWide }

// Sent counts a request that goes to the instance.
func (p *Pace) Sent() { p.underWay++ }

// Answered counts the answer, now, of one that was Sent so long ago. Its begin is
// enough: the instance has done its work, and an answer may go on for hours.
func (p *Pace) Answered(now time.Time, took time.Duration) {
	p.underWay--
	p.silence = p.silent(now)
	p.last = now
	p.best = min(p.best, max(took, 0))
	if took-p.best <= p.best+PaceLate {
		p.prompt++
	}
}

// Ended counts the end of one that was Sent and got no answer.
func (p *Pace) Ended() { p.underWay-- }
