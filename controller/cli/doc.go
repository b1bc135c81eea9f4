// Package cli is the command line of draingate: it reads flags and the
// environment, runs what was asked for, prints, and turns errors into exit codes.
//
// It must not decide anything about a deployment, nor speak to Nomad, Consul
// or Traefik itself: `run` is handed to a Runner, `status` asks the status
// endpoint.
package cli
