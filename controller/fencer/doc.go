// Package fencer carries out fences on the node of its instance: it reads the
// records, sets and lifts maintenance at the Consul agent of its own node,
// acknowledges what it sees there, and pauses a deployment where a pause is owed.
//
// It decides nothing: what is to be done is the answer of fence.Apply to what was
// read. It must not touch a maintenance that draingate did not set, nor write a
// record; those are the leader's.
package fencer
