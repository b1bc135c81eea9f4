// Package client reads the HTTP API of one Traefik: who it is, its static
// settings and the routing it runs now.
//
// It only ever sends GET requests, keeps nothing between calls and opens a
// new connection for each, so that a load balancer in front of several
// Traefiks shows itself by answering as different processes. It must not
// decide anything: an answer that cannot be trusted is an error.
package client
