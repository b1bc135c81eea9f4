package leader

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

// Elector takes part in the election for one process. Make one with New; its
// methods are safe for concurrent use.
type Elector struct {
	store   Store
	options Options

	// taken is what this instance last wrote, or tried to write, into the lock;
	// only the goroutine of Run knows it.
	taken model.Instance

	mu    sync.Mutex
	lease Lease
	// session is the one that the lease rests on.
	session string
	state   model.Leadership
}

// New returns an elector that has not begun. It does no I/O.
func New(store Store, options Options) *Elector {
	self := model.Instance{ID: rand.Text()[:12], Name: options.Name, Address: options.Address}
	return &Elector{store: store, options: options, state: model.Leadership{Role: model.RoleCandidate, Self: self}}
}

// Left is how much longer this instance may act: zero where it does not lead.
// It counts on the monotonic clock of the process, which goes on while the
// process is stopped, but not while the machine sleeps.
func (e *Elector) Left() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lease.Left(time.Now())
}

// Guard is the lock with which this instance leads; false where it does not.
func (e *Elector) Guard() (model.Guard, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lease.Left(time.Now()) == 0 {
		return model.Guard{}, false
	}
	return model.Guard{Key: e.options.Key, Session: e.session}, true
}

// State is who leads as far as this instance knows now.
func (e *Elector) State() model.Leadership {
	e.mu.Lock()
	defer e.mu.Unlock()
	state := e.state
	if state.Role == model.RoleLeader && e.lease.Left(time.Now()) == 0 {
		state.Role, state.Leader = model.RoleCandidate, model.Instance{}
		state.Problem = problemNotRenewed
	}
	return state
}

const problemNotRenewed = "the lease was not renewed in time"

// The longest random pause of an instance that has seen the lock get free, so
// that not all ask at once; and the nominal one while the lock delay lasts.
const (
	spread     = 200 * time.Millisecond
	retryDelay = time.Second
)

// Run takes part until ctx ends, and then gives the lock back, so that another
// instance can lead at once: nothing may act for this one any more when ctx
// ends. It tries again after every error but a hopeless one at the start.
func (e *Elector) Run(ctx context.Context) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = spread, e.options.TTL/4
	for ctx.Err() == nil {
		err := e.round(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			pause.Reset()
			loop.Sleep(ctx, mathrand.N(spread))
		case e.hopeless(err):
			return err
		default:
			e.fail(ctx, err)
			loop.Sleep(ctx, pause.NextBackOff())
		}
	}
	return nil
}

func (e *Elector) hopeless(err error) bool {
	return !e.State().Decided && e.options.Hopeless != nil && e.options.Hopeless(err)
}

// round follows while another instance leads, and then has one session with
// which it tries to. It returns nil where that ended in an orderly way.
func (e *Elector) round(ctx context.Context) error {
	if e.State().Role == model.RoleFollower {
		if err := e.follow(ctx); err != nil {
			return err
		}
	}
	begun := time.Now()
	session, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer e.close(ctx, session)
	lease, err := e.campaign(ctx, session, begun)
	if err != nil || lease == (Lease{}) {
		return err
	}
	e.hold(ctx, session)
	return nil
}

// open makes a session whose lock delay is as long as a lease.
func (e *Elector) open(ctx context.Context) (string, error) {
	ctx, cancel := e.call(ctx)
	defer cancel()
	return e.store.OpenSession(ctx, "draingate "+e.options.Name, e.options.TTL, e.options.TTL)
}

// call bounds one question.
func (e *Elector) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, e.options.TTL/4)
}

// leaveTimeout bounds each of the two calls with which an instance that stops
// gives up the lock and its session.
const leaveTimeout = 2 * time.Second

// close ends a session also where ctx has ended. What cannot be closed ends
// with its TTL.
func (e *Elector) close(ctx context.Context, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := e.store.CloseSession(ctx, session); err != nil {
		logr.FromContextOrDiscard(ctx).V(1).Info("session left to its TTL", "why", err.Error())
	}
}

// campaign tries to take the lock until it has it or another instance does,
// for which it returns the zero Lease. The lease counts from the beginning of
// the last renewal, or of the making of the session, that came before the lock.
func (e *Elector) campaign(ctx context.Context, session string, begun time.Time) (Lease, error) {
	for ctx.Err() == nil {
		lock, taken, err := e.try(ctx, session)
		switch {
		case err != nil:
			return Lease{}, err
		case taken:
			lease := NewLease(begun, e.options.TTL)
			e.won(ctx, lease, lock, session)
			return lease, nil
		case lock.Session != "":
			e.lost(ctx, lock)
			return Lease{}, nil
		}
		e.wait(ctx)
		loop.Sleep(ctx, retryDelay/2+mathrand.N(retryDelay))
		begun = time.Now()
		if alive, err := e.renew(ctx, session); err != nil || !alive {
			return Lease{}, err
		}
	}
	return Lease{}, nil
}

// try asks for the lock, and returns it as it was before that, or as it is
// after where another instance was faster.
func (e *Elector) try(ctx context.Context, session string) (model.Lock, bool, error) {
	ctx, cancel := e.call(ctx)
	defer cancel()
	before, err := e.store.Lock(ctx, e.options.Key, 0, 0)
	if err != nil {
		return model.Lock{}, false, err
	}
	e.taken = e.State().Self
	e.taken.Since = time.Now().UTC().Round(0)
	value, err := json.Marshal(e.taken)
	if err != nil {
		return model.Lock{}, false, fmt.Errorf("encode the value of key %s: %w", e.options.Key, err)
	}
	taken, err := e.store.TakeLock(ctx, e.options.Key, value, session)
	if err != nil || taken || before.Session != "" {
		return before, taken, err
	}
	after, err := e.store.Lock(ctx, e.options.Key, 0, 0)
	return after, false, err
}

func (e *Elector) renew(ctx context.Context, session string) (bool, error) {
	ctx, cancel := e.call(ctx)
	defer cancel()
	return e.store.RenewSession(ctx, session)
}

// hold renews the lease until the lock is lost or ctx ends. A lease that ran
// out comes back with the next renewal, if the lock is still held then.
func (e *Elector) hold(ctx context.Context, session string) {
	pause := e.options.TTL / 4
	for {
		loop.Sleep(ctx, pause)
		if ctx.Err() != nil {
			e.leave(ctx, session)
			return
		}
		begun := time.Now()
		held, err := e.confirm(ctx, session)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			e.fail(ctx, err)
			pause = e.options.TTL / 20
		case !held:
			e.stepDown(ctx, "the session or its lock is gone")
			return
		default:
			e.renewed(ctx, NewLease(begun, e.options.TTL))
			pause = e.options.TTL / 4
		}
	}
}

// confirm renews the session and then reads the lock: only both together say
// that nobody else can have it before the lease that begins now is over.
func (e *Elector) confirm(ctx context.Context, session string) (bool, error) {
	if alive, err := e.renew(ctx, session); err != nil || !alive {
		return false, err
	}
	ctx, cancel := e.call(ctx)
	defer cancel()
	lock, err := e.store.Lock(ctx, e.options.Key, 0, 0)
	return lock.Session == session, err
}

// follow waits while another instance holds the lock.
func (e *Elector) follow(ctx context.Context) error {
	var index uint64
	for ctx.Err() == nil {
		lock, err := e.watch(ctx, index)
		if err != nil {
			return err
		}
		if lock.Session == "" {
			e.freed(ctx)
			return nil
		}
		e.lost(ctx, lock)
		// An index that went backwards, as after a restored snapshot, means to
		// begin anew; one that is zero would make every query return at once.
		if lock.Index < index {
			lock.Index = 0
		}
		index = max(lock.Index, 1)
	}
	return nil
}

// watch waits for a change for one TTL at most.
func (e *Elector) watch(ctx context.Context, index uint64) (model.Lock, error) {
	// Consul adds up to a sixteenth to the time (agent/blockingquery, v1.22.3).
	ctx, cancel := context.WithTimeout(ctx, e.options.TTL+e.options.TTL/2)
	defer cancel()
	return e.store.Lock(ctx, e.options.Key, index, e.options.TTL)
}

// leave ends the lease and then gives the lock back.
func (e *Elector) leave(ctx context.Context, session string) {
	e.stepDown(ctx, "stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	value, err := json.Marshal(e.taken)
	if err == nil {
		_, err = e.store.LeaveLock(ctx, e.options.Key, value, session)
	}
	if err != nil {
		logr.FromContextOrDiscard(ctx).Info("lock left to the TTL of its session", "why", err.Error())
	}
}
