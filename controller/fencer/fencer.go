package fencer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/presence"
)

// Fencer carries out fences on the node of one process. Make one with New; State
// is safe for concurrent use.
type Fencer struct {
	consul  Consul
	options Options

	board     *board
	presence  *presence.Presence
	standings *standings
	// due is signalled where a pass is to be made at once.
	due chan struct{}
	// memory is of whoever makes passes: the loop, and Run after it.
	memory fence.NodeMemory
}

// New returns a Fencer that has not begun. It does no I/O.
func New(consul Consul, nomad Nomad, options Options) *Fencer {
	f := &Fencer{consul: consul, options: options, board: &board{Board: loop.Board{Of: "fencing"}}, due: make(chan struct{}, 1)}
	wake := func() { loop.Signal(f.due) }
	f.presence = f.newPresence(wake)
	f.standings = &standings{
		nomad: nomad, options: options, board: f.board, answered: wake,
		asked: make(chan struct{}, 1), known: map[string]fence.Standing{},
	}
	return f
}

// State is what there is to tell now.
func (f *Fencer) State() State { return f.board.state() }

// Run carries out fences until ctx ends. It then lifts what is not armed, ends
// the presence and returns nil; that may take some seconds where Consul's agent
// does not answer. No error ends it.
func (f *Fencer) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	for _, part := range []func(context.Context){f.loop, f.watch, f.presence.Run, f.standings.run} {
		parts.Go(func() { part(ctx) })
	}
	parts.Wait()
	f.leave(ctx)
	f.presence.Close(ctx)
	return nil
}

// loop makes passes until ctx ends.
func (f *Fencer) loop(ctx context.Context) {
	pause := loop.NewPause(f.options.TTL)
	for ctx.Err() == nil {
		done := f.guarded(ctx, f.pass)
		next := done.look
		if done.failed {
			next = pause.NextBackOff()
		} else {
			pause.Reset()
		}
		loop.Sleep(ctx, passGap)
		if !done.again {
			loop.Wait(ctx, f.due, next-passGap)
		}
	}
}

// watch has a pass made whenever a record changes, until ctx ends. The pass reads
// for itself: an answer here may have waited for long.
func (f *Fencer) watch(ctx context.Context) {
	ask := func(ctx context.Context, index uint64, wait time.Duration) ([]model.Stored, uint64, error) {
		return f.consul.List(ctx, f.options.Keys.Records(), index, wait)
	}
	loop.Watch(ctx, f.options.TTL, passGap, ask, model.SameStored, func([]model.Stored) { loop.Signal(f.due) })
}

// leave lifts what is not armed, also where ctx has ended: nobody is there any
// more who would. It goes on until nothing is left to lift.
func (f *Fencer) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	log := logr.FromContextOrDiscard(ctx)
	for ctx.Err() == nil {
		if done := f.guarded(ctx, f.lastPass); !done.failed && !done.again {
			if kept := f.State().Set; len(kept) > 0 {
				log.Info("fences kept at the end of this instance: they are armed, or of what was told to stop", "services", kept)
			}
			return
		}
		loop.Sleep(ctx, passGap)
	}
	log.Info("fences of this node may be left behind: the next instance on it lifts them", "services", f.State().Set)
}

// outcome is what a pass means for the next one.
type outcome struct {
	// again is true where something was changed, so that it is to be seen.
	again bool
	// failed is true where something could not be read or done.
	failed bool
	// look is when to look again at the latest.
	look time.Duration
}

var errPanic = errors.New("panic in a pass over the fences of this node")

// guarded turns a panic into a problem: a record that nobody thought of must not
// end the process, nor the lifting of others once it is gone.
func (f *Fencer) guarded(ctx context.Context, pass func(context.Context) outcome) (done outcome) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("%w: %v", errPanic, r)
			if f.board.Report(ctx, aboutPass, err) {
				logr.FromContextOrDiscard(ctx).Error(err, "pass over the fences of this node failed", "stack", string(debug.Stack()))
			}
			done = outcome{failed: true}
		}
	}()
	done = pass(ctx)
	f.board.Report(ctx, aboutPass, nil)
	return done
}
