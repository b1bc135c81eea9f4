// Package harness runs a real stack for tests and for the demo: Consul, Nomad
// and any number of Traefik instances as child processes, a sample service
// that is deployed on them, and an open-loop load generator that counts what a
// deploy loses.
//
// It must not import anything below controller/: what it checks is what a
// person outside could see. Everything it starts ends with it, also when its
// own process is killed.
package harness
