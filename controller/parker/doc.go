// Package parker is the loop that every instance of draingate runs for the parks
// of its node: it reads the records, and opens listeners, registers their
// placeholders with the node's Consul agent, tells them which instances there are, and
// says how far it is.
//
// It decides nothing: package park says what to do, and package parking does it
// with requests. It must not touch a service that it has not registered, but for
// the maintenance of a pause.
package parker
