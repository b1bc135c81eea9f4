package survey

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/judge"
	"github.com/draingate/draingate/controller/model"
)

// cluster is a Nomad, a Consul and one proxy. Lists are told as they are sent.
type cluster struct {
	lists chan []model.JobStub

	mu      sync.Mutex
	jobs    map[string]*model.Job
	fails   map[string]error
	read    []string
	proxies model.Fact[[]model.Proxy]
	load    model.Fact[model.Load]
	looked  int
}

func newCluster() *cluster {
	c := &cluster{lists: make(chan []model.JobStub), jobs: map[string]*model.Job{}, fails: map[string]error{}}
	c.setProxy(15 * time.Second)
	c.load = model.Seen(model.Load{Took: 100 * time.Millisecond}, time.Now())
	return c
}

func (c *cluster) setProxy(refresh time.Duration) {
	c.proxies = model.Seen([]model.Proxy{{Name: "a", Version: "3.6.12", Settings: model.Seen(model.ProxySettings{
		ConsulCatalog: true, RefreshInterval: refresh, Throttle: 2 * time.Second, StrictChecks: []string{"passing", "warning"}, ExposedByDefault: true, Prefix: "traefik",
	}, time.Now())}}, time.Now())
}

// put has a job with the delay, of the version, and returns its stub.
func (c *cluster) put(id string, version uint64, delay time.Duration) model.JobStub {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs[id] = web(id, version, delay)
	return model.JobStub{Namespace: "default", ID: id, Type: "service", ModifyIndex: version}
}

func (c *cluster) WatchJobs(ctx context.Context, tell func([]model.JobStub)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case list := <-c.lists:
			tell(list)
		}
	}
}

func (c *cluster) LatestJob(_ context.Context, _, id string) (*model.Job, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = append(c.read, id)
	return c.jobs[id], c.fails[id]
}

func (c *cluster) Proxies(context.Context) model.Fact[[]model.Proxy] {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked++
	return c.proxies
}

func (c *cluster) Load() model.Fact[model.Load] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load
}

func (c *cluster) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// reads returns what was read since it was last asked.
func (c *cluster) reads() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.read
	c.read = nil
	return out
}

func web(id string, version uint64, delay time.Duration) *model.Job {
	return &model.Job{
		ID: id, Namespace: "default", Type: model.JobTypeService, Version: version, ModifyIndex: version,
		Groups: []model.Group{{
			Name: "web", Count: 1, ShutdownDelay: delay,
			Update: model.Update{Canary: 1, MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: 10 * time.Second, HealthyDeadline: 5 * time.Minute, ProgressDeadline: 10 * time.Minute},
			Services: []model.Service{{
				Name: id, Provider: model.ProviderConsul, PortLabel: "http", Tags: []string{"traefik.enable=true"},
				Checks: []model.Check{{Name: "ready", Type: "http", Path: "/readyz", Interval: 2 * time.Second, Timeout: time.Second}},
			}},
			Tasks: []model.Task{{Name: "web", Driver: "docker", KillTimeout: 5 * time.Second}}, Networks: []model.Network{{}},
		}},
	}
}

// surveyed runs a survey of a cluster within a bubble of time, and ends it.
func surveyed(t *testing.T, test func(t *testing.T, c *cluster, s *Survey, logged func() []string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		s := New(c, c, judge.New(time.Second))
		var mu sync.Mutex
		var lines []string
		logged := func() []string {
			mu.Lock()
			defer mu.Unlock()
			out := lines
			lines = nil
			return out
		}
		ctx, cancel := context.WithCancel(logr.NewContext(t.Context(), funcr.New(func(_, args string) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, args)
		}, funcr.Options{})))
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		test(t, c, s, logged)
		cancel()
		require.NoError(t, <-done)
	})
}

// found has one line a finding, once everything has come to rest.
func found(t *testing.T, s *Survey) []string {
	t.Helper()
	synctest.Wait()
	all, err := s.Findings()
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	out := []string{}
	for _, f := range all {
		out = append(out, fmt.Sprintf("%s/%s %d %s %s %s", f.Namespace, f.Job, f.JobVersion, f.Rule, f.Severity, f.Path))
	}
	return out
}

const short = `DG101 error group["web"].shutdown_delay`

func TestFindingsFollowTheJobs(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, logged func() []string) {
		require.Equal(t, []string{"error: Nomad has not listed the jobs yet (the token needs list-jobs and read-job)"}, found(t, s))
		web, api := c.put("web", 1, 0), c.put("api", 1, 20*time.Second)
		c.lists <- []model.JobStub{web, api}
		require.Equal(t, []string{"default/web 1 " + short}, found(t, s))
		require.Len(t, c.reads(), 2)
		lines := logged()
		require.Len(t, lines, 1, "what is sound is not worth a line")
		require.Contains(t, lines[0], `"job"="web"`)
		require.Contains(t, lines[0], `"errors"=1`)

		c.lists <- []model.JobStub{web, api}
		require.Equal(t, []string{"default/web 1 " + short}, found(t, s))
		require.Empty(t, c.reads(), "nothing changed, so nothing is read")
		require.Empty(t, logged())

		api = c.put("api", 2, time.Second)
		c.lists <- []model.JobStub{web, api}
		require.Equal(t, []string{"default/api 2 " + short, "default/web 1 " + short}, found(t, s))
		require.Equal(t, []string{"api"}, c.reads())

		web = c.put("web", 2, 20*time.Second)
		c.lists <- []model.JobStub{web, api}
		require.Equal(t, []string{"default/api 2 " + short}, found(t, s))
		require.Contains(t, strings.Join(logged(), "\n"), `"errors"=0`, "a job that was cured is told of")

		api.Stopped = true
		c.lists <- []model.JobStub{web, api}
		require.Empty(t, found(t, s), "a stopped job is none")
		c.lists <- nil
		require.Empty(t, found(t, s))
	})
}

func TestFindingsFollowTheSettings(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, logged func() []string) {
		web := c.put("web", 1, 6*time.Second)
		c.lists <- []model.JobStub{web}
		require.Equal(t, []string{"default/web 1 " + short}, found(t, s))
		c.change(func() { c.setProxy(2 * time.Second) })
		time.Sleep(every)
		require.Empty(t, found(t, s), "a Traefik that looks more often makes the delay long enough")
		c.change(func() { c.load.Value.Took = 110 * time.Millisecond })
		time.Sleep(every)
		require.Empty(t, found(t, s))
		c.change(func() { c.load.Value.Took = time.Second })
		time.Sleep(every)
		require.Equal(t, []string{"default/web 1 " + short}, found(t, s), "slow loads make it too short")
		c.change(func() { c.proxies = model.Unseen[[]model.Proxy](time.Now(), "Consul is away") })
		time.Sleep(every)
		require.Contains(t, found(t, s), "default/web 1 DG503 unknown ")
		c.change(func() { c.setProxy(2 * time.Second); c.load.Value.Took = 0 })
		time.Sleep(soon)
		require.Empty(t, found(t, s), "what is not known is looked at again soon")
		require.Equal(t, []string{"web"}, c.reads(), "the job did not change")
	})
}

func TestAJobThatCannotBeReadIsAFinding(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, _ func() []string) {
		web, hidden := c.put("web", 1, 0), c.put("hidden", 1, 0)
		c.change(func() { c.fails["web"] = errors.New("503"); delete(c.jobs, "hidden") })
		list := []model.JobStub{web, hidden}
		c.lists <- list
		require.Equal(t, []string{"default/hidden 0 DG000 unknown ", "default/web 0 DG000 unknown "}, found(t, s))
		c.reads()
		c.lists <- list
		require.Len(t, found(t, s), 2)
		require.Empty(t, c.reads(), "it is not tried again at once")
		c.change(func() { delete(c.fails, "web") })
		time.Sleep(retry + every)
		require.Equal(t, []string{"default/hidden 0 DG000 unknown ", "default/web 1 " + short}, found(t, s))
	})
}

func TestFindingsOfANomadThatFellSilentAreNotKnown(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, _ func() []string) {
		c.lists <- nil
		require.Empty(t, found(t, s))
		time.Sleep(maxSilence + time.Second)
		require.Equal(t, []string{"error: Nomad has not said for 1m1s which jobs there are"}, found(t, s))
		c.lists <- nil
		require.Empty(t, found(t, s))
	})
}

func TestTheFirstFindingsWaitForTheLoad(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, _ func() []string) {
		c.change(func() { c.load = model.Fact[model.Load]{} })
		c.lists <- []model.JobStub{c.put("web", 1, 20*time.Second)}
		require.Equal(t, []string{"error: not every job was read yet"}, found(t, s))
		time.Sleep(settle + time.Second)
		require.Equal(t, []string{"default/web 1 DG503 unknown "}, found(t, s))
		c.change(func() { c.load = model.Seen(model.Load{}, time.Now()) })
		time.Sleep(soon)
		require.Empty(t, found(t, s))
	})
}

func TestABusyNomadDoesNotHideASettingNorAskForIt(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, _ func() []string) {
		list := []model.JobStub{c.put("web", 1, 6*time.Second)}
		c.lists <- list
		require.Len(t, found(t, s), 1)
		c.change(func() { c.setProxy(2 * time.Second); c.looked = 0 })
		for range 15 {
			time.Sleep(time.Second)
			c.lists <- list
		}
		require.Empty(t, found(t, s))
		c.change(func() { require.LessOrEqual(t, c.looked, 2, "settings are not read for every list") })
	})
}

func TestFindingsAreShared(t *testing.T) {
	surveyed(t, func(t *testing.T, c *cluster, s *Survey, _ func() []string) {
		c.lists <- []model.JobStub{c.put("web", 1, 0)}
		synctest.Wait()
		first, err := s.Findings()
		require.NoError(t, err)
		c.lists <- []model.JobStub{c.put("web", 2, time.Second)}
		synctest.Wait()
		again, err := s.Findings()
		require.NoError(t, err)
		require.Equal(t, uint64(1), first[0].JobVersion, "what was handed out stays as it was")
		require.NotEmpty(t, cmp.Diff(first[0].Message, again[0].Message))
	})
}
