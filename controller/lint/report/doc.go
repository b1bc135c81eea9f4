// Package report writes the findings of a lint run for people, scripts, code
// hosts and editors.
//
// It must not read files nor decide what is a finding: everything that it
// shows is in the result that it is given.
package report
