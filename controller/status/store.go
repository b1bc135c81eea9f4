package status

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// What the store keeps of deployments that Nomad will never change again.
// Those that are still running are kept without a limit.
const (
	MaxTerminal    = 100
	MaxTerminalAge = 24 * time.Hour
)

// Store holds the latest record of each deployment. It is safe for concurrent
// use. Make one with NewStore.
type Store struct {
	mu      sync.RWMutex
	entries map[model.Key]entry
	events  *events
}

// entry is a record and, for a terminal deployment, when it was first seen so.
type entry struct {
	record model.Record
	ended  time.Time
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{entries: map[model.Key]entry{}, events: newEvents()} }

// Record takes in the outcome of one pass. It fills in when the decision and
// each condition last changed, overwriting what the caller put there, and
// remembers a promotion that later passes do not mention. A change is dated by
// the observation that showed it. It returns what changed, and never waits for
// those that follow the events.
func (s *Store) Record(r model.Record) []Event {
	now := time.Now()
	if r.Observed.IsZero() {
		r.Observed = now
	}
	r = clone(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.entries[r.Key]
	next := entry{record: carry(old.record, known, r)}
	if terminal(r.Status) {
		next.ended = now
		if !old.ended.IsZero() {
			next.ended = old.ended
		}
	}
	s.entries[r.Key] = next
	// Under the lock, so that the events stand in the order of the records.
	changed := s.events.add(r.Key, changes(old.record, known, next.record))
	s.prune(now)
	return changed
}

// History returns the events of a deployment that are kept, the oldest first.
func (s *Store) History(key model.Key) []Event { return s.events.of(key) }

// Subscribers is the number of streams of events that are open.
func (s *Store) Subscribers() int { return s.events.count() }

// Forget drops the deployment, as when Nomad no longer knows it.
func (s *Store) Forget(key model.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(key)
}

func (s *Store) drop(key model.Key) {
	delete(s.entries, key)
	s.events.forget(key)
}

// Clear drops everything, as when another instance looks from now on.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.entries)
}

// Records returns copies of all records, sorted by namespace and job, the newest
// version of a job first.
func (s *Store) Records() []model.Record {
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]model.Record, 0, len(s.entries))
	for _, e := range s.entries {
		if !e.tooOld(now) {
			out = append(out, clone(e.record))
		}
	}
	slices.SortFunc(out, byJobNewestFirst)
	return out
}

// Keys returns the keys of a job's deployments that are of the version or of a later
// one, sorted.
func (s *Store) Keys(namespace, job string, from uint64) []model.Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []model.Key
	for key, e := range s.entries {
		if key.Namespace == namespace && e.record.JobID == job && e.record.JobVersion >= from {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b model.Key) int { return cmp.Compare(a.String(), b.String()) })
	return out
}

// prune drops terminal deployments that are too old or too many, oldest first.
func (s *Store) prune(now time.Time) {
	var ended []model.Key
	for key, e := range s.entries {
		switch {
		case e.tooOld(now):
			s.drop(key)
		case !e.ended.IsZero():
			ended = append(ended, key)
		}
	}
	if len(ended) <= MaxTerminal {
		return
	}
	slices.SortFunc(ended, func(a, b model.Key) int {
		return cmp.Or(s.entries[a].ended.Compare(s.entries[b].ended), cmp.Compare(a.String(), b.String()))
	})
	for _, key := range ended[:len(ended)-MaxTerminal] {
		s.drop(key)
	}
}

func (e entry) tooOld(now time.Time) bool {
	return !e.ended.IsZero() && now.Sub(e.ended) > MaxTerminalAge
}

func terminal(status string) bool { return model.Deployment{Status: status}.Terminal() }

// carry returns the record with every date that the previous one settles.
func carry(old model.Record, known bool, r model.Record) model.Record {
	r.Since = r.Observed
	if known && old.Decision.Verb == r.Decision.Verb && old.Decision.Reason == r.Decision.Reason {
		r.Since = old.Since
	}
	if r.PromotedAt.IsZero() {
		r.PromotedAt = old.PromotedAt
	}
	if r.JobID == "" {
		// Nomad has forgotten the deployment; what it was of has not changed.
		r.JobID, r.JobVersion, r.Status, r.Groups = old.JobID, old.JobVersion, old.Status, old.Groups
	}
	carryConditions(old.Decision.Conditions, r.Decision.Conditions, r.Observed)
	return r
}

// carryConditions dates each condition.
func carryConditions(old, now []model.Condition, observed time.Time) {
	before := byPlace(old)
	for i, p := range places(now) {
		now[i].Since = observed
		if b, ok := before[p]; ok && b.Status == now[i].Status {
			now[i].Since = b.Since
		}
	}
}

// place tells conditions apart: a type may stand there more than once; its
// first is then compared with the first before, and so on.
type place struct {
	kind model.ConditionType
	n    int
}

func places(list []model.Condition) []place {
	out := make([]place, 0, len(list))
	count := map[model.ConditionType]int{}
	for _, c := range list {
		out = append(out, place{c.Type, count[c.Type]})
		count[c.Type]++
	}
	return out
}

func byPlace(list []model.Condition) map[place]model.Condition {
	out := make(map[place]model.Condition, len(list))
	for i, p := range places(list) {
		out[p] = list[i]
	}
	return out
}

func byJobNewestFirst(a, b model.Record) int {
	return cmp.Or(
		cmp.Compare(a.Key.Namespace, b.Key.Namespace),
		cmp.Compare(a.JobID, b.JobID),
		cmp.Compare(b.JobVersion, a.JobVersion),
		b.Since.Compare(a.Since),
		cmp.Compare(a.Key.Deployment, b.Key.Deployment),
	)
}

// clone copies everything that a record reaches, so that neither the loop nor
// a reader can change what the other sees.
func clone(r model.Record) model.Record {
	d := &r.Decision
	r.Groups = slices.Clone(r.Groups)
	for i := range r.Groups {
		r.Groups[i].PlacedCanaries = slices.Clone(r.Groups[i].PlacedCanaries)
	}
	d.Groups = slices.Clone(d.Groups)
	d.Conditions = slices.Clone(d.Conditions)
	d.Windows = slices.Clone(d.Windows)
	for i := range d.Windows {
		d.Windows[i].STerms = slices.Clone(d.Windows[i].STerms)
		d.Windows[i].TTerms = slices.Clone(d.Windows[i].TTerms)
	}
	return r
}
