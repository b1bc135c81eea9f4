// Package fix writes what is safe to write of what lint found: it changes job
// specifications in HCL, keeps their comments and their layout, and says of
// each finding that it leaves why it does.
//
// It must not decide what is safe, which the rules do, nor write anything that
// lint would not find better than before. It changes a file only when it is
// told to by Change.Write.
package fix
