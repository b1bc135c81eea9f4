// Package trust tells what to set where a TLS handshake with a server fails:
// each system has names of its own for the same five things.
//
// It must not open a connection or read a file.
package trust
