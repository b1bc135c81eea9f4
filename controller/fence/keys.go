package fence

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// Keys are where instances of draingate keep records and their presence in
// Consul's KV store.
type Keys struct {
	// Prefix is what all of them begin with; it ends with a slash.
	Prefix string
}

// KeysUnder returns the keys that lie below the one of the leader's lock, so that
// two elections never share one.
func KeysUnder(leaderKey string) Keys { return Keys{Prefix: strings.Trim(leaderKey, "/") + "/"} }

// Records is what the keys of all records begin with.
func (k Keys) Records() string { return k.Prefix + "fences/" }

// Record is the key of a deployment's record. Nomad's namespaces and IDs have
// no slash (nomad/structs/structs.go, validNamespaceName, v1.11.3).
func (k Keys) Record(d model.Key) string { return k.Records() + d.Namespace + "/" + d.Deployment }

// Presences is what the keys of all presences begin with.
func (k Keys) Presences() string { return k.Prefix + "nodes/" }

// Presence is the key with which an instance says that it is present on the
// node of a Consul agent.
func (k Keys) Presence(node, instance string) string { return k.Presences() + node + "/" + instance }

// presence is the value of such a key.
type presence struct {
	// Acks has the mark of each record whose services on the node are all in
	// maintenance, by deployment.
	Acks map[string]string `json:"acks,omitempty"`
	// Problem says what the instance cannot do; empty where it can do all.
	Problem string `json:"problem,omitempty"`
}

// EncodePresence returns the value of a presence with what it acknowledges: the
// mark of each record by its deployment; and with what keeps the instance from
// fencing, for people, empty where nothing does.
func EncodePresence(acks map[string]string, problem string) ([]byte, error) {
	out, err := json.Marshal(presence{Acks: acks, Problem: problem})
	if err != nil {
		return nil, fmt.Errorf("encode the presence of this instance: %w", err)
	}
	return out, nil
}

// Fencers reads, from all that is stored below the prefix, on which nodes an
// instance is present, with the marks of the deployment's record that it
// acknowledged, sorted. A presence without a live session is none, and one that
// cannot be read acknowledges nothing.
func (k Keys) Fencers(stored []model.Stored, deployment string) map[string][]string {
	out := map[string][]string{}
	k.present(stored, func(node string, p presence) {
		marks := out[node]
		if mark := p.Acks[deployment]; mark != "" {
			marks = append(marks, mark)
		}
		slices.Sort(marks)
		out[node] = slices.Compact(marks)
	})
	return out
}

// Problems reads what keeps instances from fencing on their nodes, by node; it
// has no node on which nothing does.
func (k Keys) Problems(stored []model.Stored) map[string]string {
	out := map[string]string{}
	k.present(stored, func(node string, p presence) {
		if p.Problem != "" {
			out[node] = p.Problem
		}
	})
	return out
}

// present calls each with every instance that is present.
func (k Keys) present(stored []model.Stored, each func(node string, p presence)) {
	for _, s := range stored {
		node, present := s.PresentOn(k.Presences())
		if !present {
			continue
		}
		var p presence
		if err := json.Unmarshal(s.Value, &p); err != nil {
			p = presence{}
		}
		each(node, p)
	}
}

// Held reads all records from what is stored below the prefix, sorted by
// deployment. One that cannot be understood makes the whole list unknown: what
// it fences could not be told from what nothing fences.
func (k Keys) Held(stored []model.Stored) ([]Held, error) {
	found := map[string]Held{}
	for _, s := range stored {
		if !strings.HasPrefix(s.Key, k.Records()) {
			continue
		}
		r, err := Decode(s.Value)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", s.Key, err)
		}
		if k.Record(r.Key()) != s.Key {
			return nil, fmt.Errorf("key %s: it holds the record of deployment %s in namespace %q", s.Key, r.Deployment, r.Namespace)
		}
		found[s.Key] = Held{Record: r, Locked: s.Session != ""}
	}
	out := make([]Held, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[key])
	}
	return out, nil
}
