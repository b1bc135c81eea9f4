package nomad

import (
	"maps"
	"slices"
	"strings"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

func compareKeys(a, b model.Key) int { return strings.Compare(a.String(), b.String()) }

// value is what p points at, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func convertDeployment(d *nomadapi.Deployment) model.Deployment {
	out := model.Deployment{
		ID:                d.ID,
		Namespace:         d.Namespace,
		JobID:             d.JobID,
		JobVersion:        d.JobVersion,
		Status:            d.Status,
		StatusDescription: d.StatusDescription,
		Multiregion:       d.IsMultiregion,
	}
	for _, name := range slices.Sorted(maps.Keys(d.TaskGroups)) {
		out.Groups = append(out.Groups, convertState(name, value(d.TaskGroups[name])))
	}
	return out
}

func convertState(name string, s nomadapi.DeploymentState) model.DeploymentGroup {
	return model.DeploymentGroup{
		Name:            name,
		Promoted:        s.Promoted,
		DesiredCanaries: s.DesiredCanaries,
		DesiredTotal:    s.DesiredTotal,
		PlacedCanaries:  slices.Sorted(slices.Values(s.PlacedCanaries)),
		PlacedAllocs:    s.PlacedAllocs,
		HealthyAllocs:   s.HealthyAllocs,
		UnhealthyAllocs: s.UnhealthyAllocs,
		ProgressBy:      s.RequireProgressBy.UTC(),
	}
}

func withoutNils[T any](in []*T) []*T {
	return slices.DeleteFunc(in, func(p *T) bool { return p == nil })
}

func convertAllocation(a *nomadapi.Allocation) model.Allocation {
	return model.Allocation{
		ID:            a.ID,
		Name:          a.Name,
		Namespace:     a.Namespace,
		JobID:         a.JobID,
		Group:         a.TaskGroup,
		NodeID:        a.NodeID,
		NodeName:      a.NodeName,
		DeploymentID:  a.DeploymentID,
		Canary:        value(a.DeploymentStatus).Canary,
		Health:        convertHealth(value(a.DeploymentStatus).Healthy),
		ClientStatus:  a.ClientStatus,
		DesiredStatus: a.DesiredStatus,
		Migrating:     value(a.DesiredTransition.Migrate),
		CreateIndex:   a.CreateIndex,
		CreatedAt:     time.Unix(0, a.CreateTime).UTC(),
		ModifiedAt:    time.Unix(0, a.ModifyTime).UTC(),
		Job:           convert.Job(a.Job),
	}
}

// convertStub converts what a list says of an allocation: no deployment ID, no
// wish to migrate and no job.
func convertStub(a *nomadapi.AllocationListStub) model.Allocation {
	return model.Allocation{
		ID:            a.ID,
		Name:          a.Name,
		Namespace:     a.Namespace,
		JobID:         a.JobID,
		Group:         a.TaskGroup,
		NodeID:        a.NodeID,
		NodeName:      a.NodeName,
		Canary:        value(a.DeploymentStatus).Canary,
		Health:        convertHealth(value(a.DeploymentStatus).Healthy),
		ClientStatus:  a.ClientStatus,
		DesiredStatus: a.DesiredStatus,
		CreateIndex:   a.CreateIndex,
		CreatedAt:     time.Unix(0, a.CreateTime).UTC(),
		ModifiedAt:    time.Unix(0, a.ModifyTime).UTC(),
	}
}

func convertHealth(healthy *bool) model.Health {
	switch {
	case healthy == nil:
		return model.HealthUnset
	case *healthy:
		return model.HealthTrue
	default:
		return model.HealthFalse
	}
}
