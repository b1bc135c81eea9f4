package fencer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ttl = 10 * time.Second

var keys = fence.Keys{Prefix: "draingate/leader/"}

const ours = "draingate/dep"

// record wants s1 and s2 of node n1 in maintenance, and s3 of another node.
func record(mark string, step fence.Step) fence.Record {
	r := fence.Record{
		Format: fence.Format, Namespace: "default", Deployment: "dep", Job: "web", Seq: 1, Mark: mark, Step: step,
		Set: []fence.Target{{Alloc: "a", Name: "web.web[0]", Node: "n1", Services: []string{"s1", "s2"}}, {Alloc: "b", Node: "n2", Services: []string{"s3"}}},
	}
	if step == fence.StepArmed {
		r.Call = fence.CallPromote
	}
	return r
}

// running is a Fencer that runs in a bubble.
type running struct {
	*Fencer
	stop func()
	mu   sync.Mutex
	log  strings.Builder
	acts []string
}

func (r *running) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func (r *running) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.acts)
}

func first(a, _ int) int { return a }

func second(_, b int) int { return b }

func last(all []string, n int) []string { return all[max(0, len(all)-n):] }

func start(t *testing.T, c *fakeConsul, n *fakeNomad, change ...func(*Options)) *running {
	t.Helper()
	r := &running{}
	options := Options{Keys: keys, TTL: ttl, Instance: "pod/1", Did: func(act string, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil {
			r.acts = append(r.acts, act)
		}
	}}
	for _, do := range change {
		do(&options)
	}
	r.Fencer = New(c, n, options)
	ctx, cancel := context.WithCancel(logr.NewContext(t.Context(), funcr.New(func(_, args string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.log.WriteString(args + "\n")
	}, funcr.Options{})))
	end := make(chan error, 1)
	go func() { end <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-end)
		synctest.Wait()
	})
	return r
}

// after lets time pass in the bubble.
func after(d time.Duration) { time.Sleep(d); synctest.Wait() }

var both = map[string]string{"s1": ours, "s2": ours}

// fencing starts an instance and has it fence the record.
func fencing(t *testing.T, c *fakeConsul, n *fakeNomad, r fence.Record) *running {
	t.Helper()
	c.store(t, r, true)
	f := start(t, c, n)
	t.Cleanup(f.stop)
	after(time.Second)
	require.Subset(t, c.in(), both)
	marks, _ := c.acked()
	require.Equal(t, []string{r.Mark}, marks)
	return f
}

func TestItSetsAndAcknowledgesWhatItSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2", "other")
		var told atomic.Int64
		f := start(t, c, newNomad(), func(o *Options) { o.Records = func(all []fence.Held) { told.Store(int64(len(all))) } })
		defer f.stop()
		after(time.Minute + lookIdle/2)
		require.Equal(t, State{Node: "n1", Present: true}, f.State())
		require.Empty(t, c.in())
		require.Zero(t, told.Load())

		c.store(t, record("m1", fence.StepFencing), true)
		began := time.Now()
		for marks := []string(nil); len(marks) == 0; marks, _ = c.acked() {
			require.Less(t, time.Since(began), time.Second)
			if len(c.in()) < 2 {
				require.Empty(t, marks, "acknowledged before it was done")
			}
			after(time.Millisecond)
		}
		require.Equal(t, both, c.in())
		require.Equal(t, []string{"s1", "s2"}, f.State().Set)
		require.EqualValues(t, 1, told.Load())
		require.Less(t, time.Since(began), 3*passGap)
		c.with(func() { require.Contains(t, c.keys, "draingate/leader/nodes/n1/pod-1") })
		after(5 * time.Second)
		if diff := cmp.Diff([]string{ActAcknowledge, ActSet, ActSet, ActAcknowledge}, f.told()); diff != "" {
			t.Error(diff)
		}
	})
}

// What is not seen in maintenance is not acknowledged, whatever the order answered.
func TestItAcknowledgesNothingThatItDoesNotSee(t *testing.T) {
	for name, breaks := range map[string]func(*fakeConsul){
		"the agent tells nothing of its services": func(c *fakeConsul) { c.fail["services"] = errRefused },
		"the agent takes no orders":               func(c *fakeConsul) { c.fail["set"] = errRefused },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newConsul("s1", "s2")
				breaks(c)
				c.store(t, record("m1", fence.StepFencing), true)
				f := start(t, c, newNomad())
				defer f.stop()
				after(30 * time.Second)
				marks, present := c.acked()
				require.True(t, present)
				require.Empty(t, marks)
				require.Contains(t, f.State().Problem, "connection refused")
				require.Equal(t, 1, strings.Count(f.logged(), "fencing has a problem"), "told once: %s", f.logged())
				c.with(func() { clear(c.fail) })
				after(5 * time.Second)
				marks, _ = c.acked()
				require.Equal(t, []string{"m1"}, marks)
				require.Empty(t, f.State().Problem)
			})
		})
	}
}

func TestItLiftsWhatIsNotToBeFencedAnyMore(t *testing.T) {
	for name, ends := range map[string]func(*testing.T, *fakeConsul, fence.Record){
		"the record loses its lock": func(t *testing.T, c *fakeConsul, r fence.Record) { c.store(t, r, false) },
		"the record disappears":     func(_ *testing.T, c *fakeConsul, r fence.Record) { c.forget(r) },
		"the record ends": func(t *testing.T, c *fakeConsul, r fence.Record) {
			r.Mark, r.Step, r.Set = "m2", fence.StepEnded, nil
			c.store(t, r, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newConsul("s1", "s2")
				c.maintain("other", "by hand")
				r := record("m1", fence.StepFencing)
				f := fencing(t, c, newNomad(), r)
				defer f.stop()
				ends(t, c, r)
				after(2 * passGap)
				require.Equal(t, map[string]string{"other": "by hand"}, c.in())
				after(2 * passGap)
				require.Empty(t, f.State().Set)
				marks, present := c.acked()
				require.True(t, present)
				require.Empty(t, marks)
				require.Contains(t, f.logged(), `"msg"="fence lifted"`)
			})
		})
	}
}

func TestItKeepsWhatWasToldToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		r := record("m1", fence.StepFencing)
		f := fencing(t, c, newNomad(), r)
		r.Mark, r.Step, r.Kept, r.Set = "m2", fence.StepEnded, r.Set, nil
		c.store(t, r, false)
		after(time.Minute)
		require.Equal(t, both, c.in())
		f.stop()
		require.Equal(t, both, c.in())
	})
}

// An armed record outlives its lock until it is certain that nothing comes of it.
func TestAnArmedFenceWithoutItsLock(t *testing.T) {
	told := func(n *fakeNomad) { n.allocs[0].DesiredStatus = model.DesiredStop }
	tests := map[string]struct {
		nomad func(*fakeNomad)
		lifts bool
	}{
		"is released where nothing was promoted":       {func(*fakeNomad) {}, true},
		"not where a group was":                        {func(n *fakeNomad) { n.d.Groups[1].Promoted = true }, false},
		"not where it was told to stop":                {told, false},
		"not where it has ended":                       {func(n *fakeNomad) { n.allocs[0].ClientStatus = model.ClientComplete }, false},
		"not where Nomad has forgotten it":             {func(n *fakeNomad) { n.allocs = nil }, false},
		"not where Nomad does not answer":              {func(n *fakeNomad) { n.err = errRefused }, false},
		"not where its answers come too late":          {func(n *fakeNomad) { n.take = 2 * askTime }, false},
		"is released where the deployment is gone":     {func(n *fakeNomad) { n.d = nil }, true},
		"not what was told to stop and whose is gone":  {func(n *fakeNomad) { n.d = nil; told(n) }, false},
		"is released some time after it has failed":    {func(n *fakeNomad) { n.d.Groups[1].Promoted, n.d.Status = true, model.DeploymentFailed }, true},
		"is released where the promotion was complete": {func(n *fakeNomad) { n.d.Groups[1].Promoted, n.d.Status = true, model.DeploymentSuccessful }, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n := newConsul("s1", "s2"), newNomad()
				r := record("m1", fence.StepFencing)
				f := fencing(t, c, n, r)
				defer f.stop()
				c.store(t, record("m2", fence.StepArmed), true)
				after(time.Minute)
				require.Zero(t, first(n.seen()), "nothing is to be asked while it has its lock")
				n.with(func() { test.nomad(n) })
				c.store(t, record("m3", fence.StepArmed), false)
				after(fence.Window)
				require.Equal(t, both, c.in(), "the call may be on its way")
				after(fence.Settle + 3*time.Second)
				if test.lifts {
					require.Empty(t, c.in())
				} else {
					require.Equal(t, both, c.in())
				}
				require.Less(t, first(n.seen()), 60, "Nomad is not asked too often")
				require.Positive(t, first(n.seen()))
			})
		})
	}
}

// A read that began while the promotion may have been on its way says nothing,
// however late its answer comes.
func TestAReadCountsFromItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newConsul("s1", "s2"), newNomad()
		f := fencing(t, c, n, record("m1", fence.StepFencing))
		defer f.stop()
		n.with(func() { n.take = 4 * time.Second })
		c.store(t, record("m2", fence.StepArmed), false)
		after(fence.Window)
		n.with(func() { n.d.Groups[1].Promoted = true })
		after(time.Minute)
		require.Equal(t, both, c.in())
	})
}

func TestMaintenanceOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s2")
		c.maintain("s1", "disk is full")
		r := record("m1", fence.StepFencing)
		c.store(t, r, true)
		f := start(t, c, newNomad())
		after(time.Second)
		require.Equal(t, map[string]string{"s1": "disk is full", "s2": ours}, c.in())
		marks, _ := c.acked()
		require.Equal(t, []string{"m1"}, marks, "it is as good as ours")
		require.Equal(t, []string{"s2"}, f.State().Set)
		c.forget(r)
		after(time.Second)
		require.Equal(t, map[string]string{"s1": "disk is full"}, c.in())
		require.Equal(t, 1, c.called("lift"), "nobody is asked to lift it")
		f.stop()
		require.Equal(t, map[string]string{"s1": "disk is full"}, c.in())
	})
}

// Someone is faster, and Consul says so.
func TestAMaintenanceThatAppearsInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		c.take["set"] = time.Second
		c.store(t, record("m1", fence.StepFencing), true)
		f := start(t, c, newNomad())
		defer f.stop()
		after(500 * time.Millisecond)
		c.maintain("s1", "disk is full")
		after(3 * time.Second)
		require.Equal(t, map[string]string{"s1": "disk is full", "s2": ours}, c.in())
		marks, _ := c.acked()
		require.Equal(t, []string{"m1"}, marks)
	})
}

func TestAServiceThatIsRegisteredAnewIsSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		f := fencing(t, c, newNomad(), record("m1", fence.StepFencing))
		defer f.stop()
		c.maintain("s1", "")
		after(lookFenced + passGap)
		require.Equal(t, both, c.in())
		require.Contains(t, c.done(), "say {}", "it was not acknowledged in between")
		after(time.Second)
		marks, _ := c.acked()
		require.Equal(t, []string{"m1"}, marks)
	})
}

func TestOrphansAreLiftedAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s2")
		c.maintain("s1", "draingate/forgotten")
		f := start(t, c, newNomad())
		defer f.stop()
		after(time.Second)
		require.Empty(t, c.in())
		c.maintain("s2", "draingate/late")
		after(lookIdle)
		require.Empty(t, c.in())
	})
}

// What one record says that nobody can read may be about any service.
func TestARecordThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2", "s4")
		c.maintain("s5", "draingate/unreadable")
		f := fencing(t, c, newNomad(), record("m1", fence.StepFencing))
		defer f.stop()
		require.NotContains(t, c.in(), "s5", "an orphan, so far")
		c.maintain("s5", "draingate/unreadable")
		c.put(keys.Records()+"default/unreadable", []byte(`{"format": 99}`), true)
		r := record("m2", fence.StepFencing)
		r.Set = append(r.Set, fence.Target{Alloc: "d", Node: "n1", Services: []string{"s4"}})
		c.store(t, r, true)
		after(ttl)
		require.Equal(t, map[string]string{"s1": ours, "s2": ours, "s5": "draingate/unreadable"}, c.in())
		require.Contains(t, f.State().Problem, "default/unreadable")
		marks, _ := c.acked()
		require.Empty(t, marks)
	})
}

func TestRecordsThatCannotBeReadForLong(t *testing.T) {
	for name, step := range map[string]fence.Step{"fencing": fence.StepFencing, "armed": fence.StepArmed} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n := newConsul("s1", "s2"), newNomad()
				n.d.Groups[1].Promoted = true
				f := fencing(t, c, n, record("m1", step))
				defer f.stop()
				c.broken("list", errRefused)
				c.broken("watch", errRefused)
				after(2*ttl - time.Second)
				require.Equal(t, both, c.in())
				after(time.Second + ttl/2)
				if step == fence.StepArmed {
					require.Equal(t, both, c.in())
					return
				}
				require.Empty(t, c.in())
				c.broken("list", nil)
				after(ttl / 2)
				require.Equal(t, both, c.in(), "the leader was there all the time")
			})
		})
	}
}

func TestThePresenceComesBack(t *testing.T) {
	for name, loses := range map[string]func(*fakeConsul){
		"its session was ended": func(c *fakeConsul) { c.ends("session-1") },
		"its key was deleted":   func(c *fakeConsul) { delete(c.keys, "draingate/leader/nodes/n1/pod-1") },
		"a late write has undone what it acknowledges": func(c *fakeConsul) {
			s := c.keys["draingate/leader/nodes/n1/pod-1"]
			s.Value = []byte("{}")
			c.keys[s.Key] = s
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newConsul("s1", "s2")
				f := fencing(t, c, newNomad(), record("m1", fence.StepFencing))
				defer f.stop()
				c.with(func() { loses(c) })
				after(ttl/4 + passGap)
				marks, present := c.acked()
				require.True(t, present)
				require.Equal(t, []string{"m1"}, marks)
				require.True(t, f.State().Present)
				require.Empty(t, f.State().Problem)
			})
		})
	}
}

// Who cannot say that it is present still lifts what is to be lifted.
func TestWithoutAPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		r := record("m1", fence.StepFencing)
		f := fencing(t, c, newNomad(), r)
		defer f.stop()
		for _, name := range []string{"open", "renew", "take"} {
			c.broken(name, errRefused)
		}
		after(ttl)
		require.False(t, f.State().Present)
		require.Contains(t, f.State().Problem, "connection refused")
		require.Equal(t, both, c.in())
		c.forget(r)
		after(time.Second)
		require.Empty(t, c.in())
		c.with(func() { clear(c.fail) })
		after(ttl / 2)
		require.Equal(t, State{Node: "n1", Present: true}, f.State())
		require.Contains(t, f.logged(), "fencing works again")
	})
}

func TestAPresenceThatAnotherHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1")
		c.put("draingate/leader/nodes/n1/pod-1", nil, true)
		f := start(t, c, newNomad())
		defer f.stop()
		after(time.Second)
		require.False(t, f.State().Present)
		require.ErrorContains(t, errors.New(f.State().Problem), "another session holds it")
		c.with(func() { c.ends("leader") })
		after(ttl / 2)
		require.True(t, f.State().Present)
	})
}

// A write whose answer got lost may have arrived or not.
func TestAnAcknowledgementWhoseAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		r := record("m1", fence.StepFencing)
		f := fencing(t, c, newNomad(), r)
		defer f.stop()
		c.with(func() { c.take["take"] = loop.CallTime + 500*time.Millisecond })
		c.forget(r)
		after(loop.CallTime + 100*time.Millisecond)
		c.with(func() { clear(c.take) })
		c.store(t, r, true)
		after(ttl)
		marks, _ := c.acked()
		require.Equal(t, []string{"m1"}, marks)
	})
}
