package model

// Consul's aggregated statuses of a service instance.
const (
	StatusPassing     = "passing"
	StatusWarning     = "warning"
	StatusCritical    = "critical"
	StatusMaintenance = "maintenance"
)

// Registration is a service instance in Consul's catalog with its checks.
type Registration struct {
	ServiceID   string
	ServiceName string
	// AllocID is the Nomad allocation that registered the instance, read
	// from the service ID; empty for an instance that Nomad did not register.
	AllocID string
	Node    string
	// Address is the service's address, else the node's.
	Address string
	Port    int
	Tags    []string
	Meta    map[string]string
	// Status is the worst of all checks of the node and the instance:
	// maintenance, critical, warning or passing (consul/api, AggregatedStatus).
	// It is passing where there is no check at all: look at Checks.
	Status string
	// Checks holds the node's checks and the instance's, sorted by ID.
	Checks []CheckStatus
}

// ServiceChecks counts the checks of the instance itself, leaving out those of
// its node.
func (r Registration) ServiceChecks() int {
	n := 0
	for _, c := range r.Checks {
		if c.ServiceID != "" {
			n++
		}
	}
	return n
}

// CheckStatus is the state of one check.
type CheckStatus struct {
	ID   string
	Name string
	// ServiceID is empty for a check of the node.
	ServiceID string
	Status    string
	Output    string
	// Notes hold, for a maintenance, its reason.
	Notes string
	// ModifyIndex moves with every change, so that two equal readings with
	// different indexes show a blip that happened between them.
	ModifyIndex uint64
}
