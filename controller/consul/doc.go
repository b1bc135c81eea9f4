// Package consul is the edge to Consul's HTTP API: it reads the instances of a
// service with their checks, and measures how long a load of the catalog takes.
//
// It must not decide anything, and it writes nothing but sessions and the locks
// that they hold. It never answers from a cache, and an answer that Consul made
// from less than the whole catalog is an error, since a missing instance looks
// the same as one that is not there.
package consul
