package model

import "time"

// clockSlack is by how much the wall clock may have left the monotonic one
// before that counts as a jump. The kernel slews both alike (clock_gettime(2)),
// so that only a step parts them; the smallest on purpose is a leap second.
const clockSlack = time.Second

// OnClock returns when t was by the clock that reads now. That is t itself as
// long as the wall clock has run evenly in between. Where it was set, it is as
// long before now as the monotonic clock says, so that a date which a person
// compares with the clock on the wall is neither in the future nor too old.
// Both times must carry a monotonic reading; with one that does not, as with
// the zero time, the result is t.
func OnClock(now, t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	at := now.Add(-now.Sub(t))
	if at.Round(0).Sub(t.Round(0)).Abs() <= clockSlack {
		return t
	}
	return at
}
