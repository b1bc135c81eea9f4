// Package status keeps what was decided about each deployment and serves it,
// read only, over HTTP: as JSON for people and programs, as metrics for
// Prometheus, and as a typed client for the command line.
//
// It must not decide anything, write to any system, or show a secret: no
// token, and no credentials in a URL, leave this package.
package status
