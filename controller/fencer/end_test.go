package fencer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

func TestTheEndLiftsWhatIsNotArmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		f := fencing(t, c, newNomad(), record("m1", fence.StepFencing))
		began := time.Now()
		f.stop()
		require.Empty(t, c.in())
		_, present := c.acked()
		require.False(t, present)
		require.Equal(t, []string{"lift s1", "lift s2", "close"}, last(c.done(), 3))
		require.Less(t, time.Since(began), time.Second)
		require.False(t, f.State().Present)
		require.Contains(t, f.logged(), `"msg"="fence lifted" "service"="s2" "deployment"="dep"`)
	})
}

func TestTheEndKeepsWhatIsArmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newConsul("s1", "s2"), newNomad()
		f := fencing(t, c, n, record("m1", fence.StepArmed))
		after(time.Minute)
		f.stop()
		require.Equal(t, both, c.in())
		_, present := c.acked()
		require.False(t, present)
		require.Contains(t, f.logged(), "fences kept")
	})
}

// The records of the last read say what is armed where there is no other.
func TestTheEndWithoutRecords(t *testing.T) {
	for name, step := range map[string]fence.Step{"fencing": fence.StepFencing, "armed": fence.StepArmed} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newConsul("s1", "s2")
				f := fencing(t, c, newNomad(), record("m1", step))
				c.broken("list", errRefused)
				f.stop()
				if step == fence.StepArmed {
					require.Equal(t, both, c.in())
				} else {
					require.Empty(t, c.in())
				}
			})
		})
	}
}

// An order that is on its way when the end comes must not arrive after the last lift.
func TestTheEndWaitsForWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		c.take["set"] = time.Second
		c.store(t, record("m1", fence.StepFencing), true)
		f := start(t, c, newNomad())
		after(500 * time.Millisecond)
		require.Empty(t, c.in(), "it is on its way")
		f.stop()
		after(time.Minute)
		require.Empty(t, c.in())
		require.NotContains(t, c.done(), "set s2", "none is begun any more")
	})
}

func TestTheEndTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		f := fencing(t, c, newNomad(), record("m1", fence.StepFencing))
		c.broken("lift", errRefused)
		time.AfterFunc(time.Second, func() { c.broken("lift", nil) })
		f.stop()
		require.Empty(t, c.in())
	})
}

func TestTheEndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		f := fencing(t, c, newNomad(), record("m1", fence.StepFencing))
		c.broken("", errFrozen)
		after(time.Second)
		began := time.Now()
		f.stop()
		require.LessOrEqual(t, time.Since(began), leaveTime+2*time.Second+passGap)
		require.Contains(t, f.logged(), "may be left behind")
		require.Equal(t, both, c.in())
	})
}

func TestAnAgentThatIsFrozenAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		c.maintain("s1", ours)
		c.store(t, record("m1", fence.StepFencing), true)
		c.broken("", errFrozen)
		f := start(t, c, newNomad())
		defer f.stop()
		after(time.Minute)
		require.Empty(t, f.State().Node)
		require.Contains(t, f.State().Problem, "no answer")
		c.broken("", nil)
		after(ttl)
		require.Equal(t, both, c.in())
		marks, _ := c.acked()
		require.Equal(t, []string{"m1"}, marks)
		require.Empty(t, f.State().Problem)
	})
}

// Without the agent's name no record says that it is about this node.
func TestWithoutANameNothingIsLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		for id, reason := range both {
			c.maintain(id, reason)
		}
		c.broken("name", errRefused)
		c.store(t, record("m1", fence.StepFencing), true)
		f := start(t, c, newNomad())
		after(time.Minute)
		require.Equal(t, both, c.in())
		f.stop()
		require.Equal(t, both, c.in(), "the next instance sees to it")
	})
}

// A process that is stopped between its reads and its orders knows, once it goes
// on, nothing of what became of the record meanwhile.
func TestWhatWasReadLongAgoIsNotCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		r := record("m1", fence.StepFencing)
		c.store(t, r, true)
		var stopped atomic.Bool
		f := start(t, c, newNomad(), func(o *Options) {
			o.Records = func(all []fence.Held) {
				if !all[0].Locked && !stopped.Swap(true) {
					time.Sleep(time.Minute)
				}
			}
		})
		defer f.stop()
		after(time.Second)
		require.Equal(t, both, c.in())
		c.store(t, r, false)
		after(time.Second)
		require.True(t, stopped.Load())
		c.store(t, record("m2", fence.StepFencing), true)
		after(time.Minute)
		after(5 * time.Second)
		require.NotContains(t, c.done(), "lift s1")
		require.Equal(t, both, c.in())
		marks, _ := c.acked()
		require.Equal(t, []string{"m2"}, marks)
	})
}

func TestAPauseThatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newConsul("s1", "s2"), newNomad()
		n.d.Groups[1].Promoted = true
		r := record("m1", fence.StepArmed)
		r.Call, r.Pause, r.Rolling = fence.CallResume, true, true
		f := fencing(t, c, n, r)
		defer f.stop()
		after(10 * time.Second)
		require.Zero(t, second(n.seen()), "nothing was told to stop yet")
		n.with(func() { n.allocs[0].DesiredStatus = model.DesiredStop })
		after(2 * askGap)
		require.Equal(t, 1, second(n.seen()))
		after(time.Minute)
		require.Equal(t, 1, second(n.seen()))
		require.Contains(t, f.told(), ActPause)
		require.Contains(t, f.logged(), "deployment paused")
		require.Equal(t, both, c.in())
	})
}

// A Nomad that does not answer delays nothing at the agent.
func TestAFrozenNomadDelaysNoLift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newConsul("s1", "s2", "s4"), newNomad()
		n.take = time.Hour
		f := fencing(t, c, n, record("m1", fence.StepArmed))
		defer f.stop()
		c.store(t, record("m2", fence.StepArmed), false)
		other := record("m3", fence.StepFencing)
		other.Deployment, other.Set = "other", []fence.Target{{Alloc: "d", Node: "n1", Services: []string{"s4"}}}
		c.store(t, other, true)
		after(time.Second)
		require.Contains(t, c.in(), "s4")
		c.forget(other)
		after(2 * passGap)
		require.Equal(t, both, c.in())
		after(2 * askTime)
		require.Contains(t, f.State().Problem, "fenced without a leader")
	})
}

// Consul was restored from a snapshot: its indexes are lower than before.
func TestAnIndexThatGoesBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		f := start(t, c, newNomad())
		defer f.stop()
		after(time.Second)
		c.with(func() { c.change(); c.index = 2; c.change() })
		after(2 * loop.WatchTime)
		c.store(t, record("m1", fence.StepFencing), true)
		after(2 * passGap)
		require.Equal(t, both, c.in())
	})
}

func TestAChangeBesideTheRecordsMakesNoPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1")
		f := start(t, c, newNomad())
		defer f.stop()
		after(lookIdle / 2)
		before := c.called("services")
		for range 10 {
			c.with(c.change)
			after(passGap)
		}
		require.Equal(t, before, c.called("services"))
	})
}

func TestAPanicEndsNoMoreThanAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul("s1", "s2")
		var panics atomic.Bool
		panics.Store(true)
		r := record("m1", fence.StepFencing)
		c.store(t, r, true)
		f := start(t, c, newNomad(), func(o *Options) {
			o.Records = func([]fence.Held) {
				if panics.Load() {
					panic("nobody thought of this")
				}
			}
		})
		defer f.stop()
		after(time.Second)
		require.Contains(t, f.State().Problem, "nobody thought of this")
		panics.Store(false)
		after(ttl)
		require.Equal(t, both, c.in())
		require.Empty(t, f.State().Problem)
	})
}

func TestAFailedQuestionIsNoAnswer(t *testing.T) {
	s := &standings{nomad: newNomad(), board: &board{}, known: map[string]fence.Standing{}, asked: make(chan struct{}, 1)}
	s.want([]fence.Record{record("m1", fence.StepArmed)}, nil)
	require.NoError(t, loop.Summary(s.round(t.Context())))
	require.Contains(t, s.all(), "dep")
	s.nomad.(*fakeNomad).err = errRefused
	require.ErrorIs(t, loop.Summary(s.round(t.Context())), errRefused)
	require.Empty(t, s.all())
	s.nomad.(*fakeNomad).err = nil
	require.NoError(t, loop.Summary(s.round(t.Context())))
	s.want(nil, nil)
	require.Empty(t, s.all(), "nor is one to a question that is not asked any more")
}
