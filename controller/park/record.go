package park

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Step says how far a park is.
type Step string

// The steps of a park, in their order.
const (
	// StepParking: placeholders are in the catalog; what reaches them goes to an
	// instance or waits for one.
	StepParking Step = "parking"
	// StepLeaving: placeholders leave the catalog, and their listeners go on.
	StepLeaving Step = "leaving"
	// StepOut: no proxy routes to a placeholder any more; the listeners finish.
	StepOut Step = "out"
	// StepOver: nothing is left of it. The record stays so that the same is not
	// begun anew for a version that did not come up.
	StepOver Step = "over"
)

// Format is the version of the form in which records are stored. A record of
// another one is left alone.
const Format = 1

// Record is the desired state of the park of one service, as it is stored in
// Consul. It does not end with its writer: requests wait in it.
type Record struct {
	Format  int    `json:"format"`
	Service string `json:"service"`
	// Namespace, Job, Group and Version say for whom it is, as the leader last
	// knew.
	Namespace string `json:"namespace"`
	Job       string `json:"job"`
	Group     string `json:"group"`
	Version   uint64 `json:"version"`
	// Owner is the name of the instance that wrote it, for people.
	Owner string `json:"owner"`
	// Seq grows by one with each write.
	Seq uint64 `json:"seq"`
	// Mark is drawn at random for each write. It is what is acknowledged.
	Mark string `json:"mark"`
	Step Step   `json:"step"`
	// Nodes are the Consul agents that are to have a placeholder, sorted.
	Nodes []string `json:"nodes"`
	// Addresses are all at which a placeholder of it was ever seen, as host:port,
	// sorted: their listeners go on for as long as a proxy routes to one.
	Addresses []string `json:"addresses,omitempty"`
	// Tags are those of an instance that Nomad registered; Prefixes are what those
	// for a Traefik begin with.
	Tags     []string `json:"tags"`
	Prefixes []string `json:"prefixes"`
	// Probes are the checks of proxies that are answered at the listener.
	Probes []Probe `json:"probes,omitempty"`
	// Throttle is the longest that a proxy holds back what it has read, in nanoseconds
	// (providers.providersThrottleDuration), as far as it was ever known.
	Throttle time.Duration `json:"throttle,omitempty"`
	// Wait is the longest that one request waits, in nanoseconds.
	Wait time.Duration `json:"wait"`
	// Going are the instances that were told to stop and serve for a while.
	Going []Going `json:"going,omitempty"`
	// ByHand is true where a person asked for it; Fenced are then the real
	// instances that are to be in maintenance.
	ByHand bool     `json:"byHand,omitempty"`
	Fenced []Target `json:"fenced,omitempty"`
	// Gap is since when there is no instance to pass requests to; zero while there
	// is one.
	Gap time.Time `json:"gap,omitzero"`
	// Served is since when an instance that stays is in every pool; zero while none is.
	Served time.Time `json:"served,omitzero"`
	// Until is when it ends by itself; zero where nothing ends it yet.
	Until time.Time `json:"until,omitzero"`
	// Since is when its step began.
	Since time.Time `json:"since"`
	// Back is when placeholders that were leaving were to come back; zero for never.
	Back time.Time `json:"back,omitzero"`
	// Reason and Message say why it leaves; no reason means that all went well.
	Reason  model.Reason `json:"reason,omitempty"`
	Message string       `json:"message,omitempty"`
	// Written is when, by the writer's clock.
	Written time.Time `json:"written"`
}

// Going is an instance that was told to stop.
type Going struct {
	Alloc string `json:"alloc"`
	// Address is host:port.
	Address string `json:"address"`
	// Until is when nothing more is to be sent to it; zero where that is not
	// known, so that only the catalog tells.
	Until time.Time `json:"until,omitzero"`
}

// Target is one service instance at its Consul agent.
type Target struct {
	Node    string `json:"node"`
	Service string `json:"service"`
}

// Encode returns the record as it is stored.
func (r Record) Encode() ([]byte, error) {
	out, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the park of service %q: %w", r.Service, err)
	}
	return out, nil
}

// Decode reads a stored record. One of another format is an error: what it
// means is not known.
func Decode(text []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("decode the record of a park: %w", err)
	}
	switch {
	case r.Format != Format:
		return Record{}, fmt.Errorf("decode the record of a park: format %d is not %d: it was written by another version of draingate", r.Format, Format)
	case r.Service == "" || r.Mark == "" || !slices.Contains([]Step{StepParking, StepLeaving, StepOut, StepOver}, r.Step):
		return Record{}, fmt.Errorf("decode the record of a park: it has no service, no mark or no known step (%q)", r.Step)
	default:
		return r, nil
	}
}

// settle is how long a placeholder is out of the catalog before only the proxies'
// pools tell whether they will route to it. A proxy may have read the catalog before and
// switch after: it holds back what it has read for its throttle (Traefik v3.6.12,
// pkg/provider/aggregator), and takes a while to load and apply it.
func (r Record) settle() time.Duration { return max(defaultThrottle, r.Throttle) + loadTime }

// clone returns a copy that shares nothing that changes with the record.
func (r Record) clone() Record {
	r.Nodes, r.Going, r.Fenced = slices.Clone(r.Nodes), slices.Clone(r.Going), slices.Clone(r.Fenced)
	r.Addresses = slices.Clone(r.Addresses)
	return r
}
