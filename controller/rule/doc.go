// Package rule holds what can be said of a job from its specification alone:
// settings that defeat the gate or that it cannot judge. The same functions
// serve the controller, on live jobs, and offline checks of a file.
//
// Every rule must correspond to dropped requests, a stuck or unsafe promotion,
// or a gate that is not in force; there are no rules of style. Nothing here
// does I/O.
package rule
