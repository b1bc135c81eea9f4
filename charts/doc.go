// Package charts holds what deploys draingate itself: the Nomad Pack.
//
// It must not contain anything that the running controller imports.
package charts
