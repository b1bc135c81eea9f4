package parking

import (
	"slices"
	"time"

	"github.com/draingate/draingate/controller/park"
)

// Backend is a real instance of the service.
type Backend struct {
	// ID tells it from others, with the address: one that comes back elsewhere is
	// another one.
	ID string
	// Address is host:port, to be reached by plain HTTP.
	Address string
	// Until is from when on nothing new goes to it; zero for no end.
	Until time.Time
}

// retryPause is what lies between a dial that fails and the next one to the same
// backend.
const retryPause = 100 * time.Millisecond

// backend is a Backend with what is under way to it. The lot's lock guards it.
type backend struct {
	Backend
	// removed is true from when on it is no more among those that Serve named.
	removed bool
	// active are the requests that have their turn at it, from the dial on.
	active int
	// dialing of them have no connection yet.
	dialing int
	// suspect is true after a dial that failed, until one succeeds: one request at
	// a time tries, and none before notBefore.
	suspect   bool
	notBefore time.Time
	// pace is nil while nothing waits.
	pace *park.Pace
}

// ended tells whether nothing new may go to it.
func (b *backend) ended(now time.Time) bool {
	return b.removed || (!b.Until.IsZero() && !now.Before(b.Until))
}

// room tells whether one more request may go to it now.
func (b *backend) room(now time.Time) bool {
	switch {
	case b.ended(now):
		return false
	case b.suspect && (b.dialing > 0 || now.Before(b.notBefore)):
		return false
	default:
		return b.pace == nil || b.pace.Room(now) > 0
	}
}

// slot is one request's turn at a backend.
type slot struct {
	backend *backend
	// pace is that under which the request is counted; nil for none, and once it
	// was answered.
	pace *park.Pace
	// since is when it was given.
	since time.Time
}

// take gives the turn. Pacing begins with the first one that has waited.
func (b *backend) take(now time.Time, waited bool) *slot {
	if waited && b.pace == nil {
		b.pace = park.NewPace(now)
	}
	if b.pace != nil {
		b.pace.Sent()
	}
	b.active++
	b.dialing++
	return &slot{backend: b, pace: b.pace, since: now}
}

// unpace ends the pacing of all backends for which it does not matter any more.
// It is called when nothing waits.
func (l *Lot) unpace(now time.Time) {
	for _, b := range l.backends {
		if b.pace != nil && b.pace.Wide(now) {
			b.pace = nil
		}
	}
}

// pick gives a turn at the backend that has the fewest requests; nil for none.
func (l *Lot) pick(now time.Time, waited bool) *slot {
	var best *backend
	for _, b := range l.backends {
		if b.room(now) && (best == nil || b.active < best.active) {
			best = b
		}
	}
	if best == nil {
		return nil
	}
	return best.take(now, waited)
}

// alive tells whether any backend may get requests.
func (l *Lot) alive(now time.Time) bool {
	return slices.ContainsFunc(l.backends, func(b *backend) bool { return !b.ended(now) })
}

// Serve says which real instances there are now: those that wait go to them, and
// those that come. One that was there before goes on as it was, with the new
// Until; one that is missing gets nothing new from now on, and finishes what it
// has. It does not wait for anything.
func (l *Lot) Serve(backends []Backend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	earlier := l.backends
	l.backends = make([]*backend, 0, len(backends))
	for _, b := range backends {
		same := func(e *backend) bool { return e.ID == b.ID && e.Address == b.Address }
		if slices.ContainsFunc(l.backends, same) {
			continue
		}
		kept := &backend{Backend: b}
		if i := slices.IndexFunc(earlier, same); i >= 0 {
			kept = earlier[i]
			kept.Until = b.Until
		}
		l.backends = append(l.backends, kept)
	}
	for _, e := range earlier {
		e.removed = !slices.Contains(l.backends, e)
	}
	l.expired = l.expired && !l.alive(now)
	l.dispatch(now)
}
