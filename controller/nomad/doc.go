// Package nomad is the edge to Nomad's HTTP API: it watches deployments, reads
// what a decision needs, promotes, and converts the API's types to those of
// package model, once.
//
// It must not decide anything, and nothing beyond promotion may be written
// here. Every error that leaves the package carries one of its sentinels where
// the caller has to act differently.
package nomad
