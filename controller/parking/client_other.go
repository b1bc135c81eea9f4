//go:build !linux

package parking

// closed knows nothing here: package http tells of a client that left where the
// request has no body left to read.
func closed(uintptr) bool { return false }
