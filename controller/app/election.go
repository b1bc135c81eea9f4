package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/leader"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/reconcile"
)

// newElector makes the elector; nil where there is no election. A dry run takes
// no part: it never writes, and must not keep one that would from leading.
func (a *App) newElector(o options.Run) *leader.Elector {
	if !elects(o) {
		return nil
	}
	role := model.RoleCandidate
	return leader.New(a.consul, leader.Options{
		Key: o.Leader.Key, TTL: o.Leader.TTL, Name: instanceName(), Address: advertised(o.Leader.Advertise, a.Addr()),
		Hopeless: func(err error) bool { return errors.Is(err, consul.ErrForbidden) },
		Changed: func(l model.Leadership) {
			if l.Role != role {
				role = l.Role
				a.metrics.Became(role)
			}
			select {
			case a.changes <- struct{}{}:
			default: // One that nobody has read yet says the same.
			}
		},
	})
}

func elects(o options.Run) bool { return !o.DryRun && !o.Leader.Off }

// instanceName tells instances apart for people: the host, and the allocation
// where there is one.
func instanceName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	if alloc := os.Getenv("NOMAD_ALLOC_ID"); alloc != "" {
		return host + "/" + model.Short(alloc)
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// advertised is where others reach the status endpoint; empty where they cannot.
func advertised(given, listen string) string {
	if given != "" {
		return given
	}
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsLoopback() || ip.IsUnspecified() {
		return ""
	}
	return listen
}

// leads reports whether this instance may write now.
func (a *App) leads() bool {
	if a.elector == nil {
		return !a.options.DryRun
	}
	return a.elector.Left() > 0
}

// campaign works while it takes part in the election. The lock is given back
// when all work has ended, and not before: another may act at once then.
func (a *App) campaign(ctx context.Context, work func(context.Context) error) error {
	if a.elector == nil {
		return work(ctx)
	}
	electing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	working, cancel := context.WithCancel(ctx)
	var election errgroup.Group
	election.Go(func() error {
		defer cancel()
		if err := a.elector.Run(electing); err != nil {
			return exit.With(exit.CannotSee, fmt.Errorf("take part in the election of a leader: %w", err))
		}
		return nil
	})
	err := ended(work(working))
	stop()
	return errors.Join(err, election.Wait())
}

// look watches and judges for as long as no other instance is known to lead.
// Whoever leads looks, and so does one that knows of nobody who does, though
// it may not write: its status then says what stands in the way.
func (a *App) look(ctx context.Context) error {
	if a.elector == nil {
		return a.term(ctx, time.Time{})
	}
	for a.await(ctx, model.Leadership.Looks) {
		if err := a.lookForATerm(ctx); err != nil {
			return err
		}
		a.store.Clear()
	}
	return nil
}

// lookForATerm ends when another instance leads, or has led unnoticed, as while
// this process was stopped.
func (a *App) lookForATerm(ctx context.Context) error {
	begun := a.elector.State()
	var takenOver time.Time
	if !begun.First {
		takenOver = time.Now()
	}
	term, cancel := context.WithCancel(ctx)
	var other errgroup.Group
	other.Go(func() error {
		defer cancel()
		a.await(term, func(l model.Leadership) bool { return !l.Looks() || l.Term != begun.Term })
		return nil
	})
	err := a.term(term, takenOver)
	cancel()
	return errors.Join(err, other.Wait())
}

// await waits until something is so of the leadership; false where ctx ends first.
func (a *App) await(ctx context.Context, so func(model.Leadership) bool) bool {
	for !so(a.elector.State()) {
		select {
		case <-a.changes:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// term is one watch of all deployments with a memory of its own, since what
// was seen before another instance led does not join up with what is seen now.
func (a *App) term(ctx context.Context, takenOver time.Time) error {
	loop := reconcile.New(a.observer, a.nomad, recorder{a}, a.loopOptions(takenOver))
	controller := reconcile.NewController(loop.Reconcile, a.options.Workers, a.passed)
	a.controller.Store(controller)
	defer a.controller.Store(nil)
	defer a.primed.Store(false)
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		return a.nomad.WatchDeployments(ctx, controller.Enqueue, func() { a.primed.Store(true) })
	})
	work.Go(func() error { return controller.Run(ctx) })
	work.Go(func() error { return a.park(ctx) })
	return ended(work.Wait())
}
