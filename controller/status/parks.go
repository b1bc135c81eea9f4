package status

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// ParkList is the answer of /v1/parks: which services are parked for, and who can
// do so. Field names are stable; docs/status.md explains them.
type ParkList struct {
	// Parks are sorted by service.
	Parks []Park `json:"parks"`
	// Parkers are the instances of draingate that are present on a node, sorted by
	// node and instance.
	Parkers []Parker `json:"parkers"`
	// Problem says why whoever answers begins no park; empty where it would.
	Problem string `json:"problem,omitempty"`
	// Now is when it answered, by its own clock.
	Now time.Time `json:"now"`
}

// Park is how the park of one service stands.
type Park struct {
	Service    string `json:"service"`
	Namespace  string `json:"namespace,omitempty"`
	Job        string `json:"job,omitempty"`
	Group      string `json:"group,omitempty"`
	JobVersion uint64 `json:"jobVersion"`
	// Step is parking, leaving, out or over; empty where the service is to be parked
	// for and is not, which Reason and Message explain.
	Step    string `json:"step"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// ByHand is true for a pause that a person asked for.
	ByHand bool `json:"byHand"`
	// LongestWait is the longest that one request waits.
	LongestWait Duration `json:"longestWait"`
	// Nodes are those that park, sorted.
	Nodes []ParkNode `json:"nodes"`
	// Fenced are the instances that a pause has in Consul's maintenance, sorted.
	Fenced []ParkedInstance `json:"fenced"`
	// Going are the instances that were told to stop.
	Going []GoingInstance `json:"going"`
	Owner string          `json:"owner,omitempty"`
	// Since is when its step began, Gap since when there is no instance to pass
	// requests to, Until when it ends by itself; each absent where it is not so.
	Since time.Time `json:"since,omitzero"`
	Gap   time.Time `json:"gap,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// ParkNode is what the instance of one node does for a park. Its figures are as
// old as a second.
type ParkNode struct {
	Node string `json:"node"`
	// Address is where its placeholder listens; empty until it does.
	Address string `json:"address"`
	// State is in, left or closed; empty while it has not acted on the record as it
	// stands.
	State string `json:"state"`
	// Present is true where an instance of draingate is on the node.
	Present bool `json:"present"`
	// Waiting are the requests that wait now, Peak the most that waited at once, and
	// Longest the longest wait that ended.
	Waiting int      `json:"waiting"`
	Peak    int      `json:"peak"`
	Longest Duration `json:"longest"`
	// UnderWay are at an instance now, Upgrades those of them that have changed their
	// protocol.
	UnderWay int `json:"underWay"`
	Upgrades int `json:"upgrades"`
	// Forwarded went to an instance at once, Released after a wait; Refused were
	// over a bound, Expired waited for too long; Gone lost their client, Failed got no
	// answer.
	Forwarded uint64 `json:"forwarded"`
	Released  uint64 `json:"released"`
	Refused   uint64 `json:"refused"`
	Expired   uint64 `json:"expired"`
	Gone      uint64 `json:"gone"`
	Failed    uint64 `json:"failed"`
}

// ParkedInstance is a service instance at its Consul agent.
type ParkedInstance struct {
	Node string `json:"node"`
	ID   string `json:"id"`
}

// GoingInstance is an instance that was told to stop.
type GoingInstance struct {
	Allocation string `json:"allocation"`
	Address    string `json:"address"`
	// Until is when nothing more is sent to it; absent where only the catalog tells.
	Until time.Time `json:"until,omitzero"`
}

// Parker is an instance of draingate that can park on the node of a Consul agent.
type Parker struct {
	Node     string `json:"node"`
	Instance string `json:"instance"`
	// Services are those that it has a listener for, sorted.
	Services []string `json:"services"`
	// Problem says what it cannot do; empty where it can do all.
	Problem string `json:"problem,omitempty"`
}

// Seconds returns a duration as the endpoint shows it.
func Seconds(d time.Duration) Duration { return encodeDuration(d) }

// scrubbed is the list without credentials of URLs, which messages may quote,
// and without null for what is empty.
func (l ParkList) scrubbed() ParkList {
	return ParkList{Parks: each(l.Parks, Park.scrubbed), Parkers: each(l.Parkers, func(p Parker) Parker {
		return Parker{Node: scrub(p.Node), Instance: scrub(p.Instance), Services: each(p.Services, scrub), Problem: scrub(p.Problem)}
	}), Problem: scrub(l.Problem), Now: l.Now.UTC()}
}

func (p Park) scrubbed() Park {
	p.Job, p.Owner, p.Message = scrub(p.Job), scrub(p.Owner), scrub(p.Message)
	p.Since, p.Gap, p.Until = utc(p.Since), utc(p.Gap), utc(p.Until)
	p.Nodes = each(p.Nodes, func(n ParkNode) ParkNode { return n })
	p.Fenced = each(p.Fenced, func(i ParkedInstance) ParkedInstance { return i })
	p.Going = each(p.Going, func(g GoingInstance) GoingInstance { g.Until = utc(g.Until); return g })
	return p
}

func (h handler) parks(w http.ResponseWriter, _ *http.Request) {
	list := ParkList{Problem: "no services are parked for here", Now: time.Now()}
	if h.Parks != nil {
		var err error
		if list, err = h.Parks(); err != nil {
			fail(w, http.StatusServiceUnavailable, "which services are parked for is not known: "+scrub(err.Error()))
			return
		}
	}
	answer(w, http.StatusOK, list.scrubbed())
}

// Parks returns how all parks stand.
func (c *Client) Parks(ctx context.Context) (ParkList, error) {
	var out ParkList
	return out, c.get(ctx, &out, "v1", "parks")
}

// Of returns the park of a service; nil where there is none.
func (l ParkList) Of(service string) *Park {
	i := slices.IndexFunc(l.Parks, func(p Park) bool { return p.Service == service })
	if i < 0 {
		return nil
	}
	return &l.Parks[i]
}

// In returns the list with the parks of one namespace; of all for "".
func (l ParkList) In(namespace string) ParkList {
	if namespace != "" {
		l.Parks = slices.DeleteFunc(slices.Clone(l.Parks), func(p Park) bool { return p.Namespace != namespace })
	}
	return l
}
