package fencer

import (
	"context"
	"time"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
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
	// LiftMaintenance ends a maintenance that has this reason, and no other. It
	// returns whether there was one.
	LiftMaintenance(ctx context.Context, serviceID, reason string) (bool, error)
}

// Nomad is what is asked of Nomad for records that have lost their lock, and for
// pauses that are owed. The Client of package nomad is one.
type Nomad interface {
	// Deployment is nil where Nomad does not know it.
	Deployment(ctx context.Context, key model.Key) (*model.Deployment, error)
	// Allocations are those of a job, of every version.
	Allocations(ctx context.Context, namespace, jobID string) ([]model.Allocation, error)
	Pause(ctx context.Context, key model.Key) error
}

// What Options.Did is told of.
const (
	// ActSet is a service that was put into maintenance.
	ActSet = "set"
	// ActLift is a maintenance of draingate's that was ended.
	ActLift = "lift"
	// ActPause is a deployment that was paused, since nobody else did.
	ActPause = "pause"
	// ActAcknowledge is a write of the presence with all that it acknowledges,
	// which may be nothing.
	ActAcknowledge = "acknowledge"
)

// Options are the choices of a Fencer.
type Options struct {
	// Keys are where records and presences are stored.
	Keys fence.Keys
	// TTL is that of the leader's session, and of the one of the presence.
	TTL time.Duration
	// Instance is the name of this process, which no other one has. It is the last
	// part of its presence's key, with a dash for each slash.
	Instance string
	// Records is told of all records after each read that found any. It must not
	// block. May be nil.
	Records func([]fence.Held)
	// Did is told of each act and of its error. It is called by several
	// goroutines, and must not block. May be nil.
	Did func(act string, err error)
}

func (o Options) records(all []fence.Held) {
	if o.Records != nil && len(all) > 0 {
		o.Records(all)
	}
}

func (o Options) did(act string, err error) {
	if o.Did != nil {
		o.Did(act, err)
	}
}

// The bounds of the loop.
const (
	// passTime is how long after the beginning of a pass something is still done
	// because of it: three calls. What was read longer ago, by a process that was
	// stopped in between, may not be so any more.
	passTime = 3 * loop.CallTime
	// passGap is what lies between the ends of two passes at least.
	passGap = 100 * time.Millisecond
	// The longest times between two passes: while a record fences the node, where
	// Consul may end a maintenance and tell nobody; while there is a record or a
	// fence; and otherwise, for orphans.
	lookFenced, lookSome, lookIdle = 500 * time.Millisecond, time.Second, 10 * time.Second
	// askTime bounds all that is asked of Nomad in one round, askGap is what lies
	// between two.
	askTime, askGap = 5 * time.Second, 500 * time.Millisecond
	// leaveTime is how long the last lifts may take: Nomad kills a task 5 s after
	// its stop, where the job says nothing else.
	leaveTime = 5 * time.Second
)
