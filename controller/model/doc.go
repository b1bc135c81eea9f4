// Package model holds the plain values that draingate reasons about: what
// Nomad, Consul and Traefik said, when they said it, and what was decided.
//
// It must not do I/O, read a clock, log, or import anything beyond the
// standard library's value packages. Edges convert their API types to these
// values once; the pure core and the status endpoint only ever see these.
package model
