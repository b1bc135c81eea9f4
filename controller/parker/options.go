package parker

import (
	"context"
	"net/netip"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
	"github.com/draingate/draingate/controller/presence"
)

// Consul is what is asked of the Consul agent of the instance's node. The Client
// of package consul is one.
type Consul interface {
	presence.Consul
	// LocalServices are the services of the agent, sorted by ID.
	LocalServices(ctx context.Context) ([]model.LocalService, error)
	// SetMaintenance returns the reason that the service then has: the first one
	// stays.
	SetMaintenance(ctx context.Context, serviceID, reason string) (string, error)
	// LiftMaintenance ends a maintenance that has this reason, and no other.
	LiftMaintenance(ctx context.Context, serviceID, reason string) (bool, error)
	// RegisterPlaceholder registers a placeholder, or replaces the one of its ID.
	RegisterPlaceholder(ctx context.Context, p model.Placeholder) error
	// Deregister removes a service; one that is not there is no error.
	Deregister(ctx context.Context, serviceID string) error
	// WatchService reads all instances of a service, once they changed.
	WatchService(ctx context.Context, name string, index uint64, wait time.Duration) ([]model.Registration, uint64, error)
	// AgentAddress is where others reach the agent's node.
	AgentAddress(ctx context.Context) (string, error)
}

// What Options.Did is told of.
const (
	// ActRegister is a placeholder that came into the catalog.
	ActRegister = "register"
	// ActDeregister is one that was taken out of it.
	ActDeregister = "deregister"
	// ActSet is a maintenance of a pause.
	ActSet = "set"
	// ActLift is the end of one.
	ActLift = "lift"
	// ActSay is a write of the presence.
	ActSay = "say"
)

// Options are the choices of a Parker.
type Options struct {
	// Keys are where records and presences are stored.
	Keys park.Keys
	// TTL is that of the session of the presence.
	TTL time.Duration
	// Instance is the name of this process, which no other one has.
	Instance string
	// Address is where proxies reach this node's listeners; empty for what the Consul
	// agent advertises. Bind is the address to listen on; empty for Address.
	Address, Bind string
	// Ports are those of the listeners; the zero value leaves the choice to the
	// system.
	Ports parking.Ports
	// Bounds are those of each listener.
	Bounds parking.Bounds
	// Tags are those of the placeholder of a record that listens at an address.
	Tags func(r park.Record, at netip.AddrPort) []string
	// Did is told of each act and of its error. It must not block. May be nil.
	Did func(act string, err error)
}

func (o Options) did(act string, err error) {
	if o.Did != nil {
		o.Did(act, err)
	}
}

// The bounds of the loop.
const (
	// passTime is how long after the beginning of a pass something is still done
	// because of it.
	passTime = 6 * time.Second
	// passGap is what lies between the ends of two passes at least.
	passGap = 20 * time.Millisecond
	// lookSome and lookIdle are the longest times between two passes, while there is
	// something to park for, and otherwise.
	lookSome, lookIdle = 250 * time.Millisecond, 10 * time.Second
	// drainTime is how long, at the end of the process, requests still have to come
	// to a listener and get their answer; leaveTime bounds all of the end. Nomad kills a
	// task after its kill_timeout: a job for draingate gives it 30 s.
	drainTime, leaveTime = 20 * time.Second, 25 * time.Second
)
