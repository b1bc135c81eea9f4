package model

// The values of draingate_fence.
const (
	// FenceAuto fences where the drain is not proven to be long enough.
	FenceAuto = "auto"
	// FenceAlways fences whatever is proven.
	FenceAlways = "always"
	// FenceNever never fences.
	FenceNever = "never"
)

// FenceFacts are what instances of draingate say to each other about the fence
// of one deployment.
type FenceFacts struct {
	// Fencers are the Consul agents on whose node an instance of draingate is
	// present, with the marks of the deployment's record that it acknowledged.
	Fencers map[string][]string
	// Problems say what keeps the instance on a node from fencing, by node.
	Problems map[string]string
	// Record is the deployment's record as it is stored; nil where there is none.
	Record *Stored
}

// The IDs of the checks with which Consul keeps a service, or a whole node, in
// maintenance: the first with the ID of the service behind it
// (agent/structs/structs.go, v1.22.3). Their notes hold the reason.
const (
	ServiceMaintenance = "_service_maintenance:"
	NodeMaintenance    = "_node_maintenance"
)
