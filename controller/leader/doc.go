// Package leader elects one of several instances by a lock of a Consul session,
// and says for how much longer this one may act.
//
// It must not read the wall clock to tell who leads, and it never assumes: an
// instance that cannot confirm that it holds the lock stops acting when its
// lease ends, whether or not it can reach anyone to ask.
package leader
