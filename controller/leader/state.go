package leader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/model"
)

// change replaces the state, tells of it, and logs another role or leader.
func (e *Elector) change(ctx context.Context, to func(*model.Leadership)) {
	e.mu.Lock()
	before := e.state
	to(&e.state)
	after := e.state
	if after.Role != model.RoleLeader {
		e.lease = Lease{}
	}
	e.mu.Unlock()
	if after == before {
		return
	}
	if after.Role != before.Role || after.Leader != before.Leader || (after.Problem == "") != (before.Problem == "") {
		logr.FromContextOrDiscard(ctx).Info("leadership", "role", after.Role, "leader", after.Leader.Name, "address", after.Leader.Address, "why", after.Problem)
	}
	if e.options.Changed != nil {
		e.options.Changed(after)
	}
}

// won begins to lead. The lock as it was before says who led last.
func (e *Elector) won(ctx context.Context, lease Lease, before model.Lock, session string) {
	e.mu.Lock()
	e.lease, e.session = lease, session
	e.mu.Unlock()
	e.change(ctx, func(s *model.Leadership) {
		last, err := decode(before)
		other := before.Value != nil && (err != nil || last.ID != s.Self.ID)
		first := !other && (s.First || !s.Decided)
		*s = model.Leadership{Role: model.RoleLeader, Self: s.Self, Leader: e.taken, Decided: true, First: first, Term: s.Term}
		if other {
			s.Term++
		}
	})
}

// renewed takes over a lease, which may have run out in between.
func (e *Elector) renewed(ctx context.Context, lease Lease) {
	e.setLease(lease)
	e.change(ctx, func(s *model.Leadership) {
		s.Role, s.Leader, s.Problem = model.RoleLeader, e.taken, ""
	})
}

func (e *Elector) setLease(lease Lease) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lease = lease
}

// lost follows the instance that holds the lock.
func (e *Elector) lost(ctx context.Context, lock model.Lock) {
	leader, err := decode(lock)
	problem := ""
	if err != nil {
		leader = model.Instance{Name: "unknown"}
		problem = fmt.Sprintf("key %s is locked by session %s: %s", e.options.Key, model.Short(lock.Session), err)
	}
	e.change(ctx, func(s *model.Leadership) {
		*s = model.Leadership{Role: model.RoleFollower, Self: s.Self, Leader: leader, Decided: true, Term: s.Term, Problem: problem}
	})
}

// freed has seen the lock without a holder.
func (e *Elector) freed(ctx context.Context) {
	e.change(ctx, func(s *model.Leadership) {
		s.Leader, s.Problem = model.Instance{}, "nobody holds the lock at the moment"
	})
}

// wait is for the lock delay to be over.
func (e *Elector) wait(ctx context.Context) {
	e.change(ctx, func(s *model.Leadership) {
		s.Decided, s.Leader = true, model.Instance{}
		s.Problem = fmt.Sprintf("the last leader went without giving the lock back: it is free %s after Consul ended its session", e.options.TTL)
	})
}

// fail has not learned who leads. A leader stays one for as long as its lease
// lasts; a follower goes on naming whom it last saw.
func (e *Elector) fail(ctx context.Context, err error) {
	expired := e.Left() == 0
	e.change(ctx, func(s *model.Leadership) {
		s.Decided, s.Problem = true, err.Error()
		if s.Role == model.RoleLeader && expired {
			s.Role, s.Leader = model.RoleCandidate, model.Instance{}
		}
	})
}

// stepDown ends the lease at once.
func (e *Elector) stepDown(ctx context.Context, why string) {
	e.change(ctx, func(s *model.Leadership) {
		s.Role, s.Leader, s.Problem = model.RoleCandidate, model.Instance{}, why
	})
}

// errNoInstance is of a lock that something else than draingate holds.
var errNoInstance = errors.New("its value is not one of draingate's")

// decode reads who holds, or held, a lock.
func decode(lock model.Lock) (model.Instance, error) {
	var out model.Instance
	if err := json.Unmarshal(lock.Value, &out); err != nil || out.ID == "" {
		return model.Instance{}, errNoInstance
	}
	return out, nil
}
