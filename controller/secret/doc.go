// Package secret keeps credentials out of what people read: addresses that hold
// some, and answers that echo what a request was sent with.
//
// It must not read an environment, a file or a flag: it hides what it is shown.
package secret
