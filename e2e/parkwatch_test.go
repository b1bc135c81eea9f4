//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/e2e/harness"
)

// parkWatch follows what Consul knows of the park of a job.
type parkWatch struct {
	t   *testing.T
	s   *harness.Stack
	job harness.Sample
	key string

	mu    sync.Mutex
	last  parkSeen
	first map[string]time.Time
	ever  map[string]bool
}

// parkSeen is one reading.
type parkSeen struct {
	at time.Time
	// passing has the real instances, by service ID, and maintained those in
	// maintenance with its reason.
	passing    map[string]bool
	maintained map[string]string
	// placeholders have the addresses of the placeholders, by ID; alive those that
	// pass.
	placeholders, alive map[string]string
	// records have the step of each record below the election's key, by service.
	records map[string]string
	// waiting is how many requests instances said to have waiting.
	waiting int
}

func watchPark(t *testing.T, s *harness.Stack, job harness.Sample, key string) *parkWatch {
	t.Helper()
	w := &parkWatch{t: t, s: s, job: job, key: key, first: map[string]time.Time{}, ever: map[string]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			w.look(ctx)
		}
	})
	t.Cleanup(func() { cancel(); watching.Wait() })
	return w
}

// look reads once. What cannot be read is read again the next time.
func (w *parkWatch) look(ctx context.Context) {
	defer time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	options := (&consul.QueryOptions{RequireConsistent: true}).WithContext(ctx)
	entries, _, err := w.s.Consul.Health().Service(w.job.Name, "", false, options)
	if err != nil {
		return
	}
	pairs, _, err := w.s.Consul.KV().List(w.key+"/parks/", options)
	if err != nil {
		return
	}
	w.take(entries, pairs)
}

func (w *parkWatch) take(entries []*consul.ServiceEntry, pairs consul.KVPairs) {
	seen := parkSeen{
		at: time.Now(), passing: map[string]bool{}, maintained: map[string]string{}, placeholders: map[string]string{},
		alive: map[string]string{}, records: map[string]string{},
	}
	for _, e := range entries {
		seen.entry(e)
	}
	for _, p := range pairs {
		seen.pair(w.key, p)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, passes := range seen.passing {
		if passes && w.first[id].IsZero() {
			w.first[id] = seen.at
		}
	}
	for _, address := range seen.placeholders {
		w.ever[address] = true
	}
	w.last = seen
}

func (s *parkSeen) entry(e *consul.ServiceEntry) {
	address := fmt.Sprintf("%s:%d", e.Service.Address, e.Service.Port)
	passes := e.Checks.AggregatedStatus() == consul.HealthPassing
	if strings.HasPrefix(e.Service.ID, "_draingate-park-") {
		s.placeholders[e.Service.ID] = address
		if passes {
			s.alive[e.Service.ID] = address
		}
		return
	}
	s.passing[e.Service.ID] = passes
	for _, check := range e.Checks {
		if strings.HasPrefix(check.CheckID, "_service_maintenance:") {
			s.maintained[e.Service.ID] = check.Notes
		}
	}
}

func (s *parkSeen) pair(key string, p *consul.KVPair) {
	if name, is := strings.CutPrefix(p.Key, key+"/parks/services/"); is {
		var record struct{ Step string }
		_ = json.Unmarshal(p.Value, &record) // what cannot be read is a record all the same
		s.records[name] = record.Step
		return
	}
	var presence struct {
		Lots map[string]struct{ Waiting int }
	}
	_ = json.Unmarshal(p.Value, &presence)
	for _, lot := range presence.Lots {
		s.waiting += lot.Waiting
	}
}

func (w *parkWatch) now() parkSeen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// addresses are those that any placeholder ever had.
func (w *parkWatch) addresses() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.ever))
}

// firstPassing is when the instance of an allocation was first seen passing.
func (w *parkWatch) firstPassing(alloc string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.first {
		if strings.Contains(id, alloc) {
			return at
		}
	}
	return time.Time{}
}

// until waits for what must come true, and returns when that was seen.
func (w *parkWatch) until(d time.Duration, what string, cond func(parkSeen) bool) parkSeen {
	w.t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if seen := w.now(); !seen.at.IsZero() && cond(seen) {
			return seen
		}
	}
	w.t.Fatalf("not within %s: %s; last seen %+v", d, what, w.now())
	return parkSeen{}
}
