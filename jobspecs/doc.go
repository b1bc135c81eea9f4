// Package jobspecs reads job specifications the way Nomad's command line does,
// without a Nomad: HCL2 with variables, locals, functions and dynamic blocks,
// and JSON. Besides the job it says where in the source each part of it
// stands. It also holds the examples that people copy.
//
// The meaning of a job comes from Nomad's own parser, and the positions from a
// second pass over the same text; a rule never sees either, only the model and
// a model.Path.
//
// It must not talk to a running Nomad. It reads the files that it is told to,
// and those that a job names with file() and the like, unless told not to.
package jobspecs
