package park

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Keys are where instances of draingate keep the records of parks, and say what
// they do for them, in Consul's KV store.
type Keys struct {
	// Prefix is what all of them begin with; it ends with a slash.
	Prefix string
}

// KeysUnder returns the keys that lie below the one of the leader's lock, so that
// two elections never share one.
func KeysUnder(leaderKey string) Keys { return Keys{Prefix: strings.Trim(leaderKey, "/") + "/parks/"} }

// Records is what the keys of all records begin with.
func (k Keys) Records() string { return k.Prefix + "services/" }

// Record is the key of a service's record. A name has letters, digits and dashes
// only, or Consul refuses it in DNS; a slash could not be told from another key.
func (k Keys) Record(service string) string { return k.Records() + service }

// Parkers is what the keys of all presences begin with.
func (k Keys) Parkers() string { return k.Prefix + "nodes/" }

// Parker is the key with which an instance says that it is present on the node of
// a Consul agent.
func (k Keys) Parker(node, instance string) string {
	return k.Parkers() + node + "/" + strings.ReplaceAll(instance, "/", "-")
}

// Presence is what an instance says of itself for as long as it lives.
type Presence struct {
	// Instance is its name.
	Instance string `json:"instance"`
	// Lots are what it keeps open, by service.
	Lots map[string]Lot `json:"lots,omitempty"`
	// Problem says what the instance cannot do; empty where it can do all.
	Problem string `json:"problem,omitempty"`
}

// Lot is what an instance does for one service.
type Lot struct {
	// Mark is that of the record that it acts on.
	Mark string `json:"mark"`
	// Address is where its placeholder listens, as host:port.
	Address string `json:"address"`
	// State says how far it is.
	State LotState `json:"state"`
	// Waiting are the requests that wait now.
	Waiting int `json:"waiting,omitempty"`
	// Figures are what its listener did.
	Figures Figures `json:"figures,omitzero"`
}

// Figures are what the listener of a lot did with requests since it was opened.
type Figures struct {
	// Peak is the most that waited at once, Longest the longest wait of one that
	// ended, however it did, in nanoseconds.
	Peak    int           `json:"peak,omitempty"`
	Longest time.Duration `json:"longest,omitempty"`
	// UnderWay are those at an instance now, Upgrades those of them that have
	// changed their protocol.
	UnderWay int `json:"underWay,omitempty"`
	Upgrades int `json:"upgrades,omitempty"`
	// Forwarded went to an instance at once, Released after a wait.
	Forwarded uint64 `json:"forwarded,omitempty"`
	Released  uint64 `json:"released,omitempty"`
	// Refused were over a bound, and Expired waited for as long as they may or until
	// nothing was waited for any more: nothing of them was sent.
	Refused uint64 `json:"refused,omitempty"`
	Expired uint64 `json:"expired,omitempty"`
	// Gone are those whose client left before anything was sent, Failed those that were
	// sent and never answered.
	Gone   uint64 `json:"gone,omitempty"`
	Failed uint64 `json:"failed,omitempty"`
}

// LotState says how far an instance is with a lot.
type LotState string

// The states of a lot, in their order.
const (
	// LotIn: the placeholder is registered, and what it asks for is fenced.
	LotIn LotState = "in"
	// LotLeft: the placeholder is registered no more, and its listener goes on.
	LotLeft LotState = "left"
	// LotClosed: the listener took its last request.
	LotClosed LotState = "closed"
)

// EncodePresence returns the value of a presence.
func EncodePresence(p Presence) ([]byte, error) {
	out, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode the presence of this instance: %w", err)
	}
	return out, nil
}

// ReadParkers reads, from all that is stored below the prefix, what instance is
// present on each node. A presence without a live session is none. Of several on one node
// the one whose key comes last stands for it.
func (k Keys) ReadParkers(stored []model.Stored) map[string]Presence {
	out := map[string]Presence{}
	for _, s := range stored {
		node, present := s.PresentOn(k.Parkers())
		if !present {
			continue
		}
		var p Presence
		if err := json.Unmarshal(s.Value, &p); err != nil {
			p = Presence{Problem: "its presence cannot be read: another version of draingate may have written it"}
		}
		out[node] = p
	}
	return out
}

// ReadRecords reads all records from what is stored below the prefix, with the
// index of each, sorted by service. One that cannot be understood makes the whole list
// unknown: what is parked for could not be told from what is not.
func (k Keys) ReadRecords(stored []model.Stored) ([]Stored, error) {
	found := map[string]Stored{}
	for _, s := range stored {
		if !strings.HasPrefix(s.Key, k.Records()) {
			continue
		}
		r, err := Decode(s.Value)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", s.Key, err)
		}
		if k.Record(r.Service) != s.Key {
			return nil, fmt.Errorf("key %s: it holds the record of service %q", s.Key, r.Service)
		}
		found[s.Key] = Stored{Record: r, Index: s.Index}
	}
	out := make([]Stored, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[key])
	}
	return out, nil
}

// Stored is a record as it was read.
type Stored struct {
	Record
	// Index moves with every change of its key.
	Index uint64
}

// The parts of the ID of a placeholder in Consul: Nomad owns none that begins so
// (isNomadService, command/agent/consul/service_client.go, v1.11.3).
const (
	placeholderPrefix = "_draingate-park-"
	ofNode            = "~"
)

// Placeholder is the ID of a service's placeholder at the agent of a node. It has
// the node's name, since proxies are told apart by IDs alone, and names the election where that
// is not the usual one, whose placeholders are not ours to touch.
func (k Keys) Placeholder(service, node string) string {
	return placeholderPrefix + service + ofNode + node + k.ofElection()
}

// IsPlaceholder reports whether a service ID is that of any election's
// placeholder.
func IsPlaceholder(serviceID string) bool { return strings.HasPrefix(serviceID, placeholderPrefix) }

// PlaceholderOf returns the service that a placeholder of this election stands
// for at the agent of a node, by its ID.
func (k Keys) PlaceholderOf(serviceID, node string) (service string, ours bool) {
	service, ours = strings.CutPrefix(serviceID, placeholderPrefix)
	if !ours {
		return "", false
	}
	service, ours = strings.CutSuffix(service, ofNode+node+k.ofElection())
	return service, ours && service != ""
}

// reasonPrefix begins the reason of a maintenance.
const reasonPrefix = "draingate-pause/"

func (k Keys) ofElection() string { return model.OfElection(strings.TrimSuffix(k.Prefix, "/parks/")) }

// Reason is the reason of the maintenance in which the real instances of a paused
// service are.
func (k Keys) Reason(service string) string { return reasonPrefix + service + k.ofElection() }

// Ours returns the service for whose pause a maintenance with the reason was set
// by this election, and false for any other maintenance.
func (k Keys) Ours(reason string) (service string, ours bool) {
	service, ours = strings.CutPrefix(reason, reasonPrefix)
	service = model.OfAnyElection(service)
	return service, ours && service != "" && k.Reason(service) == reason
}
