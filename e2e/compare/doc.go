// Command compare deploys a single writer, one that stops before it starts,
// behind each of several proxies that can hold requests meanwhile, and prints
// what each deploy lost and how long the longest request waited: Caddy in four
// ways, kamal-proxy, Traefik left alone, and Traefik with draingate. Nomad runs
// the same program for all of them, and the load is the same.
//
// It must not favour anybody: each way is set up as its own manual says, with
// what it needs of the job and no more, and what a person would do by hand is
// done at the best moment. It is no test, since a proxy that loses requests here
// is no fault of draingate, and Caddy is not ours to install.
package main
