package parking

import (
	"context"
	"time"
)

// Left is what a lot has still to do.
type Left struct {
	// Coming is true where the time was over before none had come for the Quiet of the
	// options, so that the listener was left open: some proxy may have it in its pool.
	Coming bool
	// Waiting are requests that nothing was sent of, UnderWay those that are at an
	// instance, and Upgrades those of them that have changed their protocol.
	Waiting  int
	UnderWay int
	Upgrades int
}

// None tells whether the lot is closed.
func (l Left) None() bool { return l == Left{} }

// closePoll is how often Close looks whether it is done.
const closePoll = 20 * time.Millisecond

// Close is for a lot that no proxy routes to any more: while none is seen to list
// it, requests that were routed before may still come. Answers then end their
// connections. When no request has come for the Quiet of the options it closes
// the listener, and the connections on which nothing is, and waits until those that
// wait and those under way have their answer.
//
// It returns at the end of ctx at the latest, with what is left: nothing of that
// is cut off. It may be called again, and Garage.Close ends the rest. Waiting
// requests go on waiting, for their own time: Expire before it refuses them.
func (l *Lot) Close(ctx context.Context) Left {
	l.leaveNow()
	if !await(ctx, func() bool { return l.quiet(time.Now()) }) {
		left := l.left()
		left.Coming = true
		return left
	}
	_ = l.server.Shutdown(ctx) // what it waits for is looked at below
	if !await(ctx, l.idle) {
		return l.left()
	}
	l.stop(ctx)
	return Left{}
}

// leaveNow begins the end.
func (l *Lot) leaveNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.leaving {
		l.leaving, l.leftAt = true, time.Now()
	}
}

// quiet tells whether no request has come for long enough, all of it while the lot
// was leaving.
func (l *Lot) quiet(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.last) >= l.options.Quiet && now.Sub(l.leftAt) >= l.options.Quiet
}

// idle tells whether no request is in hand.
func (l *Lot) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.handling == 0
}

func (l *Lot) left() Left {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Left{Waiting: l.figures.Waiting, UnderWay: l.figures.UnderWay, Upgrades: l.figures.Upgrades}
}

// cutOff is Garage.Close for one lot.
func (l *Lot) cutOff(ctx context.Context) Left {
	l.Serve(nil)
	l.Expire()
	_ = l.server.Shutdown(ctx) // what it waits for is looked at below
	await(ctx, l.idle)
	left := l.left()
	l.stop(ctx)
	return left
}

// stop ends everything, and waits until it has ended.
func (l *Lot) stop(ctx context.Context) {
	l.cut()
	_ = l.server.Close() // the listener is closed, or it does not matter any more
	l.hangUp()
	l.running.Wait()
	await(context.WithoutCancel(ctx), l.idle)
	l.garage.remove(l)
}

// hangUp ends the upgrades: one whose client does not read would never see that
// its instance's connection was closed.
func (l *Lot) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.upgrades {
		if p.client.conn != nil {
			_ = p.client.conn.Close() // it may have ended by itself
		}
	}
}

// await polls until it is true, or ctx ends; it returns which.
func await(ctx context.Context, is func() bool) bool {
	ticks := time.NewTicker(closePoll)
	defer ticks.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return false
		case <-ticks.C:
		}
	}
	return true
}
