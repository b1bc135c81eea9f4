// Package reconcile is the loop: a queue of keys, workers, and one pass per
// key that observes, lets the gate decide, carries out at most one write and
// then looks again.
//
// It is level-based. A key says that something may have changed and never
// what; every pass reads the world anew. The package declares the ports it
// needs and must not import the clients behind them.
package reconcile
