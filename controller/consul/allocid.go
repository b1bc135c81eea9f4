package consul

import "regexp"

var nomadServiceID = regexp.MustCompile(`^_nomad-task-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-.`)

// AllocID returns the ID of the Nomad allocation that registered an instance,
// or an empty string where Nomad did not. Nomad writes it nowhere but into the
// service ID: _nomad-task-ALLOCATION-WORKLOAD-SERVICE-PORT
// (client/serviceregistration/id.go, v1.11.3).
func AllocID(serviceID string) string {
	if m := nomadServiceID.FindStringSubmatch(serviceID); m != nil {
		return m[1]
	}
	return ""
}
