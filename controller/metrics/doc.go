// Package metrics counts and times what draingate does, for Prometheus.
//
// It must not decide anything, register with a global registry, or use a label
// whose values are not known at start: no IDs, no names of jobs.
package metrics
