package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/harness"
)

// The waits of one side of an act.
const (
	// lead is how long version 1 answers alone before anything is submitted.
	lead = 3 * time.Second
	// holdAtLeast is how long a hold is watched.
	holdAtLeast = 10 * time.Second
	// comesWithin bounds what an act is to show. A refresh of Traefik's, the
	// warm-up and draingate's window together are well below a minute.
	comesWithin = 2 * time.Minute
)

// waiting is the phase before draingate's promotion.
const waiting = "the canary is healthy; draingate waits until it can lose nothing"

// side is one of the two jobs of an act, and the load on it.
type side struct {
	stage *stage
	act   act
	job   harness.Sample
	gated bool

	mu    sync.Mutex
	phase string
	// version is the job version, as Nomad counts from 0, that was submitted last.
	version uint64
	load    *harness.Load
	ended   bool
	pace    pace
}

// result is what one side of an act came to.
type result struct {
	act    act
	gated  bool
	report harness.LoadReport
	// promoted is what Nomad says at the end.
	promoted bool
	// last is what draingate said last.
	last decision
	// told are its decisions of all versions after the first, in order.
	told []decision
	// held is for how long draingate was seen to hold for the act's reason.
	held time.Duration
	// cured is the shutdown_delay that was then submitted.
	cured time.Duration
	// serving are the versions that answered in the last second of the load.
	serving []string
}

// play runs the act on this side, from the load before the submit to the end
// of the span in which a deploy can lose requests.
func (s *side) play(ctx context.Context, other cues) (result, error) {
	r, err := s.perform(ctx, other)
	r.report = s.stopLoad()
	if err != nil {
		return r, fmt.Errorf("act %d, promoted by %s: %w", s.act.number, promoter(s.gated), err)
	}
	r.serving, r.told = s.servingNow(), s.stage.gate.told(s.job.Name)
	d, err := s.stage.stack.AwaitDeployment(ctx, s.job.Name, "its state at the end", func(d *nomad.Deployment) bool { return d != nil })
	if err == nil {
		g := d.TaskGroups["web"]
		r.promoted = d.JobVersion == s.submitted() && g != nil && g.Promoted
	}
	return r, err
}

func (s *side) perform(ctx context.Context, other cues) (result, error) {
	r := result{act: s.act, gated: s.gated}
	err := s.begin(ctx)
	if err == nil && s.act.cure {
		err = s.cure(ctx, &r, other)
	}
	var old []harness.Instance
	if err == nil {
		old, err = s.submit(ctx)
	}
	if err != nil {
		return r, err
	}
	if s.gated && !s.act.promotes() {
		r.last, r.held, err = s.watchHold(ctx, func() bool { return isClosed(other.over) })
		return r, err
	}
	promoted, err := s.awaitPromotion(ctx)
	if err == nil && promoted {
		err = s.awaitEnd(ctx, old)
	}
	r.last, _ = s.decided()
	return r, err
}

// begin starts the load and lets version 1 answer alone for a while.
func (s *side) begin(ctx context.Context) error {
	load, err := s.stage.proxy.Load(s.job.Host(), s.stage.rate)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.load = load
	s.mu.Unlock()
	s.now("the load has begun; version 1 answers")
	return wait(ctx, lead)
}

// submit submits version 2, waits until its canary is healthy for Nomad, and
// returns the instances that were there before.
func (s *side) submit(ctx context.Context) ([]harness.Instance, error) {
	old, err := s.instances(ctx, func(i harness.Instance) bool { return !i.Terminal() })
	if err != nil {
		return nil, err
	}
	next := s.job
	next.Version = "2"
	s.now("version 2 submitted; its canary warms up beside version 1")
	if err := s.send(ctx, next); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, comesWithin)
	defer cancel()
	if _, err := s.stage.stack.AwaitCanaries(ctx, s.job.Name, s.submitted()); err != nil {
		return nil, err
	}
	return old, s.canaryHealthy(ctx)
}

// canaryHealthy is where act 3 turns the canary critical.
func (s *side) canaryHealthy(ctx context.Context) error {
	if !s.act.sicken {
		s.now("Nomad says the canary is healthy")
		return nil
	}
	s.now("Nomad says the canary is healthy; now its /readyz turns to 503")
	canaries, err := s.canaries(ctx)
	for _, i := range canaries {
		err = errors.Join(err, s.stage.stack.SetReady(ctx, i, false))
	}
	return err
}

// awaitPromotion waits until Nomad has promoted version 2, which need not come.
func (s *side) awaitPromotion(ctx context.Context) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, comesWithin)
	defer cancel()
	if s.gated {
		s.now(waiting)
	}
	_, err := s.stage.stack.AwaitDeployment(limited, s.job.Name, "promotion", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == s.submitted() && d.TaskGroups["web"].Promoted
	})
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		s.now("not promoted within " + comesWithin.String())
		return false, nil
	}
	return err == nil, err
}

// awaitEnd waits for the end of the span in which the deploy can lose requests.
func (s *side) awaitEnd(ctx context.Context, old []harness.Instance) error {
	st := s.stage
	s.now(fmt.Sprintf("promoted: version 1 is out of the catalog and ends after its shutdown_delay of %s", s.job.ShutdownDelay))
	if err := st.stack.AwaitEnded(ctx, s.job.Name, old); err != nil {
		return err
	}
	s.now("version 1 has ended; Traefik may route to it until it has dropped it")
	if err := harness.AwaitDropped(ctx, old, st.proxy); err != nil {
		return err
	}
	s.now("version 1 has ended and Traefik has dropped it; five seconds more")
	return st.stack.AwaitEnd(ctx, s.job.Name, old, st.proxy)
}

// watchHold waits until draingate holds for the act's reason, and then until
// that lasted for a while and is enough. A hold for another reason begins it
// anew; it ends early where draingate does not hold.
func (s *side) watchHold(ctx context.Context, enough func() bool) (decision, time.Duration, error) {
	s.now("the canary is healthy; draingate looks at Consul and Traefik")
	var held, until time.Time
	until = time.Now().Add(comesWithin)
	for {
		last, known := s.decided()
		now := time.Now()
		switch {
		case known && last.Decision == "Hold" && last.Reason == s.act.reason:
			if held.IsZero() {
				held = now
				s.now("draingate holds: version 1 serves on beside the canary")
			}
			if enough() && now.Sub(held) >= holdAtLeast {
				return last, now.Sub(held), nil
			}
		case known && last.Decision == "Hold" && !now.After(until):
			// As where something could not be read for a moment: it is to last anew.
			held = time.Time{}
		case !held.IsZero() && known, now.After(until):
			s.now("draingate does not hold for " + s.act.reason)
			return last, 0, nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return last, 0, err
		}
	}
}

func (s *side) instances(ctx context.Context, want func(harness.Instance) bool) ([]harness.Instance, error) {
	all, err := s.stage.stack.Instances(ctx, s.job.Name)
	if err != nil {
		return nil, err
	}
	var out []harness.Instance
	for _, i := range all {
		if want(i) {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("job %s has none of the instances that it should have: %v", s.job.Name, all)
	}
	return out, nil
}

// canaries are those of the version that was submitted last.
func (s *side) canaries(ctx context.Context) ([]harness.Instance, error) {
	return s.instances(ctx, func(i harness.Instance) bool { return i.Version == s.submitted() })
}

// send submits the next version of the job.
func (s *side) send(ctx context.Context, job harness.Sample) error {
	s.mu.Lock()
	s.version++
	s.mu.Unlock()
	return s.stage.stack.Submit(ctx, job)
}

// submitted is the version that was submitted last.
func (s *side) submitted() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// decided is what draingate says of the version that was submitted last.
func (s *side) decided() (decision, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stage.gate.of(s.job.Name, s.version)
}

// now says what goes on.
func (s *side) now(phase string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = phase
}

// stopLoad ends the load, if there is one, and returns what became of it.
func (s *side) stopLoad() harness.LoadReport {
	s.mu.Lock()
	load := s.load
	s.mu.Unlock()
	if load == nil {
		return harness.LoadReport{}
	}
	r := load.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.phase = true, "the span of this deploy is over"
	return r
}

// servingNow are the versions that gave the last answers.
func (s *side) servingNow() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pace.versions
}
