// Package e2e holds the end-to-end tests: real Nomad, Consul and Traefik as
// child processes, a sample service, and load through every proxy.
//
// The tests carry the build tag e2e. They drive the draingate binary and
// public HTTP APIs only and must not import anything below controller/.
package e2e
