//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

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

// maintained notes whether a service of the instance is in maintenance. What is
// not in the catalog any more stays as it was.
func (w *fenceWatch) maintained(o *fencedOld, name string, ours bool) {
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

func (w *fenceWatch) isOut(o *fencedOld) bool {
	return !slices.ContainsFunc(services(w.job), func(name string) bool { return !o.out[name] })
}

// count keeps the least number of instances that are passing, from the first
// fence on until all old ones were told to stop.
func (w *fenceWatch) count(name string) {
	if len(w.order) == 0 || !w.fencing() {
		return
	}
	n := 0
	for _, ok := range w.seen[name].passing {
		if ok {
			n++
		}
	}
	if least, known := w.fewest[name]; !known || n < least {
		w.fewest[name] = n
	}
}

func (w *fenceWatch) fencing() bool {
	for _, o := range w.old {
		if o.told.IsZero() {
			return true
		}
	}
	return false
}

// allocations notes which old instances were told to stop, and what speaks
// against that at the moment in which it is seen.
func (w *fenceWatch) allocations(all []*nomad.AllocationListStub) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range all {
		for _, name := range services(w.job) {
			w.told[serviceOf(name, a.ID)] = a.DesiredStatus != nomad.AllocDesiredStatusRun
		}
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

// batches are the sets that were told to stop, and those that were in
// maintenance and running when the first of each was.
func (w *fenceWatch) batches() (out, told [][]string) {
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
func (w *fenceWatch) lifts() (n int) {
	for _, e := range w.order {
		if e.what == lifted {
			n++
		}
	}
	return n
}

// proven ends the looking, and requires that each old instance was told to stop
// while it was out of rotation everywhere, that those which were taken out were
// the very ones that were stopped, batch by batch, and that there were never
// fewer in rotation than the job's update leaves.
func (w *fenceWatch) proven() {
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
	if n := w.lifts(); n > 0 {
		w.t.Logf("%d old instances came back into rotation before they were fenced again and stopped", n)
	}
}

// judge requires what proven does, and tells how long the fence took. Where all go
// at once that is to be no longer than the slowest proxy and the longest request,
// and a little.
func (w *fenceWatch) judge(atOnce bool, g *controller, version uint64) fenceTimes {
	w.t.Helper()
	w.proven()
	times := w.times(g, version)
	w.t.Log(times)
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
func (w *fenceWatch) times(g *controller, version uint64) fenceTimes {
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
func (w *fenceWatch) began(g *controller, version uint64) time.Time {
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
