package fencer

import (
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/nomad"
)

// The clients are what a Fencer asks.
var (
	_ Consul = (*consul.Client)(nil)
	_ Nomad  = (*nomad.Client)(nil)
)
