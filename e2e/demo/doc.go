// Command demo shows three deploys on a real Nomad, Consul and Traefik, each
// done twice side by side under the same load: once promoted by Nomad itself,
// once by draingate, which runs as a Nomad system job from jobspecs/examples.
//
// It must not look into draingate: what it shows of it comes from its status
// endpoint. And it must not be kinder to one side than to the other: who
// promotes is the only thing in which their jobs differ.
//
// Run `go run ./e2e/demo -h` for its flags. It exits with 0 if every deploy
// went as it claims, 1 if not or if a gated deploy lost a request, 2 if it was
// told nonsense and 130 if it was interrupted.
package main
