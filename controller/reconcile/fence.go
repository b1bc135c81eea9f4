package reconcile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
)

// Records keeps the records of fences, as Consul's KV store does.
type Records interface {
	// Store writes a key and locks it with the guard's session, only while that
	// session holds the guard's key and only where the key to be written is as it
	// was at the index, or is not there with index 0. It returns false where one of
	// these was not so.
	Store(ctx context.Context, guard model.Guard, key string, value []byte, index uint64) (bool, error)
	// Forget deletes a key under the same conditions.
	Forget(ctx context.Context, guard model.Guard, key string, index uint64) (bool, error)
}

// Fencing is what it takes to fence.
type Fencing struct {
	Records Records
	Keys    fence.Keys
	// Self names this process for people.
	Self string
	// Guard is the lock with which this process leads; false where it does not.
	Guard func() (model.Guard, bool)
	// Done is told of each step and its error; it may be nil.
	Done func(fence.Do, error)
}

// fencer says who decides in this pass.
func (r *Reconciler) fencer() gate.Fencer {
	f := r.options.Fencing
	if f == nil {
		return gate.Fencer{}
	}
	guard, leads := f.Guard()
	if !leads {
		return gate.Fencer{}
	}
	return gate.Fencer{Session: guard.Session, Self: f.Self, Mark: rand.Text()}
}

// fence makes the one write of a step of a fence, and reports whether it did.
func (r *Reconciler) fence(ctx context.Context, p *pass) (bool, error) {
	f, a := r.options.Fencing, p.Action
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	guard, leads := f.Guard()
	if !leads || guard.Session != p.fencer.Session || !r.leads() {
		return false, nil
	}
	wrote, err := r.step(ctx, guard, p)
	if f.Done != nil && (wrote || err != nil) {
		f.Done(a.Do, err)
	}
	switch log := logger(ctx, p.snapshot); {
	case err != nil:
		return false, fmt.Errorf("fence of deployment %s: %s: %w", model.Short(p.snapshot.Key.Deployment), a.Do, err)
	case !wrote:
		log.V(1).Info("world moved between decision and write", "fence", a.Do)
	default:
		var set []string
		if a.Record != nil {
			set = fence.Names(a.Record.Set)
		}
		log.Info("fence", "do", a.Do, "set", set, "why", a.Finding.Message, "tookMs", time.Since(p.now).Milliseconds())
	}
	return wrote, nil
}

// step writes the record, or asks Nomad. It returns false where the world had
// moved, so that nothing was written.
func (r *Reconciler) step(ctx context.Context, guard model.Guard, p *pass) (bool, error) {
	f, a, key := r.options.Fencing, p.Action, p.snapshot.Key
	var index uint64
	if stored := p.snapshot.Fence.Value.Record; stored != nil {
		index = stored.Index
	}
	switch a.Do {
	case fence.DoForget:
		return f.Records.Forget(ctx, guard, f.Keys.Record(key), index)
	case fence.DoPause:
		return done(r.promoter.Pause(ctx, key))
	case fence.DoFail:
		return r.again(ctx, p, r.promoter.Fail)
	case fence.DoResume:
		return r.again(ctx, p, r.promoter.Resume)
	default: // All others write the record.
	}
	value, err := a.Record.Encode()
	if err != nil {
		return false, err
	}
	return f.Records.Store(ctx, guard, f.Keys.Record(key), value, index)
}

// again makes a call to Nomad if it is still the one to make once the deployment
// and its allocations were read again: none of them has a compare-and-set.
func (r *Reconciler) again(ctx context.Context, p *pass, call func(context.Context, model.Key) error) (bool, error) {
	last, err := r.decideAgain(ctx, p, p.Memory)
	if err != nil {
		return false, ignoreMoved(err)
	}
	if last.Action.Do != p.Action.Do || !r.leads() {
		return false, nil
	}
	return done(call(ctx, p.snapshot.Key))
}

// ignoreMoved takes a world that moved for no error.
func ignoreMoved(err error) error {
	if errors.Is(err, ErrMoved) {
		return nil
	}
	return err
}

func done(err error) (bool, error) { return err == nil, err }
