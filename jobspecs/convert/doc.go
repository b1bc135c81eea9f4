// Package convert turns a job of Nomad's API into the model: the one place for
// both a job that a server answered and one that was read from a file, so that
// a rule says the same of both.
//
// It must not read files, talk to a Nomad or know how a job was written.
package convert
