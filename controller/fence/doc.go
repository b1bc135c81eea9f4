// Package fence takes old instances out of rotation before a promotion stops
// them: which ones those are, what the leader writes next for one deployment,
// and what each instance of draingate does to the services of its own node.
//
// It decides only. It takes values and times and returns values: it asks and
// writes nothing, reads no clock and logs nothing, so that all of it can be run
// through by a model of everything that may happen around it.
package fence
