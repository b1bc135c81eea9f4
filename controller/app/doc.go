// Package app puts the controller together: it makes the clients, the
// observer, the loop, the metrics and the status endpoint, starts them, and
// ends them in order. It is the only package that knows all others.
//
// It must not read flags, the environment or signals: package cli does.
package app
