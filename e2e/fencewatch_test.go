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
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// serviceID is that of an instance's service in Consul, as Nomad names it.
func serviceID(job harness.Sample, i harness.Instance) string {
	return fmt.Sprintf("_nomad-task-%s-group-web-%s-http", i.AllocID, job.Name)
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

// fenceWatch follows the maintenance of a job's instances until its case ends,
// and fails it where a fence is lifted from an instance that was told to stop.
type fenceWatch struct {
	t   *testing.T
	s   *harness.Stack
	job harness.Sample

	mu   sync.Mutex
	last catalog
}

func watchFences(t *testing.T, s *harness.Stack, job harness.Sample) *fenceWatch {
	t.Helper()
	w := &fenceWatch{t: t, s: s, job: job}
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
func (w *fenceWatch) look(ctx context.Context) {
	defer time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	next := catalog{services: map[string]string{}, passing: map[string]bool{}, told: map[string]bool{}}
	instances, _, err := w.s.Nomad.Jobs().Allocations(w.job.Name, true, nomadQuery(ctx))
	if err != nil {
		return
	}
	for _, a := range instances {
		next.told[serviceID(w.job, harness.Instance{AllocID: a.ID})] = a.DesiredStatus != "run"
	}
	entries, _, err := w.s.Consul.Health().Service(w.job.Name, "", false, (&consul.QueryOptions{RequireConsistent: true}).WithContext(ctx))
	if err != nil {
		return
	}
	for _, e := range entries {
		next.services[e.Service.ID] = ""
		next.passing[e.Service.ID] = e.Checks.AggregatedStatus() == consul.HealthPassing
		for _, check := range e.Checks {
			if strings.HasPrefix(check.CheckID, "_service_maintenance:") {
				next.services[e.Service.ID] = check.Notes
			}
		}
	}
	next.at = time.Now()
	w.take(next)
}

func (w *fenceWatch) take(next catalog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.last.fenced() {
		if reason, registered := next.services[id]; w.last.told[id] && registered && reason == "" {
			w.t.Errorf("the fence of %s was lifted although it had been told to stop", id)
		}
	}
	w.last = next
}

func (w *fenceWatch) now() catalog {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
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

// record is what is stored of a fence.
type record struct {
	Deployment, Step, Reason, Message string
	Rolling, Pause                    bool
	Set, Kept                         []struct{ Alloc string }
	// locked is true where a leader holds it.
	locked bool
}

// records are those of an election, by deployment.
func records(t *testing.T, s *harness.Stack, key string) map[string]record {
	t.Helper()
	pairs, _, err := s.Consul.KV().List(key+"/fences/", (&consul.QueryOptions{RequireConsistent: true}).WithContext(t.Context()))
	require.NoError(t, err)
	out := map[string]record{}
	for _, p := range pairs {
		var r record
		require.NoError(t, json.Unmarshal(p.Value, &r))
		r.locked = p.Session != ""
		out[r.Deployment] = r
	}
	return out
}

// standing is a deploy whose old instances stay fenced for a while: a request
// may take half a minute, so that the promotion waits for as long.
type standing struct {
	*deploy
	watch *fenceWatch
	gate  *controller
	// id is that of the deployment.
	id string
}

// key is that of the controller's election.
func (c *controller) key() string { return c.args[slices.Index(c.args, "--leader-key")+1] }

// standingFence begins a deploy, and returns when every proxy has dropped its old
// instances, which are fenced.
func standingFence(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik, g *controller) *standing {
	t.Helper()
	d := fencing(t, s, job, through, g, "30s", nil)
	d.untilOut()
	return d
}

// untilOut waits until all old instances are fenced and no proxy routes to them.
func (d *standing) untilOut() {
	d.t.Helper()
	d.watch.untilFenced(d.old...)
	require.NoError(d.t, harness.AwaitDropped(within(d.t, 30*time.Second), d.old, d.through...))
}

// fencing begins a deploy of which a request may take as long as is said. change
// is done as begin does it.
func fencing(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik, g *controller, longest string, change func(*harness.Sample)) *standing {
	t.Helper()
	job.Name, job.Warmup, job.CheckInterval, job.CheckTimeout = s.Name("ends"), time.Second, time.Second, 10*time.Second
	job.Meta = map[string]string{"draingate_max_request": longest}
	d := &standing{deploy: begin(t, s, job, through, change), gate: g}
	d.watch = watchFences(t, s, d.job)
	g.traced(d.job.Name, 1)
	begun, err := s.AwaitDeployment(within(t, 30*time.Second), d.job.Name, "the deployment", func(n *nomad.Deployment) bool { return n != nil && n.JobVersion == 1 })
	require.NoError(t, err)
	d.id = begun.ID
	return d
}

// leavesNothing requires that no fence is left but of what was told to stop, and
// no record but one that has ended while its deployment goes on.
func (d *standing) leavesNothing() {
	d.t.Helper()
	d.watch.untilLifted(10*time.Second, time.Now())
	last := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		active := map[string]bool{}
		all, _, err := d.stack.Nomad.Jobs().Deployments(d.job.Name, true, nomadQuery(d.t.Context()))
		require.NoError(d.t, err)
		for _, one := range all {
			active[one.ID] = one.Status == "running" || one.Status == "paused"
		}
		last = ""
		for id, r := range records(d.t, d.stack, d.gate.key()) {
			if r.Step != "ended" || !active[id] {
				last += fmt.Sprintf("deployment %s, which goes on: %t, has a record that is %s; ", id, active[id], r.Step)
			}
		}
		if last == "" {
			return
		}
	}
	d.t.Fatal(last)
}

// aborted waits until draingate holds the deployment since its fence came to
// nothing, with a message that has the text.
func (d *standing) aborted(text string) {
	d.t.Helper()
	d.gate.holds(d.job.Name, "FenceAborted", text)
	require.False(d.t, deploymentOf(d.t, d.stack, d.job.Name, 1).TaskGroups["web"].Promoted)
}
