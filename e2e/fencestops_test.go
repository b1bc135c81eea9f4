//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// fenceWitness looks for itself, past draingate, at what becomes of the old
// instances of one deploy: in Consul's catalog and in Nomad with blocking
// queries, and in the proxies every 50 ms while one is out of rotation.
type fenceWitness struct {
	t       *testing.T
	s       *harness.Stack
	job     harness.Sample
	through []*harness.Traefik
	end     context.CancelFunc
	looking sync.WaitGroup

	mu  sync.Mutex
	old map[string]*fencedOld
	// order is what happened to old instances.
	order []fenceEvent
	// busiest is the longest time that an answer about the proxies took to come
	// round, the 50 ms apart.
	busiest time.Duration
	// passing are the instances that are passing, by service, and fewest is the
	// least of each since the first was fenced.
	passing map[string]map[string]bool
	fewest  map[string]int
	wrong   []string
}

// fenceEvent is one of fenced, lifted and stopped.
type fenceEvent struct {
	what fenceEventKind
	id   string
}

type fenceEventKind int

const (
	fenced fenceEventKind = iota
	lifted
	stopped
)

// fencedOld is what is known of one old instance.
type fencedOld struct {
	harness.Instance
	// out are the services that are in draingate's maintenance, by name.
	out map[string]bool
	// since is when all of them were.
	since time.Time
	// dropped is when each proxy was first seen without it after that.
	dropped map[string]time.Time
	told    time.Time
}

// watchFence begins to look. It ends with judge, or with the case.
func watchFence(t *testing.T, s *harness.Stack, job harness.Sample, old []harness.Instance, through []*harness.Traefik) *fenceWitness {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &fenceWitness{t: t, s: s, job: job, through: through, end: cancel, old: map[string]*fencedOld{}, passing: map[string]map[string]bool{}, fewest: map[string]int{}}
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

func (w *fenceWitness) close() {
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

// follow reads the instances of a service with each change.
func (w *fenceWitness) follow(ctx context.Context, name string) {
	var index uint64
	for ctx.Err() == nil {
		q := &consul.QueryOptions{WaitIndex: index, WaitTime: 5 * time.Second}
		all, meta, err := w.s.Consul.Health().Service(name, "", false, q.WithContext(ctx))
		if err != nil {
			index = 0
			pauseFor(ctx, 50*time.Millisecond)
			continue
		}
		index = meta.LastIndex
		w.catalog(name, all)
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *fenceWitness) catalog(name string, all []*consul.ServiceEntry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	passing := map[string]bool{}
	for _, e := range all {
		addr := fmt.Sprintf("%s:%d", cmp.Or(e.Service.Address, e.Node.Address), e.Service.Port)
		passing[addr] = e.Checks.AggregatedStatus() == consul.HealthPassing
		ours := slices.ContainsFunc(e.Checks, func(c *consul.HealthCheck) bool { return strings.HasPrefix(c.Notes, "draingate/") })
		o := w.at(e.Service.ID)
		switch {
		case o == nil && ours:
			w.wrong = append(w.wrong, fmt.Sprintf("%s at %s is in draingate's maintenance and not an old instance", e.Service.ID, addr))
		case o != nil:
			w.maintained(o, name, ours)
		}
	}
	w.passing[name] = passing
	w.count(name)
}

// at is the old instance that has the service.
func (w *fenceWitness) at(serviceID string) *fencedOld {
	for id, o := range w.old {
		if strings.Contains(serviceID, id) {
			return o
		}
	}
	return nil
}

// maintained notes whether a service of the instance is in maintenance. What is
// not in the catalog any more stays as it was.
func (w *fenceWitness) maintained(o *fencedOld, name string, ours bool) {
	if !ours && o.out[name] && !o.since.IsZero() {
		o.since, o.dropped = time.Time{}, map[string]time.Time{}
		w.order = append(w.order, fenceEvent{lifted, o.AllocID})
	}
	o.out[name] = ours
	if o.since.IsZero() && w.isOut(o) {
		o.since = time.Now()
		w.order = append(w.order, fenceEvent{fenced, o.AllocID})
	}
}

func (w *fenceWitness) isOut(o *fencedOld) bool {
	return !slices.ContainsFunc(services(w.job), func(name string) bool { return !o.out[name] })
}

// count keeps the least number of instances that are passing, from the first
// fence on until all old ones were told to stop.
func (w *fenceWitness) count(name string) {
	if len(w.order) == 0 || !w.fencing() {
		return
	}
	n := 0
	for _, ok := range w.passing[name] {
		if ok {
			n++
		}
	}
	if least, known := w.fewest[name]; !known || n < least {
		w.fewest[name] = n
	}
}

func (w *fenceWitness) fencing() bool {
	for _, o := range w.old {
		if o.told.IsZero() {
			return true
		}
	}
	return false
}

// allocations notes which old instances were told to stop, and what speaks
// against that at the moment in which it is seen.
func (w *fenceWitness) allocations(all []*nomad.AllocationListStub) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range all {
		o := w.old[a.ID]
		if o == nil || a.DesiredStatus == nomad.AllocDesiredStatusRun || !o.told.IsZero() {
			continue
		}
		o.told = time.Now()
		w.order = append(w.order, fenceEvent{stopped, a.ID})
		if !w.isOut(o) {
			w.wrong = append(w.wrong, fmt.Sprintf("%s was told to stop and is not in draingate's maintenance: %v", a.Name, o.out))
		}
		for _, p := range w.through {
			if o.dropped[p.Name].IsZero() {
				w.wrong = append(w.wrong, fmt.Sprintf("%s was told to stop and %s lists it", a.Name, p.Name))
			}
		}
	}
}

// poll asks a proxy for its servers every 50 ms while an instance is out of
// rotation and not yet told to stop.
func (w *fenceWitness) poll(ctx context.Context, p *harness.Traefik) {
	for ctx.Err() == nil {
		asked := time.Now()
		if w.waiting() {
			servers, err := p.Servers(ctx)
			w.pool(p, asked, servers, err)
		}
		pauseFor(ctx, 50*time.Millisecond-time.Since(asked))
	}
}

func (w *fenceWitness) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.old {
		if !o.since.IsZero() && o.told.IsZero() {
			return true
		}
	}
	return false
}

func (w *fenceWitness) pool(p *harness.Traefik, asked time.Time, servers []string, err error) {
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

// batches are the sets that were told to stop, and those that were in
// maintenance and running when the first of each was.
func (w *fenceWitness) batches() (out, told [][]string) {
	in, last := map[string]bool{}, fenced
	for _, e := range w.order {
		if e.what == stopped && last != stopped {
			out, told = append(out, slices.Sorted(maps.Keys(in))), append(told, nil)
		}
		switch e.what {
		case fenced:
			in[e.id] = true
		case stopped:
			n := len(told) - 1
			told[n] = append(told[n], e.id)
			slices.Sort(told[n])
			fallthrough
		default:
			delete(in, e.id)
		}
		last = e.what
	}
	return out, told
}

// lifts counts those that came back into rotation before they were stopped.
func (w *fenceWitness) lifts() (n int) {
	for _, e := range w.order {
		if e.what == lifted {
			n++
		}
	}
	return n
}

// judge ends the looking, and requires that each old instance was told to stop
// while it was out of rotation everywhere, that those which were taken out were
// the very ones that were stopped, batch by batch, and that there were never
// fewer in rotation than the job's update leaves. Where all go at once it may not take longer than
// the slowest proxy and the longest request, and a little.
func (w *fenceWitness) judge(atOnce bool, g *controller, version uint64) fenceTimes {
	w.t.Helper()
	w.close()
	require.Empty(w.t, w.wrong)
	out, told := w.batches()
	require.Equal(w.t, out, told, "old instances that were out of rotation, and that were stopped, batch by batch")
	require.Len(w.t, slices.Concat(told...), len(w.old), "every old instance is stopped once")
	floor := max(max(w.job.Count, 1)-max(w.job.MaxParallel, 1), 1)
	for _, name := range slices.Sorted(maps.Keys(w.fewest)) {
		require.GreaterOrEqual(w.t, w.fewest[name], floor, "instances of %s that are passing", name)
	}
	times := w.times(g, version)
	w.t.Log(times)
	if n := w.lifts(); n > 0 {
		w.t.Logf("%d old instances came back into rotation before they were fenced again and stopped", n)
	}
	if atOnce {
		// A figure and no condition: it is that of the machine as well, and of what
		// else runs on it. The slowest answer of a proxy tells how busy that was.
		verdict := "within"
		if times.whole() > times.bar() {
			verdict = "BEYOND"
		}
		w.t.Logf("from the canaries being routed everywhere to the last order to stop: %s, %s the bar of %s; the slowest answer of a proxy took %s",
			times.whole().Round(10*time.Millisecond), verdict, times.bar().Round(10*time.Millisecond), w.busiest.Round(time.Millisecond))
	}
	return times
}

// fenceTimes is how long the parts of a fence took.
type fenceTimes struct {
	// began is when draingate first said that it fences.
	began, told time.Time
	// routing is the slowest proxy's T, longest is L.
	routing, longest time.Duration
	// fewest is how many instances were passing at least.
	fewest  int
	batches []batchTimes
}

// batchTimes are those of the instances that are stopped at one time: when the
// last was in maintenance, when the last proxy had dropped the last, and when the
// last was told to stop.
type batchTimes struct {
	size                 int
	since, dropped, told time.Time
}

func (f fenceTimes) whole() time.Duration { return f.told.Sub(f.began) }

// bar is what it may take where all old instances go at once.
func (f fenceTimes) bar() time.Duration {
	return (f.routing+f.longest)*12/10 + time.Second
}

func (f fenceTimes) String() string {
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	var b strings.Builder
	fmt.Fprintf(&b, "fence of %s, T = %s, L = %s, never fewer than %d passing; begun, %s until in maintenance", ms(f.whole()), ms(f.routing), f.longest, f.fewest, ms(f.batches[0].since.Sub(f.began)))
	for _, at := range f.batches {
		fmt.Fprintf(&b, "; %d dropped after %s and told to stop %s later", at.size, ms(at.dropped.Sub(at.since)), ms(at.told.Sub(at.dropped)))
	}
	return b.String()
}

// times are those of the deploy, from the first fence to the last stop.
func (w *fenceWitness) times(g *controller, version uint64) fenceTimes {
	w.t.Helper()
	out := fenceTimes{began: w.began(g, version), fewest: slices.Min(slices.Collect(maps.Values(w.fewest)))}
	longest, err := time.ParseDuration(cmp.Or(w.job.Meta["draingate_max_request"], "0s"))
	require.NoError(w.t, err)
	out.longest = longest
	_, told := w.batches()
	for _, batch := range told {
		var at batchTimes
		for _, o := range w.old {
			if !slices.Contains(batch, o.AllocID) {
				continue
			}
			at.size++
			at.since, at.told = latest(at.since, o.since), latest(at.told, o.told)
			for _, dropped := range o.dropped {
				at.dropped, out.routing = latest(at.dropped, dropped), max(out.routing, dropped.Sub(o.since))
			}
		}
		out.batches, out.told = append(out.batches, at), latest(out.told, at.told)
	}
	return out
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// began is when draingate first said that it fences the deployment.
func (w *fenceWitness) began(g *controller, version uint64) time.Time {
	w.t.Helper()
	var out time.Time
	g.eventually(30*time.Second, "told of as fenced", func() (bool, string) {
		d, ok := g.of(w.job.Name, version)
		if !ok {
			return false, "not listed"
		}
		code, body := g.get("/v1/deployments/" + d.ID + "/history")
		var all []struct {
			Type, Decision string
			At             time.Time
		}
		if code != http.StatusOK || json.Unmarshal([]byte(body), &all) != nil {
			return false, body
		}
		for _, e := range all {
			if e.Type == "decision" && e.Decision == "Fence" {
				out = e.At
				return true, body
			}
		}
		return false, body
	})
	return out
}
