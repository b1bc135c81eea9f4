//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// fenceRow is a deploy whose old instances end at once on the stop signal,
// without any delay, retry or drain: the fence alone keeps it from losing a
// request.
type fenceRow struct {
	proxies []harness.TraefikOptions
	job     harness.Sample
	// load is what goes to each service through each proxy.
	load harness.LoadOptions
	// services is how many the group has, one if zero.
	services int
	// always is true for what is run also where not every row is.
	always bool
}

// everyFence reports whether all rows are run, and not only one of each kind.
func everyFence() bool { return os.Getenv("DRAINGATE_FENCE") == "all" }

func polls(intervals ...time.Duration) []harness.TraefikOptions {
	var out []harness.TraefikOptions
	for _, d := range intervals {
		out = append(out, harness.TraefikOptions{RefreshInterval: d})
	}
	return out
}

// fenceRows are the rows by name.
func fenceRows() map[string]fenceRow {
	slow, fast, watching := polls(15*time.Second), polls(2*time.Second), []harness.TraefikOptions{{Watch: true}}
	mixed := slices.Concat(fast, slow, watching)
	// Through three proxies as much in all as through one.
	third := harness.LoadOptions{Rate: 33}
	long := harness.Sample{Sleep: 3 * time.Second, Meta: map[string]string{"draingate_max_request": "4s"}}
	longer := long
	longer.Count, longer.Canary = 3, 3
	return map[string]fenceRow{
		"one instance":    {proxies: slow, always: true},
		"three instances": {proxies: slow, job: harness.Sample{Count: 3, Canary: 3}},
		"ten instances":   {proxies: slow, job: harness.Sample{Count: 10, Canary: 10}},

		"one instance and three proxies":    {proxies: mixed, load: third},
		"three instances and three proxies": {proxies: mixed, job: harness.Sample{Count: 3, Canary: 3}, load: third, always: true},
		"ten instances and three proxies":   {proxies: mixed, job: harness.Sample{Count: 10, Canary: 10}, load: third},

		"one canary of three":             {proxies: fast, job: harness.Sample{Count: 3, Canary: 1}, always: true},
		"one canary of three and the two": {proxies: fast, job: harness.Sample{Count: 3, Canary: 1, MaxParallel: 3}},
		"two canaries of ten one by one":  {proxies: fast, job: harness.Sample{Count: 10, Canary: 2}},
		"two canaries of ten":             {proxies: fast, job: harness.Sample{Count: 10, Canary: 2, MaxParallel: 3}},
		"three proxies and batches":       {proxies: mixed, job: harness.Sample{Count: 3, Canary: 1}, load: third},

		// Of a proxy that watches it cannot be predicted when it has seen anything.
		"POSTs that take 3s to two services": {
			proxies: watching, job: long, services: 2, load: harness.LoadOptions{Rate: 50, Method: "POST", Body: "once", KeepAlive: true}, always: true,
		},
		"POSTs that take 3s to two services of three instances": {
			proxies: slow, job: longer, services: 2, load: harness.LoadOptions{Rate: 50, Method: "POST", Body: "once"},
		},
		"GETs that take 3s of clients that keep connections": {proxies: slow, job: long, load: harness.LoadOptions{KeepAlive: true}},
		"quick POSTs of clients that keep connections":       {proxies: fast, load: harness.LoadOptions{Method: "POST", Body: "once", KeepAlive: true}},
	}
}

func TestFence(t *testing.T) {
	t.Parallel()
	for name, row := range fenceRows() {
		if !row.always && !everyFence() {
			continue
		}
		for i := range times(t) {
			t.Run(fmt.Sprintf("%s/%d", name, i+1), func(t *testing.T) {
				t.Parallel()
				f := row.begin(t)
				f.deploy(nil)
				f.lostNothing()
			})
		}
	}
}

// fencedJob is a job under load, with a draingate and proxies of its own.
type fencedJob struct {
	t       *testing.T
	s       *harness.Stack
	g       *controller
	through []*harness.Traefik
	job     harness.Sample
	// old are the instances of the version that runs, which is version.
	old     []harness.Instance
	version uint64
	loads   []*harness.Load
	// goals says where each load goes.
	goals []string
}

// begin runs the first version, under load through every proxy.
func (r fenceRow) begin(t *testing.T) *fencedJob {
	t.Helper()
	s := Shared(t)
	f := &fencedJob{t: t, s: s, through: proxySet(t, s, r.proxies...)}
	f.g = gate(t, s, f.through)
	f.job = r.sample(t, s, f.through[0].Options.Prefix)
	f.old = running(t, s, f.job, f.through)
	for _, name := range services(f.job) {
		for _, p := range f.through {
			opts := r.load
			opts.Host, opts.ID = harness.Sample{Name: name}.Host(), s.Name("request")
			l, err := p.LoadOf(opts)
			require.NoError(t, err)
			t.Cleanup(func() { l.Stop() })
			f.loads, f.goals = append(f.loads, l), append(f.goals, fmt.Sprintf("%s through %s", name, p))
		}
	}
	return f
}

// sample is the first version of the row's job.
func (r fenceRow) sample(t *testing.T, s *harness.Stack, prefix string) harness.Sample {
	t.Helper()
	out := r.job
	out.Name, out.Version, out.Warmup = s.Name("fence"), "1", brief
	out.Meta = map[string]string{"draingate_mode": "enforce"}
	maps.Copy(out.Meta, r.job.Meta)
	out.Tags = out.Route(prefix)
	for i := 1; i < r.services; i++ {
		more := harness.Sample{Name: fmt.Sprintf("%s-%d", out.Name, i)}
		out.Services = append(out.Services, harness.SampleService{Name: more.Name, Tags: more.Route(prefix)})
	}
	var err error
	out.Worklog, err = s.NewWorklog()
	require.NoError(t, err)
	return out
}

// deploy submits the next version, to which change may do something, and returns
// when the deploy cannot lose requests any more: it is successful, all instances
// of the former version have ended, and no proxy lists one.
func (f *fencedJob) deploy(change func(*harness.Sample)) fenceTimes {
	f.t.Helper()
	f.version++
	f.job.Version = fmt.Sprint(f.version + 1)
	if change != nil {
		change(&f.job)
	}
	w := watchFence(f.t, f.s, f.job, f.old, f.through)
	ctx := within(f.t, 9*time.Minute)
	require.NoError(f.t, f.s.Submit(ctx, f.job))
	_, err := f.s.AwaitDeployment(ctx, f.job.Name, "success", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == f.version && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(f.t, err)
	require.NoError(f.t, f.s.AwaitEnd(ctx, f.job.Name, f.old, f.through...))
	times := w.judge(f.job.Canary == f.job.Count, f.g, f.version)
	f.g.eventually(30*time.Second, "drained", func() (bool, string) {
		seen, _ := f.g.of(f.job.Name, f.version)
		drained, _ := seen.condition("Drained")
		out, _ := seen.condition("OldOutOfRotation")
		return drained == "True" && out == "True", seen.String() + " Drained " + drained + " OldOutOfRotation " + out
	})
	f.next()
	return times
}

// next makes the instances that run now the old ones.
func (f *fencedJob) next() {
	f.t.Helper()
	all, err := f.s.Instances(f.t.Context(), f.job.Name)
	require.NoError(f.t, err)
	f.old = nil
	for _, i := range all {
		if i.Version == f.version && !i.Terminal() {
			f.old = append(f.old, i)
		}
	}
	require.Len(f.t, f.old, max(f.job.Count, 1), "instances of version %d", f.version)
}

// lostNothing ends the loads, and requires that no request was lost, that each
// was worked on once, and that both the first and the last version answered.
func (f *fencedJob) lostNothing() {
	f.t.Helper()
	reports := stop(f.t, f.loads)
	worked, err := f.job.Worklog.Worked()
	require.NoError(f.t, err)
	for i, r := range reports {
		if r.Lost != 0 {
			f.t.Errorf("%s: got %s, want none lost; lost %s", f.goals[i], r, r.LostAt())
		}
		if amiss := f.loads[i].Amiss(worked); amiss != "" {
			f.t.Errorf("%s: %d requests: %s", f.goals[i], r.Requests, amiss)
		}
		if r.Versions["1"] == 0 || r.Versions[f.job.Version] == 0 {
			f.t.Errorf("%s: answers by version: got %v, want some of 1 and %s", f.goals[i], r.Versions, f.job.Version)
		}
	}
}

// proxySet starts one instance for each of the options, as one proxy set.
func proxySet(t *testing.T, s *harness.Stack, all ...harness.TraefikOptions) []*harness.Traefik {
	t.Helper()
	service := s.Name("traefik")
	var out []*harness.Traefik
	var named []string
	for _, opts := range all {
		opts.Service, opts.Prefix = service, service
		p, err := s.StartTraefik(t.Context(), opts)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		out, named = append(out, p), append(named, p.String())
	}
	t.Log(strings.Join(named, ", "))
	return out
}
