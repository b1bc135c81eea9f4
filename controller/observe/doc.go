// Package observe gathers one model.Snapshot per pass: what Nomad, Consul and
// every Traefik say about one deployment, and when each of them said it.
//
// It must not decide anything and writes nothing. A part that could not be read
// is a fact that is not known; it never aborts the others, and it never looks
// like an empty answer.
package observe
