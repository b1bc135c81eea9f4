package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
)

const depID = "d1000000-0000-0000-0000-000000000000"

var key = model.Key{Namespace: "default", Deployment: depID}

// fakeWorld is one deployment that may be promoted, as Nomad, Consul and one
// proxy show it. It stands in for the observer and for Nomad.
type fakeWorld struct {
	mu         sync.Mutex
	deployment model.Deployment
	mode       string
	listed     bool
	// hard has the old instance end at once; fence, where not nil, has it fenced.
	hard  bool
	fence *fakeFences
	// deadline, where set, has the deployment failed after it.
	deadline        string
	promotes, fails int
	// ends has a promotion end the deployment.
	ends bool
	// before, where set, is called ahead of the last read and of the promotion.
	beforeRead, beforePromote func() error
	// unreadable and moved are what the last read of the allocations finds.
	unreadable error
	moved      func(old, canary *model.Allocation)
	observed   int
}

func newWorld() *fakeWorld {
	return &fakeWorld{mode: "enforce", listed: true, deployment: model.Deployment{
		ID: depID, Namespace: "default", JobID: "web", JobVersion: 1, Status: model.DeploymentRunning,
		Groups: []model.DeploymentGroup{{Name: "web", DesiredCanaries: 1, PlacedCanaries: []string{"canary"}}},
	}}
}

func (f *fakeWorld) job(version uint64) *model.Job {
	delay := 20 * time.Second
	if f.hard {
		delay = 0
	}
	return &model.Job{ID: "web", Type: model.JobTypeService, Region: "global", Datacenters: []string{"dc1"}, Version: version, Meta: f.meta(),
		Groups: []model.Group{{Name: "web", Count: 1, Update: model.Update{Canary: 1, MaxParallel: 1}, ShutdownDelay: delay, Tasks: []model.Task{{Name: "server"}},
			Services: []model.Service{{Name: "web", Provider: model.ProviderConsul, Checks: []model.Check{{Name: "ready", Interval: time.Second}}}}}}}
}

func (f *fakeWorld) meta() map[string]string {
	out := map[string]string{gate.MetaMode: f.mode}
	if f.deadline != "" {
		out[gate.MetaHoldDeadline], out[gate.MetaOnDeadline] = f.deadline, model.OnDeadlineFail
	}
	return out
}

func (f *fakeWorld) Observe(context.Context, model.Key) model.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.observed++
	now := time.Now()
	regs := []model.Registration{registration("old", 1), registration("canary", 2)}
	p := model.Proxy{Name: "p", Started: model.Seen(time.Unix(1, 0), now),
		Settings: model.Seen(model.ProxySettings{ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second}, now), Tags: map[string]model.TagReading{}}
	svc := model.ProxyService{Name: "web@consulcatalog", Provider: model.ProviderConsulCatalog, Status: model.StatusEnabled}
	for i, r := range regs {
		p.Tags[r.ServiceID] = model.TagReading{Exposed: true}
		if i == 0 || f.listed {
			svc.Servers = append(svc.Servers, model.Server{HostPort: "10.0.0.1:" + string(rune('1'+i)), Weight: 1})
		}
	}
	p.Routing = model.Seen(model.Routing{Services: []model.ProxyService{svc},
		Routers: []model.Router{{Name: "web@consulcatalog", Provider: model.ProviderConsulCatalog, Service: svc.Name, Status: model.StatusEnabled}}}, now)
	out := model.Snapshot{Key: key, Region: "global", Datacenter: "dc1", Deployment: model.Seen(f.deployment, now), Overrides: model.Seen(model.Overrides{}, now), Job: model.Seen(*f.job(1), now),
		Allocations: model.Seen(f.allocations(), now),
		Catalog:     map[string]model.Fact[[]model.Registration]{"web": model.Seen(regs, now)},
		Proxies:     model.Seen([]model.Proxy{p}, now), Load: model.Seen(model.Load{}, now)}
	if f.fence != nil {
		f.fence.put(&out)
	}
	return out
}

func (f *fakeWorld) allocations() []model.Allocation {
	return []model.Allocation{
		{ID: "old", Name: "web.web[0]", Group: "web", DeploymentID: "d0", ClientStatus: model.ClientRunning, DesiredStatus: model.DesiredRun, Job: f.job(0)},
		{ID: "canary", Name: "web.web[0]", Group: "web", DeploymentID: depID, Canary: true, Health: model.HealthTrue, ClientStatus: model.ClientRunning, DesiredStatus: model.DesiredRun, Job: f.job(1)},
	}
}

func (f *fakeWorld) Allocations(context.Context, string, string) ([]model.Allocation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.allocations()
	if f.moved != nil {
		f.moved(&out[0], &out[1])
	}
	return out, f.unreadable
}

func registration(alloc string, port int) model.Registration {
	return model.Registration{ServiceID: alloc, ServiceName: "web", AllocID: alloc, Node: "n1", Address: "10.0.0.1", Port: port, Status: model.StatusPassing,
		Checks: []model.CheckStatus{{ID: alloc, ServiceID: alloc, Status: model.StatusPassing}}}
}

func (f *fakeWorld) Deployment(context.Context, model.Key) (*model.Deployment, error) {
	if f.beforeRead != nil {
		if err := f.beforeRead(); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.deployment
	return &d, nil
}

func (f *fakeWorld) Promote(_ context.Context, _ model.Key, groups []string) error {
	if f.beforePromote != nil {
		if err := f.beforePromote(); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.promotes++
	g := f.deployment.Groups[0]
	g.Promoted = len(groups) == 1 && groups[0] == g.Name
	f.deployment.Groups = []model.DeploymentGroup{g}
	if f.ends {
		f.deployment.Status = model.DeploymentSuccessful
	}
	return nil
}

func (f *fakeWorld) Pause(context.Context, model.Key) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deployment.Status = model.DeploymentPaused
	return nil
}

func (f *fakeWorld) Resume(context.Context, model.Key) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deployment.Status = model.DeploymentRunning
	return nil
}

func (f *fakeWorld) Fail(context.Context, model.Key) error {
	if f.beforePromote != nil {
		if err := f.beforePromote(); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails++
	f.deployment.Status = model.DeploymentFailed
	return nil
}

type stubRecorder struct {
	mu                   sync.Mutex
	records              []model.Record
	promotions, failures []error
	late                 time.Duration
}

func (s *stubRecorder) Failure(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, err)
}

func (s *stubRecorder) Promotion(err error, late time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.promotions, s.late = append(s.promotions, err), late
}

func (s *stubRecorder) Record(r model.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
}

func (s *stubRecorder) last() model.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[len(s.records)-1]
}

// reasons are those that were recorded, each once for as long as it stood.
func (s *stubRecorder) reasons() []model.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []model.Reason
	for _, r := range s.records {
		out = append(out, r.Decision.Reason)
	}
	return slices.Compact(out)
}

// stubLease has so much left of it.
type stubLease func() time.Duration

func (s stubLease) Left() time.Duration { return s() }

// A decision to promote is not enough: this process must lead when it writes,
// and for as long as the write may take.
func TestDoesNotWriteWithoutALease(t *testing.T) {
	cases := map[string]struct {
		left   time.Duration
		writes int
	}{
		"a lease that outlasts the write": {writeTimeout, 1},
		"no lease":                        {0, 0},
		"one that ends during the write":  {writeTimeout - time.Millisecond, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newWorld()
				rec := loopWith(t, f, Options{Lease: stubLease(func() time.Duration { return c.left })}, 20*time.Second)
				require.Equal(t, c.writes, f.promotes)
				if c.writes == 0 {
					require.Equal(t, model.Promote, rec.last().Decision.Verb)
					require.Contains(t, rec.last().Problem, "does not lead")
					require.ErrorIs(t, rec.promotions[0], ErrNotLeading)
				}
			})
		})
	}
}

// The lease is asked after the last read, not before: a read may take long.
func TestALeaseThatEndsDuringTheLastRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newWorld()
		until := time.Now().Add(time.Hour)
		f.beforeRead = func() error { until = time.Now(); return nil }
		loopWith(t, f, Options{Lease: stubLease(func() time.Duration { return time.Until(until) })}, 20*time.Second)
		require.Zero(t, f.promotes)
	})
}

func TestAfterATakeoverTheCatalogIsGivenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newWorld()
		began := time.Now()
		rec := loopWith(t, f, Options{TakenOver: began}, 40*time.Second)
		require.Equal(t, 1, f.promotes)
		require.Greater(t, rec.last().PromotedAt.Sub(began), gate.Recovery)
	})
}

// loop runs a controller over the world for the given time in a bubble.
func loop(t *testing.T, f *fakeWorld, dryRun bool, lasting time.Duration) *stubRecorder {
	t.Helper()
	return loopWith(t, f, Options{DryRun: dryRun}, lasting)
}

func loopWith(t *testing.T, f *fakeWorld, o Options, lasting time.Duration) *stubRecorder {
	t.Helper()
	rec := &stubRecorder{}
	loopInto(t, f, rec, o, lasting)
	return rec
}

func loopInto(t *testing.T, f *fakeWorld, rec *stubRecorder, o Options, lasting time.Duration) {
	t.Helper()
	o.Policy = gate.Policy{Margin: time.Second, DefaultMode: model.ModeObserve, Poll: 500 * time.Millisecond}
	r := New(f, f, rec, o)
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	c := NewController(r.Reconcile, 2, nil)
	c.Enqueue(key)
	require.NoError(t, c.Run(ctx))
}

func TestPromotesOnceAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newWorld()
		began := time.Now()
		rec := loop(t, f, false, 20*time.Second)
		require.Equal(t, 1, f.promotes)
		require.Equal(t, gate.ReasonPromoted, rec.last().Decision.Reason)
		require.Equal(t, 5*time.Second, rec.last().PromotedAt.Sub(began))
		require.Equal(t, []error{nil}, rec.promotions)
		require.Zero(t, rec.late, "no time passes in this world between the end of the window and the promotion")
	})
}

// Nomad ends a deployment within milliseconds of its promotion where nothing is
// left to place. Who follows the changes is told of the promotion all the same.
func TestAPromotionIsToldBeforeTheDeploymentEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newWorld()
		f.ends = true
		rec := loop(t, f, false, 20*time.Second)
		require.Equal(t, []model.Reason{gate.ReasonWindowRunning, gate.ReasonPredictedSafe, gate.ReasonPromoted, gate.ReasonDeploymentEnded}, rec.reasons())
		at := slices.IndexFunc(rec.records, func(r model.Record) bool { return r.Decision.Reason == gate.ReasonPromoted })
		told := rec.records[at]
		require.False(t, told.PromotedAt.IsZero())
		require.Equal(t, model.None, told.Decision.Verb)
		require.Contains(t, told.Decision.Conditions, model.Condition{Type: model.Promoted, Status: model.True, Reason: gate.ReasonAsExpected, Message: "Nomad accepted the promotion"})
		require.Contains(t, rec.records[at-1].Decision.Conditions, model.Condition{Type: model.Promoted, Status: model.False, Reason: gate.ReasonPending, Message: "not promoted"})
	})
}

// What the rules find is shown, ahead of what follows a promotion, and neither
// holds nor delays one.
func TestFindingsAreShownAndDoNotHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, rec := newWorld(), &stubRecorder{}
		bad := model.Condition{Type: model.JobSound, Status: model.False, Reason: "HasErrors", Message: "1 error"}
		before := 0
		sound := func(s model.Snapshot) model.Condition {
			require.Equal(t, key, s.Key)
			if f.promotes == 0 {
				before++
			}
			return bad
		}
		loopInto(t, f, rec, Options{Sound: sound}, 20*time.Second)
		require.Equal(t, 1, f.promotes)
		for _, r := range rec.records {
			if r.PromotedAt.IsZero() {
				before--
			}
			types := map[model.ConditionType]int{}
			for i, c := range r.Decision.Conditions {
				types[c.Type] = i
			}
			require.Equal(t, bad, r.Decision.Conditions[types[model.JobSound]])
			require.Equal(t, types[model.Promoted], types[model.JobSound]+1)
		}
		require.Zero(t, before, "in the pass that promotes, the rules are asked after the promotion")
	})
}

// How requests are parked is shown beside that, also while Nomad does not answer; it
// is looked at as often as it asks for, and neither holds nor delays a promotion.
func TestHowRequestsAreParkedIsShownAndDoesNotHold(t *testing.T) {
	for name, status := range map[string]model.ConditionStatus{"parked": model.True, "refused": model.False, "not known": model.Unknown} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, rec, asked := newWorld(), &stubRecorder{}, 0
				shown := model.Condition{Type: model.Parked, Status: status, Reason: "Parked", Message: "2 requests wait"}
				parked := func(d model.Deployment, s model.Snapshot) (*model.Condition, time.Duration) {
					require.Equal(t, key, s.Key)
					require.Equal(t, "web", d.JobID)
					asked++
					return &shown, time.Second
				}
				loopInto(t, f, rec, Options{Parked: parked}, 20*time.Second)
				require.Equal(t, 1, f.promotes)
				for _, r := range rec.records {
					at := slices.Index(r.Decision.Conditions, shown)
					require.Positive(t, at)
					require.Equal(t, model.Promoted, r.Decision.Conditions[at+1].Type)
				}
				require.Greater(t, asked, 15)
			})
		})
	}
	for again, want := range map[time.Duration]int{0: 1, time.Second: 20} {
		synctest.Test(t, func(t *testing.T) {
			f, rec, asked := newWorld(), &stubRecorder{}, 0
			f.change(model.DeploymentSuccessful)
			loopInto(t, f, rec, Options{Parked: func(model.Deployment, model.Snapshot) (*model.Condition, time.Duration) {
				asked++
				return nil, again
			}}, 20*time.Second-time.Millisecond)
			require.Equal(t, want, asked, "a deployment with nothing to decide, looked at every %s", again)
		})
	}
	require.Equal(t, []time.Duration{0, 2, 2, 1}, []time.Duration{sooner(0, 0), sooner(2, 0), sooner(0, 2), sooner(2, 1)})
}

func TestDoesNotWrite(t *testing.T) {
	cases := map[string]struct {
		world  func(*fakeWorld)
		dryRun bool
		last   model.Verb
	}{
		"in a dry run":                         {func(*fakeWorld) {}, true, model.Promote},
		"where the job is observed":            {func(f *fakeWorld) { f.mode = "observe" }, false, model.Promote},
		"where the gate holds":                 {func(f *fakeWorld) { f.listed = false }, false, model.Hold},
		"where the last read fails":            {func(f *fakeWorld) { f.beforeRead = func() error { return errors.New("refused") } }, false, model.Promote},
		"where the last read is another state": {func(f *fakeWorld) { f.beforeRead = func() error { f.change(model.DeploymentPaused); return nil } }, false, model.Hold},
		"where the last read shows an allocation that failed meanwhile": {func(f *fakeWorld) { f.beforeRead = func() error { f.failOne(); return nil } }, false, model.Promote},
		"where the allocations cannot be read once more":                {func(f *fakeWorld) { f.unreadable = errors.New("refused") }, false, model.Promote},
		"where Nomad was asked meanwhile to move the canary":            {func(f *fakeWorld) { f.moved = func(_, canary *model.Allocation) { canary.Migrating = true } }, false, model.Promote},
		"where Nomad stopped the canary meanwhile": {func(f *fakeWorld) {
			f.moved = func(_, canary *model.Allocation) { canary.DesiredStatus = model.DesiredStop }
		}, false, model.Promote},
		"where an old allocation was put on a node meanwhile": {func(f *fakeWorld) {
			f.moved = func(old, _ *model.Allocation) { old.ID, old.ClientStatus = "other", model.ClientPending }
		}, false, model.Promote},
		"where the last read takes 2.5 seconds": {func(f *fakeWorld) { f.beforeRead = func() error { time.Sleep(2500 * time.Millisecond); return nil } }, false, model.Hold},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newWorld()
				c.world(f)
				rec := loop(t, f, c.dryRun, 30*time.Second)
				require.Zero(t, f.promotes)
				verbs := map[model.Verb]bool{}
				for _, r := range rec.records {
					verbs[r.Decision.Verb] = true
				}
				require.True(t, verbs[c.last], "decisions seen: %v", verbs)
			})
		})
	}
}

func TestFailsOnceAfterTheDeadline(t *testing.T) {
	cases := map[string]struct {
		world func(*fakeWorld)
		dry   bool
		fails int
		lease Lease
	}{
		"what is held for too long":          {func(*fakeWorld) {}, false, 1, nil},
		"but not in a dry run":               {func(*fakeWorld) {}, true, 0, nil},
		"but not where the job is observed":  {func(f *fakeWorld) { f.mode = "observe" }, false, 0, nil},
		"but not what was paused meanwhile":  {func(f *fakeWorld) { f.beforeRead = func() error { f.change(model.DeploymentPaused); return nil } }, false, 0, nil},
		"but not where the last read fails":  {func(f *fakeWorld) { f.beforeRead = func() error { return errors.New("refused") } }, false, 0, nil},
		"but not what was listed after all":  {func(f *fakeWorld) { f.listed = true }, false, 0, nil},
		"and again where Nomad refused once": {func(f *fakeWorld) { f.beforePromote = once(errors.New("500")) }, false, 1, nil},
		"but not without a lease":            {func(*fakeWorld) {}, false, 0, stubLease(func() time.Duration { return writeTimeout - 1 })},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newWorld()
				f.listed, f.deadline = false, "30s"
				tt.world(f)
				rec := loopWith(t, f, Options{DryRun: tt.dry, Lease: tt.lease}, 60*time.Second)
				require.Equal(t, tt.fails, f.fails)
				if tt.fails > 0 {
					require.NoError(t, rec.failures[len(rec.failures)-1])
					require.Equal(t, gate.ReasonDeploymentEnded, rec.last().Decision.Reason)
					require.Zero(t, f.promotes)
				}
			})
		})
	}
}

// once returns a function that fails the first time.
func once(err error) func() error {
	return func() error {
		defer func() { err = nil }()
		return err
	}
}

func (f *fakeWorld) change(status string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deployment.Status = status
}

// failOne changes the deployment in a way that alone speaks against nothing.
func (f *fakeWorld) failOne() {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.deployment.Groups[0]
	g.UnhealthyAllocs++
	f.deployment.Groups = []model.DeploymentGroup{g}
}

func TestRefusedPromotionIsShownAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newWorld()
		refusals := 3
		f.beforePromote = func() error {
			if refusals--; refusals >= 0 {
				return errors.New("403: promote-deployment is missing")
			}
			return nil
		}
		rec := loop(t, f, false, 60*time.Second)
		require.Equal(t, 1, f.promotes)
		var problems int
		for _, r := range rec.records {
			if strings.Contains(r.Problem, "promote-deployment") {
				problems++
			}
		}
		require.GreaterOrEqual(t, problems, 3)
	})
}

func TestAJobKeepsItsNameWhileNomadIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, rec := newWorld(), &stubRecorder{}
		silent := false
		r := New(observeFunc(func() model.Snapshot {
			s := f.Observe(t.Context(), key)
			if silent {
				s.Deployment = model.Unseen[model.Deployment](time.Now(), "refused")
			}
			return s
		}), f, rec, Options{})
		for _, silent = range []bool{false, true} {
			_, err := r.Reconcile(t.Context(), key)
			require.NoError(t, err)
		}
		require.Equal(t, gate.ReasonNomadUnknown, rec.last().Decision.Reason)
		require.Equal(t, "web", rec.last().JobID)
		require.Equal(t, uint64(1), rec.last().JobVersion)
	})
}

func TestForgetsWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newWorld()
		f.deployment.Status = model.DeploymentFailed
		r := New(f, f, &stubRecorder{}, Options{Policy: gate.Policy{Poll: time.Second}})
		result, err := r.Reconcile(t.Context(), key)
		require.NoError(t, err)
		require.Zero(t, result.RequeueAfter)
		require.Empty(t, r.known)
	})
}

func TestShutdownEndsAPassWithoutRecordingIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &stubRecorder{}
		ctx, cancel := context.WithCancel(t.Context())
		r := New(observeFunc(func() model.Snapshot { cancel(); return model.Snapshot{Key: key} }), newWorld(), rec, Options{})
		_, err := r.Reconcile(ctx, key)
		require.NoError(t, err)
		require.Empty(t, rec.records)
	})
}

type observeFunc func() model.Snapshot

func (f observeFunc) Observe(context.Context, model.Key) model.Snapshot { return f() }
