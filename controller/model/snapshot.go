package model

import "time"

// Snapshot is everything that was read about one deployment in one pass.
type Snapshot struct {
	Key Key
	// Gone is true where Nomad answered that it has no such deployment: it was
	// garbage-collected, its job was purged, or the token may not see it.
	// Deployment is then not known either, so that a reader who does not look
	// here holds.
	Gone       bool
	Deployment Fact[Deployment]
	// Job is the job at the deployment's version.
	Job Fact[Job]
	// Overrides are what people wrote in Nomad Variables about the job.
	Overrides Fact[Overrides]
	// Allocations are those of the job, of every version, that Nomad still
	// knows and that are not both stopped and terminal long since.
	Allocations Fact[[]Allocation]
	// Catalog holds the instances of every service of the job, by service name.
	Catalog map[string]Fact[[]Registration]
	// Proxies is the proxy set. Unknown where the set itself could not be read.
	Proxies Fact[[]Proxy]
	// Load is the time that one full load of the catalog took, measured the
	// way Traefik does it: one list and one call for each service.
	Load Fact[Load]
	// Fence is what bears on taking old instances out of rotation. Not read where
	// nothing is fenced.
	Fence Fact[FenceFacts]
	// Region and Datacenter are the local ones, of the agent that was asked.
	Region     string
	Datacenter string
	// RegionErr says why Region and Datacenter are empty, where they are.
	RegionErr string
}

// Load is the measured duration of one full load of Consul's catalog.
type Load struct {
	Services int
	Took     time.Duration
}

// Allocation returns the allocation with the ID, or nil.
func (s *Snapshot) Allocation(id string) *Allocation {
	for i := range s.Allocations.Value {
		if s.Allocations.Value[i].ID == id {
			return &s.Allocations.Value[i]
		}
	}
	return nil
}
