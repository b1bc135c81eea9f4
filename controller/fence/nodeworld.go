package fence

import (
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Held is a record with the lock on its key.
type Held struct {
	Record Record
	// Locked is true where a session holds the lock.
	Locked bool
}

// Local is a service on the Consul agent of the instance's node.
type Local struct {
	ID string
	// Maintenance is true where it is in maintenance, for Reason.
	Maintenance bool
	Reason      string
}

// Standing is what Nomad says of a deployment and its allocations, as an
// instance needs it for a record that has lost its lock.
type Standing struct {
	// Read is when the read began.
	Read time.Time
	// Gone is true where Nomad does not know the deployment any more.
	Gone     bool
	Status   string
	Promoted bool
	// Told are the allocations that were told to stop, or have ended.
	Told map[string]bool
}

func (s Standing) over() bool { return World{Gone: s.Gone, Status: s.Status}.over() }

// NodeInput is all that a pass of an instance over its own node rests on.
type NodeInput struct {
	// Node is the name of the Consul agent.
	Node string
	// Keys are those of the election that the instance takes part in.
	Keys Keys
	// Records are all records; Locals all services of the agent, read after them.
	Records model.Fact[[]Held]
	Locals  model.Fact[[]Local]
	// Standings has, by deployment, what was asked of Nomad in this pass.
	Standings map[string]Standing
	// TTL is that of the leader's session.
	TTL    time.Duration
	Memory NodeMemory
	Now    time.Time
}

// NodeMemory is what an instance remembers from pass to pass. The zero
// NodeMemory is that of one that has just begun.
type NodeMemory struct {
	// Read is when the last read of the records that succeeded began, or when the
	// instance did.
	Read time.Time
	// Records are what it said, with those that were armed when they were
	// deleted.
	Records []Sighting
}

// Sighting is a record as an instance knows it.
type Sighting struct {
	Held
	// Since is when the instance first saw it as it is.
	Since time.Time
	// Over is since when its deployment is seen to have ended.
	Over time.Time
}

// NodeAction is what an instance is to do on its own node, each list sorted.
type NodeAction struct {
	// Set has the reason of the maintenance to set, by service.
	Set map[string]string
	// Lift are the services whose maintenance is to end.
	Lift []string
	// Acks has the mark of each record whose services on the node are all in
	// maintenance, by deployment.
	Acks map[string]string
	// Ask are the deployments whose Standing is needed at the next pass.
	Ask []model.Key
	// Pause are the deployments to pause, since nobody else did.
	Pause []model.Key
}
