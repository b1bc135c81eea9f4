// Package traefik knows how Traefik reads its static settings and the tags of
// Consul service instances.
//
// It turns bytes and values into the types of controller/model and must do
// nothing else: no I/O, no clock, no logging. What it cannot interpret is an
// error or an unknown reading, never a default. The semantics are those of
// Traefik v3.6.12, with which the goldens in testdata were recorded.
package traefik
