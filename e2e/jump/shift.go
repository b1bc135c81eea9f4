package jump

import (
	"time"
	"unsafe"
)

// hasMonotonic and nsecShift are how a time.Time with a monotonic reading
// keeps its wall reading: in one word of a flag, 33 bits of seconds since 1885
// and 30 bits of nanoseconds (Go 1.26, src/time/time.go).
const (
	hasMonotonic = 1 << 63
	nsecShift    = 30
)

// Shift returns t with its wall reading moved by whole seconds and its
// monotonic reading as it is. A time that has no monotonic reading panics, and
// so does a part of a second.
//
// Package time has no way to do that: Add moves both readings and everything
// else drops the monotonic one. So this writes to the first word of a copy, and
// sees that it had the effect that it must have.
func Shift(t time.Time, by time.Duration) time.Time {
	moved := t
	wall := (*uint64)(unsafe.Pointer(&moved))
	if *wall&hasMonotonic == 0 {
		panic("jump: a time without a monotonic reading: " + t.String())
	}
	*wall += uint64(by/time.Second) << nsecShift
	if moved.Sub(t) != 0 || moved.Round(0).Sub(t.Round(0)) != by {
		panic("jump: package time keeps its readings in another way than this was written for, or by is not in whole seconds")
	}
	return moved
}
