package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// SystemJob says why a system job is not gated, or is empty for any other. A
// canary of a system job takes the place of the old allocation on its node
// (Nomad v1.11.3, scheduler/scheduler_system.go), so there is no moment at
// which both serve.
func SystemJob(j model.Job) string {
	if j.Type != model.JobTypeSystem {
		return ""
	}
	return "a system job is reported and not gated: each new allocation, a canary too, takes the place of the old one on its node before any promotion"
}

// NotService says why a job that is not a system job cannot be gated, or is
// empty.
func NotService(j model.Job) string {
	if j.Type == model.JobTypeService {
		return ""
	}
	return fmt.Sprintf("draingate gates service jobs, not jobs of type %q", j.Type)
}

// NotLocal says why a job is not within the region and datacenter that
// draingate sees, or is empty.
func NotLocal(j model.Job, region, datacenter string) string {
	switch {
	case j.Multiregion:
		return "other regions take part in the deployment and draingate sees one region only"
	case j.Region != region:
		return fmt.Sprintf("the job runs in region %q and draingate sees region %q; run a draingate there", j.Region, region)
	}
	for _, dc := range j.Datacenters {
		if dc != datacenter && dc != "*" {
			return fmt.Sprintf("the job may run in datacenter %q and draingate sees the Consul of datacenter %q only", dc, datacenter)
		}
	}
	return ""
}

// AutoPromote says why a group that promotes itself cannot be gated, or is
// empty. Nomad promotes in the same step in which the last canary turns
// healthy (Nomad v1.11.3, nomad/deploymentwatcher/deployment_watcher.go).
func AutoPromote(g model.Group) string {
	if !g.Update.AutoPromote {
		return ""
	}
	return fmt.Sprintf("group %q has auto_promote = true: Nomad promotes the moment the canaries are healthy and nobody can hold it; set update { auto_promote = false }", g.Name)
}

// ProviderNomad says why a service that is registered with Nomad cannot be
// gated, or is empty. Nomad's own catalog has no health at all (Nomad v1.11.3,
// nomad/structs/service_registration.go).
func ProviderNomad(s model.Service) string {
	if s.Provider == model.ProviderConsul {
		return ""
	}
	return fmt.Sprintf("service %q has provider = %q: that catalog carries no health, so a proxy routes to instances that are not ready; set provider = \"consul\"", s.Name, s.Provider)
}

// Connect says why a service with a connect block cannot be gated, or is empty.
func Connect(s model.Service) string {
	if !s.Connect {
		return ""
	}
	return fmt.Sprintf("service %q has a connect block: proxies reach it through the mesh, which draingate does not see", s.Name)
}

// NoCheck says what a routed service without any check means, or is empty: it
// counts as passing from the moment it is registered, before the process runs.
func NoCheck(s model.Service) string {
	if len(s.Checks) > 0 {
		return ""
	}
	return fmt.Sprintf("service %q has no check, so Consul calls it passing before the process has started; add a check on its readiness", s.Name)
}

// InitialStatusPassing says what a check that starts as passing means, or is
// empty: the instance is routed before the first run of the check.
func InitialStatusPassing(s model.Service) string {
	i := slices.IndexFunc(s.Checks, func(c model.Check) bool { return strings.EqualFold(c.InitialStatus, model.StatusPassing) })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("check %q of service %q has initial_status = \"passing\", so the instance is routed before it was ever checked; remove initial_status", s.Checks[i].Name, s.Name)
}
