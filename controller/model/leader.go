package model

import (
	"strings"
	"time"
)

// DefaultLeaderKey is the key in Consul whose lock elects the leader, where nothing
// else is said.
const DefaultLeaderKey = "draingate/leader"

// ofKey is between a name and the key of its election.
const ofKey = "@"

// OfElection is what a name ends with that instances of one election must tell from
// those of another: its key, or nothing where that is the default.
func OfElection(leaderKey string) string {
	if leaderKey == DefaultLeaderKey {
		return ""
	}
	return ofKey + leaderKey
}

// OfAnyElection is such a name without its end.
func OfAnyElection(name string) string {
	name, _, _ = strings.Cut(name, ofKey)
	return name
}

// Lock is a key of Consul's KV store that a session can hold.
type Lock struct {
	// Session is the ID of the session that holds it; empty where none does.
	Session string
	// Value is what the last holder wrote; nil where the key does not exist.
	Value []byte
	// Index is what to wait from for the next change of the key.
	Index uint64
}

// Role is the part of an instance in the election of a leader.
type Role string

// The roles.
const (
	// RoleCandidate neither leads nor has seen another instance lead since it
	// last did. It looks for itself and does not write.
	RoleCandidate Role = "candidate"
	// RoleLeader is the only one that writes.
	RoleLeader Role = "leader"
	// RoleFollower has seen another instance lead, and does not look for itself.
	RoleFollower Role = "follower"
)

// Instance is one draingate process as the others see it.
type Instance struct {
	// ID is drawn at random at the start of the process.
	ID string `json:"id"`
	// Name is for people.
	Name string `json:"name"`
	// Address is the host:port at which the others reach its status endpoint;
	// empty where it has none.
	Address string `json:"address"`
	// Since is when it took the lead, by its own wall clock.
	Since time.Time `json:"since,omitzero"`
}

// Leadership is who leads, as one instance knows it.
type Leadership struct {
	Role Role
	Self Instance
	// Leader is the instance that leads, this one included; the zero Instance
	// where nobody is known to.
	Leader Instance
	// Decided is false until the first try to lead has come to anything, be it
	// only an error.
	Decided bool
	// First is true while no other instance is known to have ever led.
	First bool
	// Term counts how often this instance began to lead after another one had:
	// what it saw before that does not join up with what it sees now.
	Term int
	// Problem says why this instance does not lead although no other is known
	// to, or why it does not know; empty where there is nothing to say.
	Problem string
}

// Looks reports whether the instance observes and judges deployments itself.
func (l Leadership) Looks() bool { return l.Decided && l.Role != RoleFollower }
