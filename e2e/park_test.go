//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// parkRow is a deploy of a single writer that stops before it starts.
type parkRow struct {
	proxies []harness.TraefikOptions
	// notice is the group's shutdown_delay, for which the catalog goes on listing an
	// instance that was told to stop, and the task's, for which it serves after that.
	notice time.Duration
	load   harness.LoadOptions
	// longest is the job's draingate_max_request.
	longest time.Duration
	// deploys is how many follow each other, one if zero.
	deploys int
	// always is true for what is run also where not every row is.
	always bool
}

// everyPark reports whether all rows are run, and not only one of each kind.
func everyPark() bool { return os.Getenv("DRAINGATE_PARK") == "all" }

// parkRows are the rows by name.
func parkRows() map[string]parkRow {
	fast, slow := polls(2*time.Second), polls(2*time.Second, 15*time.Second)
	body := func(size int) string { return strings.Repeat("b", size) }
	return map[string]parkRow{
		"two proxies of 2s and 15s": {proxies: slow, notice: 21 * time.Second, load: harness.LoadOptions{Rate: 50}, always: true},
		"one proxy of 2s":           {proxies: fast, notice: 6 * time.Second},
		"one proxy of 15s":          {proxies: polls(15 * time.Second), notice: 21 * time.Second},
		"one proxy that holds back what it read for 10s": {
			proxies: []harness.TraefikOptions{{RefreshInterval: 2 * time.Second, Throttle: "10s"}}, notice: 15 * time.Second, load: harness.LoadOptions{Rate: 50},
		},
		"bodies of 1 MiB": {proxies: fast, notice: 6 * time.Second, load: harness.LoadOptions{Rate: 10, Body: body(1 << 20)}},
		"slow uploads of clients that keep connections": {
			proxies: fast, notice: 8 * time.Second, longest: 3 * time.Second, always: true,
			load: harness.LoadOptions{Rate: 20, Body: body(1 << 18), Upload: 2 * time.Second, KeepAlive: true},
		},
		"HTTP/2 to the proxy": {proxies: fast, notice: 6 * time.Second, load: harness.LoadOptions{Rate: 50, HTTP2: true}},
		"one after another":   {proxies: fast, notice: 6 * time.Second, load: harness.LoadOptions{Rate: 200}, deploys: 3},
	}
}

// TestPark deploys single writers. DRAINGATE_PARK=all runs every row, and
// DRAINGATE_SOAK_PARK says how many deploys follow each other in the one that has
// several.
func TestPark(t *testing.T) {
	t.Parallel()
	for name, row := range parkRows() {
		if !row.always && !everyPark() {
			continue
		}
		if text := os.Getenv("DRAINGATE_SOAK_PARK"); text != "" && row.deploys > 0 {
			var err error
			row.deploys, err = strconv.Atoi(text)
			require.NoError(t, err, "DRAINGATE_SOAK_PARK")
		}
		for i := range times(t) {
			t.Run(fmt.Sprintf("%s/%d", name, i+1), func(t *testing.T) {
				t.Parallel()
				row.run(t)
			})
		}
	}
}

func (r parkRow) run(t *testing.T) {
	t.Helper()
	p := r.begin(t)
	for range max(r.deploys, 1) {
		began := time.Now()
		p.deploy(nil)
		p.succeeds()
		t.Logf("deploy %d of %d in %s; from the old process's end to the new one's first passing check %s, the longest wait so far %s",
			p.version, max(r.deploys, 1), time.Since(began).Round(100*time.Millisecond), p.gap.Round(10*time.Millisecond), p.slowest().Round(10*time.Millisecond))
	}
	p.lostNothing()
	p.leavesNothing()
}

// parkedJob is a single writer under load, with a draingate and proxies of its
// own.
type parkedJob struct {
	t       *testing.T
	s       *harness.Stack
	g       *controller
	key     string
	through []*harness.Traefik
	job     harness.Sample
	watch   *parkWatch
	old     []harness.Instance
	version uint64
	loads   []*harness.Load
	reports []harness.LoadReport
	// gap is the longest time between the end of an old process and the first
	// passing check of the new one, of all deploys.
	gap time.Duration
	// longest is how long a request may take by itself.
	longest time.Duration
}

// begin runs the first version, under load through every proxy.
func (r parkRow) begin(t *testing.T, args ...string) *parkedJob {
	t.Helper()
	s := Shared(t)
	p := &parkedJob{t: t, s: s, through: proxySet(t, s, r.proxies...), key: s.Name("draingate/leader")}
	p.g = gateIn(t, s, p.key, nil, append([]string{"run", "--traefik-service", p.through[0].Options.Service}, args...)...)
	r.start(p, nil)
	return p
}

// start runs the first version of a job that a draingate watches already.
func (r parkRow) start(p *parkedJob, change func(*harness.Sample)) {
	p.t.Helper()
	p.job = singleWriter(p.t, p.s, p.through[0].Options.Prefix)
	p.job.ShutdownDelay, p.job.TaskShutdownDelay, p.job.Park = r.notice, r.notice, 45*time.Second
	// On a busy machine a check misses 2 s now and then, and a service that fails its
	// check has nobody to stand in for it once placeholders have left.
	p.job.CheckTimeout = 10 * time.Second
	if p.longest = r.longest; p.longest > 0 {
		p.job.Meta = map[string]string{"draingate_max_request": p.longest.String()}
	}
	if change != nil {
		change(&p.job)
	}
	p.old = running(p.t, p.s, p.job, p.through)
	p.watch = watchPark(p.t, p.s, p.job, p.key)
	for _, proxy := range p.through {
		opts := r.load
		opts.Host, opts.Method, opts.ID = p.job.Host(), "POST", p.s.Name("request")
		if opts.Body == "" {
			opts.Body = "once"
		}
		load, err := proxy.LoadOf(opts)
		require.NoError(p.t, err)
		p.t.Cleanup(func() { load.Stop() })
		p.loads = append(p.loads, load)
	}
}

// deploy submits the next version.
func (p *parkedJob) deploy(change func(*harness.Sample)) {
	p.t.Helper()
	p.version++
	p.job.Version = strconv.FormatUint(p.version+1, 10)
	if change != nil {
		change(&p.job)
	}
	require.NoError(p.t, p.s.Submit(within(p.t, time.Minute), p.job))
}

// awaitSuccess waits until the old instance has ended and every proxy routes to
// the new one, which it returns.
func (p *parkedJob) awaitSuccess() []harness.Instance {
	p.t.Helper()
	ctx := within(p.t, 5*time.Minute)
	_, err := p.s.AwaitDeployment(ctx, p.job.Name, "a successful deployment", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == p.version && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(p.t, err)
	require.NoError(p.t, p.s.AwaitEnd(ctx, p.job.Name, p.old, p.through...))
	instances, err := p.s.Instances(ctx, p.job.Name)
	require.NoError(p.t, err)
	last := instances[len(instances)-1:]
	require.NoError(p.t, harness.AwaitRouted(ctx, last, p.through...))
	return last
}

// succeeds is awaitSuccess, and waits until no placeholder and no record is left.
func (p *parkedJob) succeeds() {
	p.t.Helper()
	last := p.awaitSuccess()
	p.watch.until(time.Minute, "the park is over", func(seen parkSeen) bool {
		return len(seen.placeholders) == 0 && len(seen.records) == 0
	})
	p.gap = max(p.gap, p.watch.firstPassing(last[0].AllocID).Sub(p.finished(p.old[0].AllocID)))
	p.old = last
}

// finished is when the process of an allocation ended.
func (p *parkedJob) finished(alloc string) time.Time {
	p.t.Helper()
	a, _, err := p.s.Nomad.Allocations().Info(alloc, nomadQuery(within(p.t, 10*time.Second)))
	require.NoError(p.t, err)
	var out time.Time
	for _, state := range a.TaskStates {
		out = state.FinishedAt
	}
	require.False(p.t, out.IsZero(), "allocation %s has not ended", alloc)
	return out
}

func (p *parkedJob) slowest() (out time.Duration) {
	for _, l := range p.loads {
		out = max(out, l.Snapshot().Slowest)
	}
	return out
}

// stop ends the loads.
func (p *parkedJob) stop() {
	p.t.Helper()
	for i, load := range p.loads {
		p.reports = append(p.reports, load.Stop())
		p.t.Logf("proxy %d: %s", i+1, p.reports[i])
	}
}

// lostNothing ends the loads, each request of which was answered, worked on once,
// and by one writer at a time. The bar of the longest wait is the gap and two seconds,
// and the longest request, since nothing new is sent for so long before the end; it is a
// figure and no condition, as a busy machine misses it.
func (p *parkedJob) lostNothing() {
	p.t.Helper()
	p.stop()
	journal := journalOf(p.t, p.job)
	for i, r := range p.reports {
		require.Zero(p.t, r.Lost, "lost through proxy %d: %v", i+1, r.LostBy)
		require.Empty(p.t, p.loads[i].Amiss(harness.Wrote(journal)))
		bar, met := p.gap+p.longest+2*time.Second, "within"
		if r.Slowest > bar {
			met = "BEYOND"
		}
		p.t.Logf("the longest wait through proxy %d is %s, %s the bar of %s", i+1, r.Slowest.Round(10*time.Millisecond), met, bar.Round(10*time.Millisecond))
	}
}

// leavesNothing requires that no placeholder and no record is there.
func (p *parkedJob) leavesNothing() {
	p.t.Helper()
	seen := p.watch.now()
	require.Empty(p.t, seen.placeholders)
	require.Empty(p.t, seen.records)
	for _, proxy := range p.through {
		servers, err := proxy.Servers(within(p.t, 10*time.Second))
		require.NoError(p.t, err)
		for _, server := range servers {
			require.False(p.t, slices.Contains(p.watch.addresses(), server), "proxy %s routes to a placeholder", proxy.Name)
		}
	}
}
