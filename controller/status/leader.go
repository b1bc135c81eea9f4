package status

import (
	"net/http"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Leadership is the answer of /v1/leader: who leads, as the instance that
// answers knows it.
type Leadership struct {
	// Leader is null where nobody is known to lead.
	Leader *Instance `json:"leader"`
	Self   Instance  `json:"self"`
	// Role is that of the instance that answers: leader, follower or candidate.
	Role string `json:"role"`
	// Problem says why it does not know who leads, or nobody does.
	Problem string `json:"problem,omitempty"`
}

// Instance is one draingate process.
type Instance struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Address is where the others reach its status endpoint, if they do.
	Address string `json:"address,omitempty"`
	// Since is when it took the lead; absent for one that does not lead.
	Since time.Time `json:"since,omitzero"`
}

// EncodeLeadership returns the leadership as /v1/leader shows it.
func EncodeLeadership(l model.Leadership) Leadership {
	out := Leadership{Self: encodeInstance(l.Self), Role: string(l.Role), Problem: scrub(l.Problem)}
	if l.Leader != (model.Instance{}) {
		leader := encodeInstance(l.Leader)
		out.Leader = &leader
	}
	return out
}

func encodeInstance(i model.Instance) Instance {
	return Instance{ID: scrub(i.ID), Name: scrub(i.Name), Address: scrub(i.Address), Since: i.Since}
}

func (h handler) leader(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, EncodeLeadership(h.Leadership()))
}
