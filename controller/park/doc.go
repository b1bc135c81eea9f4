// Package park bridges the gap of a service that cannot overlap: between the end
// of its only instance and the start of the next one, instances of draingate stand
// in Consul's catalog in its place and let requests wait. The package says when
// that begins and ends, what the leader writes next about one service, and what
// each instance does on its own node.
//
// It decides only. It takes values and times and returns values: it asks and
// writes nothing, reads no clock and logs nothing.
package park
