package status

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// FenceList is the answer of /v1/fences: what is out of rotation because of
// draingate, and on which nodes it can be. Field names are stable;
// docs/status.md explains them.
type FenceList struct {
	// Fences are the records of all fences, sorted by namespace and deployment.
	Fences []Fence `json:"fences"`
	// Fencers are the instances of draingate that are present on a node, sorted
	// by node and instance.
	Fencers []Fencer `json:"fencers"`
}

// Fence is the record of one deployment's fence.
type Fence struct {
	Namespace  string `json:"namespace"`
	Deployment string `json:"deployment"`
	Job        string `json:"job"`
	// Step is fencing, armed or ended.
	Step string `json:"step"`
	// Call is what an armed fence is armed for: promote or resume.
	Call string `json:"call,omitempty"`
	// Owner is the instance that wrote it last, and Locked is true while a session
	// of a leader holds it.
	Owner  string `json:"owner"`
	Locked bool   `json:"locked"`
	// Set are the instances that are to be out of rotation; Kept are those that
	// were told to stop, whose fences end with them.
	Set  []FencedInstance `json:"set"`
	Kept []FencedInstance `json:"kept"`
	// Pause is true where a pause of the deployment, if there is one, is
	// draingate's; Rolling is true where Nomad stops the rest batch by batch.
	Pause   bool `json:"pause"`
	Rolling bool `json:"rolling"`
	// Reason and Message say why it came to nothing; empty where it did not.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Written is when it was written, by the clock of the writer.
	Written time.Time `json:"written,omitzero"`
}

// FencedInstance is one allocation with all of its routed services.
type FencedInstance struct {
	Allocation string `json:"allocation"`
	Name       string `json:"name"`
	Group      string `json:"group"`
	// Node is the name of the Consul agent that the services are registered with.
	Node     string   `json:"node"`
	Services []string `json:"services"`
}

// Fencer is an instance of draingate on the node of a Consul agent.
type Fencer struct {
	Node     string `json:"node"`
	Instance string `json:"instance"`
	// Acknowledged are the deployments whose fence, as it stands, the instance has
	// carried out on its node.
	Acknowledged []string `json:"acknowledged"`
}

// LocalFence is a service of one Consul agent that is in maintenance because of
// the fence of a deployment.
type LocalFence struct {
	Service    string
	Deployment string
}

// scrubbed is the list without credentials of URLs, which messages may quote,
// and without null for what is empty.
func (l FenceList) scrubbed() FenceList {
	return FenceList{Fences: each(l.Fences, Fence.scrubbed), Fencers: each(l.Fencers, func(f Fencer) Fencer {
		return Fencer{Node: scrub(f.Node), Instance: scrub(f.Instance), Acknowledged: each(f.Acknowledged, scrub)}
	})}
}

func (f Fence) scrubbed() Fence {
	f.Job, f.Owner, f.Message, f.Written = scrub(f.Job), scrub(f.Owner), scrub(f.Message), utc(f.Written)
	f.Set, f.Kept = each(f.Set, FencedInstance.scrubbed), each(f.Kept, FencedInstance.scrubbed)
	return f
}

func (i FencedInstance) scrubbed() FencedInstance {
	i.Name, i.Group, i.Node, i.Services = scrub(i.Name), scrub(i.Group), scrub(i.Node), each(i.Services, scrub)
	return i
}

// fences is answered by each instance itself, so that it can be asked while
// nobody leads.
func (h handler) fences(w http.ResponseWriter, _ *http.Request) {
	var list FenceList
	if h.Fences != nil {
		var err error
		if list, err = h.Fences(); err != nil {
			fail(w, http.StatusServiceUnavailable, "which fences there are is not known: "+scrub(err.Error()))
			return
		}
	}
	answer(w, http.StatusOK, list.scrubbed())
}

// Fences returns the records of all fences and the instances that can carry
// them out.
func (c *Client) Fences(ctx context.Context) (FenceList, error) {
	var out FenceList
	return out, c.get(ctx, &out, "v1", "fences")
}

// In returns the list with the fences of one namespace; of all for "".
func (l FenceList) In(namespace string) FenceList {
	if namespace != "" {
		l.Fences = slices.DeleteFunc(slices.Clone(l.Fences), func(f Fence) bool { return f.Namespace != namespace })
	}
	return l
}
