package reconcile

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

var parkKeys = park.KeysUnder(model.DefaultLeaderKey)

// parkWorld is a service whose only instance is told to stop at some time, with an
// instance of draingate on n2, and Consul's store.
type parkWorld struct {
	mu      sync.Mutex
	told    bool
	unread  bool
	refuse  error
	session string
	stored  []model.Stored
	index   uint64
	steps   []park.Step
	wrote   []string
	seen    []model.Reason
	wishes  []park.Wish
	unknown []string
	records []*park.Record
}

func newParkWorld() *parkWorld {
	return &parkWorld{session: "s1", index: 1, stored: []model.Stored{{Key: parkKeys.Parker("n2", "x"), Value: []byte(`{}`), Session: "s"}}}
}

func (w *parkWorld) with(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func (w *parkWorld) Service(context.Context, string) (model.Fact[[]model.Registration], model.Fact[[]model.Proxy]) {
	now := time.Now()
	r := model.Registration{ServiceID: "old", AllocID: "old", Node: "n1", Address: "10.0.0.1", Port: 80, Status: model.StatusPassing}
	p := model.Proxy{
		Name: "edge", Tags: map[string]model.TagReading{"old": {Exposed: true, Services: []model.TagService{{Name: "web", HostPort: "10.0.0.1:80"}}}},
		Settings: model.Seen(model.ProxySettings{Prefix: "traefik"}, now),
		Routing:  model.Seen(model.Routing{Services: []model.ProxyService{{Name: "web", Status: model.StatusEnabled, Servers: []model.Server{{HostPort: "10.0.0.1:80"}}}}}, now),
	}
	return model.Seen([]model.Registration{r}, now), model.Seen([]model.Proxy{p}, now)
}

func (w *parkWorld) JobsOf(context.Context, string) []park.JobFacts {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	j := &model.Job{ID: "web", Namespace: "default", Version: 2, Meta: map[string]string{"draingate_park": "30s"}, Groups: []model.Group{{
		Name: "app", Count: 1, ShutdownDelay: 6 * time.Second, Tasks: []model.Task{{Name: "app", ShutdownDelay: 6 * time.Second, Services: []model.Service{{Name: "web", Task: "app"}}}},
	}}}
	a := model.Allocation{ID: "old", Job: j, Group: "app", DesiredStatus: model.DesiredRun, ClientStatus: model.ClientRunning}
	if w.told {
		a.DesiredStatus = "stop"
	}
	f := park.JobFacts{Job: model.Seen(j, now), Allocations: model.Seen([]model.Allocation{a}, now), Overrides: model.Seen(model.Overrides{}, now)}
	if w.unread {
		f.Allocations = model.Unseen[[]model.Allocation](now, "no answer")
	}
	return []park.JobFacts{f}
}

func (w *parkWorld) List(context.Context, string, uint64, time.Duration) ([]model.Stored, uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]model.Stored(nil), w.stored...), w.index, w.refuse
}

func (w *parkWorld) Store(_ context.Context, guard model.Guard, key string, value []byte, index uint64) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if guard != (model.Guard{Key: "lead", Session: w.session}) || index != w.of(key) {
		return false, nil
	}
	r, err := park.Decode(value)
	w.steps = append(w.steps, r.Step)
	w.index++
	w.drop(key)
	w.stored = append(w.stored, model.Stored{Key: key, Value: value, Index: w.index})
	return true, err
}

func (w *parkWorld) Forget(_ context.Context, guard model.Guard, key string, index uint64) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if guard.Session != w.session || index != w.of(key) {
		return false, nil
	}
	w.steps = append(w.steps, "forgotten")
	w.drop(key)
	return true, nil
}

func (w *parkWorld) of(key string) uint64 {
	for _, s := range w.stored {
		if s.Key == key {
			return s.Index
		}
	}
	return 0
}

func (w *parkWorld) drop(key string) {
	for i, s := range w.stored {
		if s.Key == key {
			w.stored = append(w.stored[:i:i], w.stored[i+1:]...)
		}
	}
}

func (w *parkWorld) Parked(record *park.Record, world park.World, finding park.Finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen, w.records, w.wishes = append(w.seen, finding.Reason), append(w.records, record), append(w.wishes, world.Wish)
}

func (w *parkWorld) Unread(_ string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unknown = append(w.unknown, err.Error())
}

func (w *parkWorld) Wrote(do park.Do, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrote = append(w.wrote, string(do))
	if err != nil {
		w.wrote = append(w.wrote, err.Error())
	}
}

// parks runs the loop: the instance is told to stop after 5 s.
func parks(t *testing.T, w *parkWorld, lasting time.Duration, change ...func(*ParkOptions)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	options := ParkOptions{
		Keys: parkKeys, Records: w, Self: "me", Lease: stubLease(func() time.Duration { return 10 * time.Second }),
		Guard: func() (model.Guard, bool) { return model.Guard{Key: "lead", Session: "s1"}, true },
	}
	for _, do := range change {
		do(&options)
	}
	p := NewParks(w, w, w, options)
	c := NewController(p.Reconcile, 1, nil)
	c.Enqueue("web")
	stop := time.AfterFunc(5*time.Second, func() { w.with(func() { w.told = true }); c.Enqueue("web") })
	defer stop.Stop()
	require.NoError(t, c.Run(ctx))
}

func TestAParkIsWrittenOnceAndToldInEachPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newParkWorld()
		parks(t, w, 10*time.Second)
		require.Equal(t, []park.Step{park.StepParking}, w.steps)
		require.Equal(t, []string{"Store"}, w.wrote)
		require.Empty(t, w.seen[0])
		require.Nil(t, w.records[0])
		last := len(w.records) - 1
		require.Greater(t, last, 20, "it is looked at again and again")
		require.Equal(t, park.ReasonParked, w.seen[last])
		r := w.records[last]
		require.Equal(t, []string{"n2"}, r.Nodes)
		require.Equal(t, []string{"default", "web"}, []string{w.wishes[last].Namespace, w.wishes[last].Job})
		require.Empty(t, w.unknown)
		require.Equal(t, []park.Going{{Alloc: "old", Address: "10.0.0.1:80", Until: r.Since.Add(12*time.Second - park.Margin)}}, r.Going, "it was seen while it ran")
	})
}

func TestWhatKeepsAParkFromBeingWritten(t *testing.T) {
	tests := map[string]struct {
		world  func(*parkWorld)
		option func(*ParkOptions)
	}{
		"nothing is to be written": {func(*parkWorld) {}, func(o *ParkOptions) { o.DryRun = true }},
		"it does not lead": {func(*parkWorld) {}, func(o *ParkOptions) {
			o.Guard = func() (model.Guard, bool) { return model.Guard{Key: "lead", Session: "s1"}, false }
		}},
		"its lease is nearly over":   {func(*parkWorld) {}, func(o *ParkOptions) { o.Lease = stubLease(func() time.Duration { return parkCall - 1 }) }},
		"another has the lock":       {func(w *parkWorld) { w.session = "s2" }, func(*ParkOptions) {}},
		"records cannot be read":     {func(w *parkWorld) { w.refuse = errors.New("refused") }, func(*ParkOptions) {}},
		"allocations cannot be read": {func(w *parkWorld) { w.unread = true }, func(*ParkOptions) {}},
		"a record has another form": {func(w *parkWorld) {
			w.stored = append(w.stored, model.Stored{Key: parkKeys.Record("api"), Value: []byte(`{"format":9}`)})
		}, func(*ParkOptions) {}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newParkWorld()
				tt.world(w)
				parks(t, w, 10*time.Second, tt.option)
				require.Empty(t, w.steps)
				require.Empty(t, w.wrote)
				require.Equal(t, len(w.seen) == 0, len(w.unknown) > 0, "a pass that cannot read the record tells so: %v", w.unknown)
			})
		})
	}
}

// What is written rests on the record that was read: one that changed meanwhile stays.
func TestARecordThatChangedMeanwhileIsNotWrittenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newParkWorld()
		other := park.Record{Format: park.Format, Service: "web", Mark: "x", Step: park.StepParking}
		value, err := other.Encode()
		require.NoError(t, err)
		parks(t, w, 6*time.Second, func(o *ParkOptions) {
			o.Guard = func() (model.Guard, bool) {
				w.with(func() {
					w.index++
					w.drop(parkKeys.Record("web"))
					w.stored = append(w.stored, model.Stored{Key: parkKeys.Record("web"), Value: value, Index: w.index})
				})
				return model.Guard{Key: "lead", Session: "s1"}, true
			}
		})
		require.Empty(t, w.steps)
		require.Empty(t, w.wrote)
	})
}

// After a takeover nobody knows how long ago it was told.
func TestAfterATakeoverNoEndIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newParkWorld()
		w.told = true
		parks(t, w, time.Second)
		require.Equal(t, []park.Going{{Alloc: "old", Address: "10.0.0.1:80"}}, w.records[len(w.records)-1].Going)
	})
}

// A park that another leader began is ended by this one: each write rests on the one before.
func TestAParkThatAnotherLeaderBeganIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newParkWorld()
		r := park.Record{Format: park.Format, Service: "web", Mark: "x", Step: park.StepLeaving, Nodes: []string{"n9"}}
		value, err := r.Encode()
		require.NoError(t, err)
		w.stored = append(w.stored, model.Stored{Key: parkKeys.Record("web"), Value: value, Index: 9})
		parks(t, w, 4*time.Second)
		require.Equal(t, []park.Step{park.StepOut, "forgotten"}, w.steps)
		require.Equal(t, []string{"Store", "Forget"}, w.wrote)
	})
}
