package leader

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ttl = MinTTL

func TestLease(t *testing.T) {
	begun := time.Now()
	cases := map[string]struct {
		lease Lease
		at    time.Duration
		left  time.Duration
	}{
		"a new lease lasts nine tenths of its TTL": {NewLease(begun, ttl), 0, 9 * time.Second},
		"it counts from the beginning":             {NewLease(begun, ttl), 4 * time.Second, 5 * time.Second},
		"it ends":                                  {NewLease(begun, ttl), 9 * time.Second, 0},
		"it stays ended":                           {NewLease(begun, ttl), time.Hour, 0},
		"a time before its beginning is no time":   {NewLease(begun, ttl), -time.Second, 0},
		"none has nothing left":                    {Lease{}, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.left, c.lease.Left(begun.Add(c.at))) })
	}
}

// instance is one elector that runs in a bubble.
type instance struct {
	*Elector
	*link
	stop func()
	end  chan error

	mu      sync.Mutex
	history []model.Leadership
}

func join(t *testing.T, c *fakeConsul, name string, trips ...trip) *instance {
	i := &instance{link: &link{consul: c, trips: trips}, end: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	i.Elector = New(i.link, Options{Key: "draingate/leader", TTL: ttl, Name: name, Address: name + ":4689", Changed: func(s model.Leadership) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.history = append(i.history, s)
	}, Hopeless: func(err error) bool { return errors.Is(err, errDenied) }})
	go func() { i.end <- i.Run(ctx) }()
	i.stop = func() { cancel(); <-i.end; i.calling.Wait() }
	return i
}

var errDenied = errors.New("denied")

func (i *instance) roles() []model.Role {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []model.Role
	for _, s := range i.history {
		if len(out) == 0 || out[len(out)-1] != s.Role {
			out = append(out, s.Role)
		}
	}
	return out
}

func after(d time.Duration) { time.Sleep(d); synctest.Wait() }

// until is how long it takes that the instance may act.
func (i *instance) until(t *testing.T, limit time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		if i.Left() > 0 {
			return time.Since(began)
		}
		after(10 * time.Millisecond)
	}
	t.Fatalf("%s does not lead within %s: %+v", i.options.Name, limit, i.State())
	return 0
}

func TestOneLeadsAndTheOthersKnowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		defer a.stop()
		after(time.Second)
		b := join(t, c, "b")
		defer b.stop()
		after(time.Minute)
		require.Equal(t, []model.Role{model.RoleLeader}, a.roles())
		require.True(t, a.State().First, "nobody led before")
		require.Equal(t, []model.Role{model.RoleFollower}, b.roles())
		require.Equal(t, a.State().Leader, b.State().Leader)
		require.Equal(t, "a:4689", b.State().Leader.Address)
		require.False(t, b.State().Looks())
		require.Zero(t, b.Left())
		require.GreaterOrEqual(t, a.Left(), 6*time.Second, "renewed every quarter of the TTL")
		require.Len(t, c.sessions, 1, "a follower has no session")
	})
}

// A lock that was had late is no younger a lease: it counts from before the
// session was made.
func TestALockHadLateIsALeaseHalfSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := join(t, newConsul(2), "a", trip{There: 600 * time.Millisecond, Back: 600 * time.Millisecond})
		defer a.stop()
		took := a.until(t, time.Minute)
		require.Greater(t, took, 3*time.Second)
		require.LessOrEqual(t, a.Left(), ttl-ttl/marginParts-took+20*time.Millisecond)
	})
}

// A renewal counts from when it was begun: what its two calls take is gone by
// the time their answers are there.
func TestARenewalThatTakesLongIsAShorterLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := join(t, newConsul(2), "a", trip{There: 500 * time.Millisecond, Back: 500 * time.Millisecond})
		defer a.stop()
		a.until(t, time.Minute)
		after(ttl)
		var longest time.Duration
		for range 200 {
			after(ttl / 100)
			longest = max(longest, a.Left())
		}
		require.Positive(t, longest)
		require.LessOrEqual(t, longest, ttl-ttl/marginParts-2*time.Second)
	})
}

func TestALeaderThatStopsIsFollowedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		after(time.Second)
		b := join(t, c, "b")
		defer b.stop()
		after(time.Second)
		a.stop()
		require.Zero(t, a.Left())
		require.LessOrEqual(t, b.until(t, time.Minute), spread+10*time.Millisecond)
		require.False(t, b.State().First, "another led before")
		require.Len(t, c.sessions, 1)
	})
}

func TestALeaderThatVanishesIsFollowedWithinTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		after(time.Second)
		b := join(t, c, "b")
		defer b.stop()
		after(time.Second)
		a.set(true)
		took := b.until(t, time.Minute)
		require.LessOrEqual(t, took, 3*ttl+2*time.Second, "two TTLs, the lock delay and one try")
		require.Equal(t, model.RoleCandidate, a.State().Role)
		a.set(false)
		after(ttl)
		require.Equal(t, model.RoleFollower, a.State().Role)
		require.Equal(t, b.State().Leader, a.State().Leader)
		a.stop()
	})
}

// What was seen before another instance led, unnoticed, does not count.
func TestALeadRegainedAfterAnotherBeginsANewTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		defer a.stop()
		after(time.Second)
		a.set(true)
		b := join(t, c, "b")
		b.until(t, time.Minute)
		b.stop()
		require.Zero(t, a.State().Term)
		a.set(false)
		a.until(t, time.Minute)
		require.Equal(t, 1, a.State().Term)
		require.False(t, a.State().First)
		require.NotContains(t, a.roles(), model.RoleFollower, "it never saw the other lead")
	})
}

// A session that someone destroys ends at once, and the holder may not have
// noticed: the lock delay covers the rest of its lease.
func TestADestroyedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		defer a.stop()
		after(time.Second)
		lock, _ := c.read()
		c.end(lock.Session)
		after(ttl / 4)
		require.Zero(t, a.Left())
		require.Equal(t, model.RoleCandidate, a.State().Role)
		require.Contains(t, a.State().Problem, "lock")
		require.InDelta(t, ttl.Seconds(), a.until(t, time.Minute).Seconds(), 4)
		require.True(t, a.State().First, "it looked all the time, and nobody else led")
	})
}

func TestALeaderThatIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		defer a.stop()
		after(time.Second)
		a.set(true)
		after(ttl)
		require.Zero(t, a.Left(), "it stops by itself")
		require.True(t, a.State().Looks(), "nobody else is known to lead")
		require.NotEmpty(t, a.State().Problem)
		a.set(false)
		after(ttl / 2)
		require.Positive(t, a.Left(), "the session outlived the silence")
		require.Empty(t, a.State().Problem)
	})
}

// Someone deletes the key: the lock is gone without a lock delay.
func TestADeletedKeyIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		a := join(t, c, "a")
		defer a.stop()
		after(time.Second)
		c.mu.Lock()
		c.lock = model.Lock{Index: c.lock.Index, Session: ""}
		c.change()
		c.mu.Unlock()
		after(ttl/4 + 100*time.Millisecond)
		require.Contains(t, a.roles(), model.RoleCandidate)
	})
}

func TestAHopelessErrorEndsItAtTheStartOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		i := &link{consul: c, deny: errDenied}
		err := New(i, Options{TTL: ttl, Hopeless: func(err error) bool { return errors.Is(err, errDenied) }}).Run(t.Context())
		require.ErrorIs(t, err, errDenied)

		a := join(t, c, "a")
		after(time.Second)
		a.refuse(errDenied)
		after(time.Minute)
		require.Equal(t, "denied", a.State().Problem)
		a.refuse(nil)
		a.until(t, time.Minute)
		a.stop()
	})
}

func TestALockThatAnotherProgramHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsul(2)
		id := c.open(time.Hour, 0)
		_, err := c.take([]byte("mine"), id)
		require.NoError(t, err)
		a := join(t, c, "a")
		after(time.Minute)
		require.Equal(t, model.RoleFollower, a.State().Role)
		require.Contains(t, a.State().Problem, "not one of draingate's")
		a.stop()
		c.end(id)
	})
}
