// Package exit names the exit codes of the draingate command and carries them
// on errors.
//
// It must not print or end the process: package cli and main do.
package exit

import "errors"

// The exit codes. Scripts depend on them; docs/exit-codes.md explains them.
const (
	OK        = 0
	Failed    = 1
	Usage     = 2
	Held      = 3
	TimedOut  = 4
	CannotSee = 5
)

// Error is an error that decides the exit code.
type Error struct {
	Code int
	// Err is for people; nil ends the command with the code and no message.
	Err error
}

// With returns the error with an exit code.
func With(code int, err error) error { return &Error{Code: code, Err: err} }

// Error returns the text of the error that it wraps.
func (e *Error) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns the error without its code.
func (e *Error) Unwrap() error { return e.Err }

// Code returns the exit code of an error: OK for none, the code of the first
// Error in its tree, and else Usage, which also stands for internal errors.
func Code(err error) int {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Usage
}
