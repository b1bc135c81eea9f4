package fencer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

// standings asks Nomad what passes want to know, and pauses what they want to
// have paused, beside them: they do not wait for a Nomad that does not answer.
type standings struct {
	nomad   Nomad
	options Options
	board   *board
	// answered is called after each round.
	answered func()

	asked chan struct{}
	mu    sync.Mutex
	ask   []fence.Record
	pause []model.Key
	known map[string]fence.Standing
}

// want takes over what the last pass asks. Answers to what it does not ask any
// more are forgotten.
func (s *standings) want(ask []fence.Record, pause []model.Key) {
	s.mu.Lock()
	s.ask, s.pause = ask, pause
	maps.DeleteFunc(s.known, func(deployment string, _ fence.Standing) bool {
		return !slices.ContainsFunc(ask, func(r fence.Record) bool { return r.Deployment == deployment })
	})
	s.mu.Unlock()
	if len(ask)+len(pause) > 0 {
		loop.Signal(s.asked)
	}
}

// all are the answers so far, by deployment. Each says when it was read.
func (s *standings) all() map[string]fence.Standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.known)
}

// run answers until ctx ends.
func (s *standings) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-s.asked:
			s.board.Report(ctx, aboutNomad, s.round(ctx)...)
			s.answered()
		case <-ctx.Done():
		}
		loop.Sleep(ctx, askGap)
	}
}

// round pauses first, since that may be urgent, and then reads.
func (s *standings) round(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	s.mu.Lock()
	ask, pause := s.ask, s.pause
	s.pause = nil
	s.mu.Unlock()
	var problems []error
	for _, key := range pause {
		problems = append(problems, s.pauses(ctx, key))
	}
	for _, r := range ask {
		standing, err := s.read(ctx, r)
		s.learn(r.Deployment, standing, err)
		problems = append(problems, err)
	}
	return problems
}

func (s *standings) pauses(ctx context.Context, key model.Key) error {
	_, err := loop.Call(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.nomad.Pause(ctx, key) })
	s.options.did(ActPause, err)
	// What it was before is not known any more, whether or not that arrived.
	s.learn(key.Deployment, fence.Standing{}, errPaused)
	if err == nil {
		logr.FromContextOrDiscard(ctx).Info("deployment paused, since its leader did not", "namespace", key.Namespace, "deployment", key.Deployment)
	}
	return err
}

var errPaused = errors.New("it was just paused")

// learn keeps an answer. Where a question failed, nothing is known.
func (s *standings) learn(deployment string, standing fence.Standing, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.known, deployment)
		return
	}
	s.known[deployment] = standing
}

// read asks for the deployment first: what the allocations then show is at
// least as late.
func (s *standings) read(ctx context.Context, r fence.Record) (fence.Standing, error) {
	out := fence.Standing{Read: time.Now(), Told: map[string]bool{}}
	job := r.Job
	d, err := s.nomad.Deployment(ctx, r.Key())
	if err != nil {
		return fence.Standing{}, fmt.Errorf("ask for what is fenced without a leader: %w", err)
	}
	if d == nil {
		out.Gone = true
	} else {
		out.Status, out.Promoted, job = d.Status, promoted(d), d.JobID
	}
	all, err := s.nomad.Allocations(ctx, r.Namespace, job)
	if err != nil {
		return fence.Standing{}, fmt.Errorf("ask for what is fenced without a leader: %w", err)
	}
	for _, t := range r.Set {
		if told(all, t.Alloc) {
			out.Told[t.Alloc] = true
		}
	}
	return out, nil
}

// promoted reports whether any group was: it may have been the one that is fenced.
func promoted(d *model.Deployment) bool {
	return slices.ContainsFunc(d.Groups, func(g model.DeploymentGroup) bool { return g.DesiredCanaries > 0 && g.Promoted })
}

// told reports whether an allocation was told to stop, or has ended. Nomad
// forgets none but those.
func told(all []model.Allocation, id string) bool {
	i := slices.IndexFunc(all, func(a model.Allocation) bool { return a.ID == id })
	return i < 0 || all[i].DesiredStatus != model.DesiredRun || all[i].ClientTerminal()
}
