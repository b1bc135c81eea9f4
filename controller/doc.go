// Package controller is the root of the controller's packages and holds no
// code of its own, only the test that keeps their import directions.
//
// The packages fall into four layers. The pure core (model, drain, rule, gate)
// takes values and time as arguments and does no I/O. The loop (reconcile,
// observe) calls it. The edges (nomad, consul, metrics, status) speak to the
// outside world and know only model. The wiring (app, cli) is the only part
// that knows all others.
package controller
