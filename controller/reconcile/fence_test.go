package reconcile

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
)

// fakeFences keeps records as Consul does, has the node of the old instance obey
// at once, and the proxy drop what is in maintenance.
type fakeFences struct {
	*fakeWorld
	mu      sync.Mutex
	session string
	index   uint64
	stored  *model.Stored
	writes  []fence.Step
	before  func()
}

func newFakeFences() *fakeFences {
	f := newWorld()
	f.fence = &fakeFences{fakeWorld: f, session: "s1", index: 1}
	return f.fence
}

func (f *fakeFences) Store(_ context.Context, guard model.Guard, key string, value []byte, index uint64) (bool, error) {
	if f.before != nil {
		f.before()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if guard.Session != f.session || f.stored == nil && index != 0 || f.stored != nil && f.stored.Index != index {
		return false, nil
	}
	f.index++
	f.stored = &model.Stored{Key: key, Value: value, Session: guard.Session, Index: f.index}
	r, err := fence.Decode(value)
	f.writes = append(f.writes, r.Step)
	return true, err
}

func (f *fakeFences) Forget(_ context.Context, guard model.Guard, _ string, index uint64) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if guard.Session != f.session || f.stored == nil || f.stored.Index != index {
		return false, nil
	}
	f.stored = nil
	return true, nil
}

// put changes a snapshot as the record asks.
func (f *fakeFences) put(s *model.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	facts := model.FenceFacts{Fencers: map[string][]string{"n1": nil}, Record: f.stored}
	catalog := s.Catalog["web"].Value
	if f.stored != nil {
		r, _ := fence.Decode(f.stored.Value)
		facts.Fencers["n1"] = []string{r.Mark}
		if len(r.Set) > 0 {
			catalog[0].Status = model.StatusMaintenance
			catalog[0].Checks = append(catalog[0].Checks, model.CheckStatus{ID: model.ServiceMaintenance + catalog[0].ServiceID, Notes: fence.Keys{}.Reason(depID)})
			servers := s.Proxies.Value[0].Routing.Value.Services[0].Servers
			s.Proxies.Value[0].Routing.Value.Services[0].Servers = slices.DeleteFunc(servers, func(s model.Server) bool { return s.HostPort == "10.0.0.1:1" })
		}
	}
	s.Fence = model.Seen(facts, now)
}

// fenceLoop runs the loop over a world in which the old instance ends at once.
func fenceLoop(t *testing.T, f *fakeFences, lasting time.Duration, left ...time.Duration) *stubRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	f.hard = true
	rec := &stubRecorder{}
	r := New(f.fakeWorld, f.fakeWorld, rec, Options{
		Policy: gate.Policy{Margin: time.Second, DefaultMode: model.ModeObserve, Poll: 500 * time.Millisecond, Fence: model.FenceAuto, FencePatience: time.Minute},
		Lease:  stubLease(func() time.Duration { return append(left, 10*time.Second)[0] }),
		Fencing: &Fencing{Records: f, Keys: fence.KeysUnder("lead"), Self: "me",
			Guard: func() (model.Guard, bool) { return model.Guard{Key: "lead", Session: "s1"}, true }},
	})
	c := NewController(r.Reconcile, 1, nil)
	c.Enqueue(key)
	require.NoError(t, c.Run(ctx))
	return rec
}

func TestAFenceIsCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFences()
		rec := fenceLoop(t, f, 20*time.Second)
		require.Equal(t, 1, f.promotes)
		require.Equal(t, []fence.Step{fence.StepFencing, fence.StepArmed}, f.writes[:2])
		require.Equal(t, []model.Reason{gate.ReasonWindowRunning, fence.ReasonFencing, gate.ReasonFencedOut, gate.ReasonPromoted}, rec.reasons()[:4])
	})
}

// Between the decision and the write the leader may have lost its lock to
// another: then Consul refuses the record, and nothing is promoted.
func TestAnotherLeadersLockKeepsTheFenceFromBeingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFences()
		f.session = "another"
		rec := fenceLoop(t, f, 20*time.Second)
		require.Zero(t, f.promotes)
		require.Empty(t, f.writes)
		require.Equal(t, fence.ReasonFencing, rec.last().Decision.Reason)
	})
}

// What is read right before the promotion may show that it is not to be.
func TestACanaryThatMovesAfterTheFenceIsArmedIsNotPromoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFences()
		f.moved = func(_, canary *model.Allocation) { canary.Migrating = true }
		fenceLoop(t, f, 30*time.Second)
		require.Zero(t, f.promotes)
		require.Contains(t, f.writes, fence.StepArmed)
	})
}

func TestAFenceIsNotWrittenWithoutALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFences()
		fenceLoop(t, f, 20*time.Second, writeTimeout-time.Millisecond)
		require.Empty(t, f.writes)
		require.Zero(t, f.promotes)
	})
}
