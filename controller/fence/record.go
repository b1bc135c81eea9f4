package fence

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Step says what a record means for the instances of its set.
type Step string

// The steps of a record.
const (
	// StepFencing: the set is in maintenance for as long as the record has its
	// lock.
	StepFencing Step = "fencing"
	// StepArmed: the same, and the end of the lock changes nothing, since Nomad
	// may have been told to stop the set.
	StepArmed Step = "armed"
	// StepEnded: nothing is in maintenance but what was told to stop.
	StepEnded Step = "ended"
)

// Call is the call to Nomad that stops the set of an armed record.
type Call string

// The calls.
const (
	CallPromote Call = "promote"
	CallResume  Call = "resume"
)

// Format is the version of the form in which records are stored. A record of
// another one is left alone.
const Format = 1

// Record is the desired state of one deployment's fence, as it is stored in
// Consul. Its key is locked by the session of the leader that wrote it.
type Record struct {
	Format     int    `json:"format"`
	Namespace  string `json:"namespace"`
	Deployment string `json:"deployment"`
	Job        string `json:"job"`
	// Owner is the name of the instance that wrote it, for people.
	Owner string `json:"owner"`
	// Seq grows by one with each write.
	Seq uint64 `json:"seq"`
	// Mark is drawn at random for each write. It is what is acknowledged.
	Mark string `json:"mark"`
	Step Step   `json:"step"`
	// Call is what an armed record is armed for.
	Call Call `json:"call,omitempty"`
	// Final is true where the call leaves no old instance to be stopped later,
	// so that the deployment need not be paused after it.
	Final bool `json:"final,omitempty"`
	// Set are the allocations that the next call stops, in the order of names.
	Set []Target `json:"set,omitempty"`
	// Kept are allocations that were told to stop. Their fences end with them.
	Kept []Target `json:"kept,omitempty"`
	// Pause is true where a pause of the deployment, if there is one, is ours.
	// It is written before the pause.
	Pause bool `json:"pause,omitempty"`
	// Rolling is true once our promotion was seen to have stopped its set, where
	// more is left to be stopped, batch by batch.
	Rolling bool `json:"rolling,omitempty"`
	// Reason and Message say why it ended; no reason means that all was done.
	Reason  model.Reason `json:"reason,omitempty"`
	Message string       `json:"message,omitempty"`
	// Written is when, by the writer's clock. Nothing is decided on it.
	Written time.Time `json:"written,omitzero"`
}

// Target is one old allocation with all of its routed services.
type Target struct {
	Alloc string `json:"alloc"`
	Name  string `json:"name"`
	Group string `json:"group"`
	// Node is the name of the Consul agent that the services are registered with.
	Node string `json:"node"`
	// Services are the IDs of the services in Consul, sorted.
	Services []string `json:"services"`
}

// Key is the deployment that the record is about.
func (r Record) Key() model.Key {
	return model.Key{Namespace: r.Namespace, Deployment: r.Deployment}
}

// Encode returns the record as it is stored.
func (r Record) Encode() ([]byte, error) {
	out, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the fence of deployment %s: %w", model.Short(r.Deployment), err)
	}
	return out, nil
}

// Decode reads a stored record. One of another format is an error: what it
// means is not known.
func Decode(text []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("decode the record of a fence: %w", err)
	}
	switch {
	case r.Format != Format:
		return Record{}, fmt.Errorf("decode the record of a fence: format %d is not %d: it was written by another version of draingate", r.Format, Format)
	case r.Deployment == "" || r.Mark == "" || !slices.Contains([]Step{StepFencing, StepArmed, StepEnded}, r.Step):
		return Record{}, fmt.Errorf("decode the record of a fence: it has no deployment, no mark or no known step (%q)", r.Step)
	default:
		return r, nil
	}
}

// clone returns a copy that shares no set with the record.
func (r Record) clone() Record {
	r.Set, r.Kept = slices.Clone(r.Set), slices.Clone(r.Kept)
	return r
}

// Names returns the names of the allocations, in their order.
func Names(targets []Target) []string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Name)
	}
	return out
}

func allocs(targets []Target) []string {
	out := make([]string, 0, len(targets))
	for _, t := range targets {
		out = append(out, t.Alloc)
	}
	return out
}

// sameSet reports whether two sets have the same allocations with the same
// services on the same nodes.
func sameSet(a, b []Target) bool {
	return slices.EqualFunc(a, b, func(x, y Target) bool {
		return x.Alloc == y.Alloc && x.Node == y.Node && slices.Equal(x.Services, y.Services)
	})
}
