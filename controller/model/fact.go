package model

import "time"

// Fact is a value that was read from the outside world, together with the
// time the read began and the reason it failed, if it did. A fact that was
// never read is the zero Fact and is not known.
type Fact[T any] struct {
	// Value is what was read. It is meaningless unless Known reports true.
	Value T
	// At is the time the read began, so that an age never looks younger
	// than it is.
	At time.Time
	// Err says, for a person, why the value is not known. Empty when it is.
	Err string
}

// Seen returns a known fact that was read at the given time.
func Seen[T any](value T, at time.Time) Fact[T] { return Fact[T]{Value: value, At: at} }

// Unseen returns a fact whose read failed at the given time. An empty reason
// is replaced, so that a failed read can never be mistaken for a good one.
func Unseen[T any](at time.Time, reason string) Fact[T] {
	if reason == "" {
		reason = "read failed"
	}
	return Fact[T]{At: at, Err: reason}
}

// Known reports whether the value was read at all, however long ago.
func (f Fact[T]) Known() bool { return f.Err == "" && !f.At.IsZero() }

// Fresh reports whether the value is known and was read no longer than maxAge
// before now. A read from the future is not fresh: one of the clocks is wrong.
func (f Fact[T]) Fresh(now time.Time, maxAge time.Duration) bool {
	age := now.Sub(f.At)
	return f.Known() && age >= 0 && age <= maxAge
}

// Problem says why the fact cannot be used at now, or is empty if it can.
func (f Fact[T]) Problem(now time.Time, maxAge time.Duration) string {
	switch {
	case f.Err != "":
		return f.Err
	case f.At.IsZero():
		return "not read yet"
	case now.Before(f.At):
		return "read at a time that has not come yet"
	case now.Sub(f.At) > maxAge:
		return "last read " + now.Sub(f.At).Round(time.Millisecond).String() + " ago, longer than " + maxAge.String()
	default:
		return ""
	}
}
