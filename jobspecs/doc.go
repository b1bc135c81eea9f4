// Package jobspecs holds job specifications: the examples that people copy,
// and what reads job specifications from files.
//
// It must not talk to a running Nomad.
package jobspecs
