// Package reap removes what a test stack leaves on a machine when it ends:
// processes, mounts and cgroups. A process belongs to a stack if, and only if,
// its environment carries the stack's own directory under the key Marker.
//
// It must not touch anything that does not carry the mark of the one stack it
// was asked about.
package reap

// Marker is the environment variable that every process of a stack inherits,
// tasks of Nomad's raw_exec driver included. Its value is the stack's directory.
const Marker = "DRAINGATE_STACK"
