package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/harness"
)

// cure has draingate name the shutdown_delay, and submits the running version
// with it. Nomad's side does so at the same time, without a first attempt: that
// one would be promoted at once, as act 1 shows.
func (s *side) cure(ctx context.Context, r *result, other cues) (err error) {
	if s.gated {
		r.cured, err = s.attempt(ctx, r)
		if err != nil {
			return err
		}
		other.cure <- r.cured
		return s.lengthen(ctx, r.cured)
	}
	s.now("version 1 answers; this side waits for the cure that draingate is going to name")
	select {
	case r.cured = <-other.cure:
		return s.lengthen(ctx, r.cured)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt submits version 2, sees draingate hold it, and takes its canary out
// of Consul as the message says. It returns the delay that the message names,
// and spare.
func (s *side) attempt(ctx context.Context, r *result) (time.Duration, error) {
	if _, err := s.submit(ctx); err != nil {
		return 0, err
	}
	hold, held, err := s.watchHold(ctx, func() bool { return true })
	if err != nil {
		return 0, err
	}
	if r.held = held; held == 0 {
		return 0, fmt.Errorf("draingate did not hold with %s; it said %s", s.act.reason, hold)
	}
	delay, err := namedCure(hold.Message)
	if err != nil {
		return 0, err
	}
	return delay + spare, s.takeOut(ctx, hold.Message)
}

// takeOut puts the canaries that a message of draingate's names into
// maintenance, and waits until Traefik has dropped them.
func (s *side) takeOut(ctx context.Context, message string) error {
	canaries, err := s.canaries(ctx)
	if err != nil {
		return err
	}
	s.now("the cure: its canary is in maintenance in Consul, until Traefik has dropped it")
	ids := namedServices(message)
	if len(ids) == 0 {
		return fmt.Errorf("draingate names no canary to take out first: %q", message)
	}
	for _, id := range ids {
		err := s.stage.stack.Consul.Agent().EnableServiceMaintenanceOpts(id, "following the cure", (&consul.QueryOptions{}).WithContext(ctx))
		if err != nil {
			return fmt.Errorf("take canary %s out of Consul: %w", id, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, comesWithin)
	defer cancel()
	return harness.AwaitDropped(ctx, canaries, s.stage.proxy)
}

// lengthen submits the running version with another shutdown_delay.
func (s *side) lengthen(ctx context.Context, delay time.Duration) error {
	s.now(fmt.Sprintf("the cure: version 1 submitted again with shutdown_delay %s; the same process runs on", delay))
	s.job.ShutdownDelay = delay
	if err := s.send(ctx, s.job); err != nil {
		return err
	}
	_, err := s.stage.stack.AwaitDeployment(ctx, s.job.Name, "the change in place", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == s.submitted() && d.Status == nomad.DeploymentStatusSuccessful
	})
	return err
}

// namedCure reads the shutdown_delay that a message of draingate's names.
func namedCure(message string) (time.Duration, error) {
	m := regexp.MustCompile(`shutdown_delay = "([^"]+)"`).FindStringSubmatch(message)
	if m == nil {
		return 0, fmt.Errorf("draingate names no shutdown_delay: %q", message)
	}
	d, err := time.ParseDuration(m[1])
	if err != nil {
		return 0, fmt.Errorf("read the shutdown_delay that draingate names: %w", err)
	}
	return d, nil
}

// namedServices reads the IDs of the services that a message of draingate's
// says to put into maintenance.
func namedServices(message string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`-service=([^,) ]+)`).FindAllStringSubmatch(message, -1) {
		out = append(out, m[1])
	}
	return out
}
