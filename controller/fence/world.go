package fence

import (
	"time"

	"github.com/draingate/draingate/controller/model"
)

// World is one deployment as it was read in one pass of the leader.
type World struct {
	// Blind says what could not be read, or contradicts; empty where all is known.
	Blind string
	// Gone is true where Nomad does not know the deployment any more.
	Gone   bool
	Status string
	// Read is when the read of the deployment began.
	Read   time.Time
	Groups []Group
	// Instances are the allocations of the groups, of every version, without
	// those that ended before the deployment began.
	Instances []Instance
	// Fencers are the Consul agents on whose node an instance of draingate is
	// present, with the marks of this deployment's record that it acknowledged.
	Fencers map[string][]string
	// Problems say what keeps the instance on a node from fencing, by node.
	Problems map[string]string
	// Wanted is true where the deployment is to be fenced; Unwanted says why not.
	Wanted   bool
	Unwanted string
	// Against is what speaks against relying on the new instances; the zero
	// Finding is nothing.
	Against Finding
	// ProgressBy is the earliest time at which Nomad fails the deployment for
	// want of progress; zero where it is not known.
	ProgressBy time.Time
	// Longest is L, the longest request that may be under way to an old instance.
	Longest time.Duration
	// Reload is how long a proxy may need to put into force what it has read.
	Reload time.Duration
}

// Finding is a reason with its message.
type Finding struct {
	Reason  model.Reason
	Message string
}

// Group is a task group of the deployment, in Nomad's own words.
type Group struct {
	Name                       string
	Count                      int
	Canaries                   int
	MaxParallel                int
	Promoted                   bool
	Total, Placed, HealthyOnes int
}

// Instance is one allocation.
type Instance struct {
	Target
	// Version is the version of the job that it runs.
	Version uint64
	// New is true for one of this deployment, Canary for a canary of it.
	New, Canary bool
	// Stopping is true once Nomad has told it to stop, Ended once it has.
	Stopping, Ended bool
	// Unsure says why it is not known what Nomad does with it: it migrates, is
	// lost or unknown, or waits to be rescheduled. Empty where nothing is amiss.
	Unsure string
	// Good is true where it runs, is passing in the catalog and is listed by
	// every proxy in every pool that it belongs to.
	Good bool
	// Listed is true where every proxy lists it in every pool that it belongs to,
	// whatever its status.
	Listed bool
	// Out is true where each of its routed services is in maintenance in the
	// catalog, whoever set it; Ours where one of these is draingate's.
	Out, Ours bool
	// Sign changes with each change of these maintenances in the catalog.
	Sign string
	// RoutedBy is a proxy that may send it requests; empty where none does. A
	// proxy that lists it as DOWN may.
	RoutedBy string
}

// live reports whether the instance runs and was not told to stop.
func (i Instance) live() bool { return !i.Stopping && !i.Ended }

// over reports whether Nomad will not change the deployment any more.
func (w World) over() bool {
	return w.Gone || w.Status == model.DeploymentSuccessful || w.Status == model.DeploymentFailed || w.Status == model.DeploymentCancelled
}

// promoted reports whether a group that had canaries is promoted.
func (w World) promoted() bool {
	for _, g := range w.Groups {
		if g.Canaries > 0 && g.Promoted {
			return true
		}
	}
	return false
}

// instance returns the allocation, or nil where it is not known any more.
func (w World) instance(alloc string) *Instance {
	for i := range w.Instances {
		if w.Instances[i].Alloc == alloc {
			return &w.Instances[i]
		}
	}
	return nil
}

// leaves reports whether the allocation was told to stop, or has ended.
func (w World) leaves(alloc string) bool {
	i := w.instance(alloc)
	return i == nil || !i.live()
}

// olds counts the old allocations that are still to be stopped in the groups
// that had canaries.
func (w World) olds() int {
	n := 0
	for _, g := range w.Groups {
		if g.Canaries > 0 {
			n += len(w.old(g.Name))
		}
	}
	return n
}

// old are the old allocations of a group that live.
func (w World) old(group string) []Instance {
	var out []Instance
	for _, i := range w.Instances {
		if i.Group == group && !i.New && i.live() {
			out = append(out, i)
		}
	}
	return out
}
