// Package charts holds what deploys draingate itself: the Nomad Pack, and
// what watches it: alerts and a dashboard.
//
// It must not contain anything that the running controller imports.
package charts
