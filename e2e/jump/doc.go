// Package jump is a clock whose wall reading can be made to jump while the
// process runs, as an administrator or a time server that steps can. Tests
// build the command with it in the place of package time's (see
// harness.BuildWithClock), so that the product itself needs no hook.
//
// Signals move it: SIGUSR1 to one hour ahead of the true time, SIGUSR2 to one
// hour behind it. Both are absolute: two of the same move it once.
//
// It must not touch the monotonic reading, which no jump touches either, and
// must not be imported by anything but tests and what they build.
package jump
