//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/harness"
)

// serviceID is that of an instance's service in Consul, as Nomad names it.
func serviceID(job harness.Sample, i harness.Instance) string { return serviceOf(job.Name, i.AllocID) }

func serviceOf(name, alloc string) string {
	return fmt.Sprintf("_nomad-task-%s-group-web-%s-http", alloc, name)
}

// catalog is what Consul's catalog has of a job at one time.
type catalog struct {
	at time.Time
	// services has, for each registered instance by the ID of its service, the
	// reason of its maintenance, empty where it is in none.
	services map[string]string
	// passing are those of them that have no other check than passing ones.
	passing map[string]bool
	// told are those whose allocation had been told to stop before.
	told map[string]bool
}

// fenced are the services that draingate has in maintenance.
func (c catalog) fenced() []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(c.services)) {
		if strings.HasPrefix(c.services[id], "draingate/") {
			out = append(out, id)
		}
	}
	return out
}

// fenceWatch looks for itself, past draingate, at what becomes of the old
// instances of a job: in Consul's catalog and in Nomad with blocking queries, and
// in the proxies every 50 ms while one is out of rotation. It fails its case where
// draingate has another instance in maintenance, or lifts a fence from one that
// was told to stop.
type fenceWatch struct {
	t       *testing.T
	s       *harness.Stack
	job     harness.Sample
	through []*harness.Traefik
	end     context.CancelFunc
	looking sync.WaitGroup

	mu sync.Mutex
	// seen is the catalog by the name of the service.
	seen map[string]catalog
	// told are the services of instances that were told to stop.
	told map[string]bool
	old  map[string]*fencedOld
	// order is what happened to old instances.
	order []fenceEvent
	// busiest is the longest time that an answer of a proxy took.
	busiest time.Duration
	// fewest is the least number of instances that are passing, by service, since
	// the first was fenced and until all old ones were told to stop.
	fewest map[string]int
	// wrong is what spoke against stopping an instance when it was told to.
	wrong []string
}

// watchFence begins to look. It ends with close, or with the case.
func watchFence(t *testing.T, s *harness.Stack, job harness.Sample, old []harness.Instance, through []*harness.Traefik) *fenceWatch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &fenceWatch{t: t, s: s, job: job, through: through, end: cancel, seen: map[string]catalog{}, told: map[string]bool{}, old: map[string]*fencedOld{}, fewest: map[string]int{}}
	for _, i := range old {
		w.old[i.AllocID] = &fencedOld{Instance: i, out: map[string]bool{}, dropped: map[string]time.Time{}}
	}
	w.looking.Go(func() {
		_, _ = s.AwaitAllocations(ctx, job.Name, "the end of the case", func(all []*nomad.AllocationListStub) bool {
			w.allocations(all)
			return false
		})
	})
	for _, name := range services(job) {
		w.looking.Go(func() { w.follow(ctx, name) })
	}
	for _, p := range through {
		w.looking.Go(func() { w.poll(ctx, p) })
	}
	t.Cleanup(w.close)
	return w
}

func (w *fenceWatch) close() {
	w.end()
	w.looking.Wait()
}

// services are the names of all services of the job's first group.
func services(job harness.Sample) []string {
	out := []string{job.Name}
	for _, more := range job.Services {
		out = append(out, more.Name)
	}
	return out
}

// follow reads the instances of a service with each change, and where there is
// none every tenth of a second. What cannot be read is read again.
func (w *fenceWatch) follow(ctx context.Context, name string) {
	var index uint64
	for ctx.Err() == nil {
		w.mu.Lock()
		next := catalog{services: map[string]string{}, passing: map[string]bool{}, told: maps.Clone(w.told)}
		w.mu.Unlock()
		q := &consul.QueryOptions{WaitIndex: index, WaitTime: 100 * time.Millisecond, RequireConsistent: true}
		entries, meta, err := w.s.Consul.Health().Service(name, "", false, q.WithContext(ctx))
		if err != nil {
			index = 0
			pauseFor(ctx, 50*time.Millisecond)
			continue
		}
		index, next.at = meta.LastIndex, time.Now()
		for _, e := range entries {
			next.add(e)
		}
		w.take(name, next)
	}
}

func (c catalog) add(e *consul.ServiceEntry) {
	c.services[e.Service.ID] = ""
	c.passing[e.Service.ID] = e.Checks.AggregatedStatus() == consul.HealthPassing
	for _, check := range e.Checks {
		if strings.HasPrefix(check.CheckID, "_service_maintenance:") {
			c.services[e.Service.ID] = check.Notes
		}
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// take compares the catalog of a service with the one before.
func (w *fenceWatch) take(name string, next catalog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, fenced := w.seen[name], next.fenced()
	for _, id := range last.fenced() {
		if reason, registered := next.services[id]; last.told[id] && registered && reason == "" {
			w.t.Errorf("the fence of %s was lifted although it had been told to stop", id)
		}
	}
	for id := range next.services {
		ours := slices.Contains(fenced, id)
		switch o := w.at(id); {
		case o == nil && ours && !slices.Contains(last.fenced(), id):
			w.t.Errorf("%s is in draingate's maintenance and not an old instance", id)
		case o != nil:
			w.maintained(o, name, ours)
		}
	}
	w.seen[name] = next
	w.count(name)
}

// at is the old instance that has the service.
func (w *fenceWatch) at(serviceID string) *fencedOld {
	for id, o := range w.old {
		if strings.Contains(serviceID, id) {
			return o
		}
	}
	return nil
}

// poll asks a proxy for its servers every 50 ms while an instance is out of
// rotation and not yet told to stop.
func (w *fenceWatch) poll(ctx context.Context, p *harness.Traefik) {
	for ctx.Err() == nil {
		asked := time.Now()
		if w.waiting() {
			servers, err := p.Servers(ctx)
			w.pool(p, asked, servers, err)
		}
		pauseFor(ctx, 50*time.Millisecond-time.Since(asked))
	}
}

func (w *fenceWatch) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.old {
		if !o.since.IsZero() && o.told.IsZero() {
			return true
		}
	}
	return false
}

func (w *fenceWatch) pool(p *harness.Traefik, asked time.Time, servers []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busiest = max(w.busiest, time.Since(asked))
	for _, o := range w.old {
		switch listed := slices.Contains(servers, o.Addr); {
		case err != nil || o.since.IsZero() || asked.Before(o.since) || !o.told.IsZero():
		case listed:
			delete(o.dropped, p.Name)
		case o.dropped[p.Name].IsZero():
			o.dropped[p.Name] = time.Now()
		}
	}
}

// now is what is known of all services of the job; its time is that of the one
// that was read least lately, zero before each was.
func (w *fenceWatch) now() catalog {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := catalog{services: map[string]string{}, passing: map[string]bool{}, told: map[string]bool{}}
	for i, name := range services(w.job) {
		c := w.seen[name]
		if i == 0 || c.at.Before(out.at) {
			out.at = c.at
		}
		maps.Copy(out.services, c.services)
		maps.Copy(out.passing, c.passing)
		maps.Copy(out.told, c.told)
	}
	return out
}

// until waits for what must come true of the catalog, and returns it then.
func (w *fenceWatch) until(d time.Duration, what string, cond func(catalog) bool) catalog {
	w.t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c := w.now(); !c.at.IsZero() && cond(c) {
			return c
		}
	}
	c := w.now()
	w.t.Fatalf("not %s within %s; the catalog has %v", what, d, c.services)
	return c
}

// untilFenced waits until draingate has put all of these into maintenance.
func (w *fenceWatch) untilFenced(instances ...harness.Instance) catalog {
	w.t.Helper()
	return w.until(90*time.Second, "fenced", func(c catalog) bool {
		fenced := c.fenced()
		return !slices.ContainsFunc(instances, func(i harness.Instance) bool { return !slices.Contains(fenced, serviceID(w.job, i)) })
	})
}

// untilLifted waits until draingate has none in maintenance that was not told to
// stop, and returns how long after the time that was.
func (w *fenceWatch) untilLifted(d time.Duration, after time.Time) time.Duration {
	w.t.Helper()
	return w.until(d, "lifted", func(c catalog) bool {
		return c.at.After(after) && !slices.ContainsFunc(c.fenced(), func(id string) bool { return !c.told[id] })
	}).at.Sub(after)
}
