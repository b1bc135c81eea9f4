package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	nomad "github.com/hashicorp/nomad/api"
)

// AwaitRouted waits until every given Traefik lists every given instance.
func AwaitRouted(ctx context.Context, instances []Instance, proxies ...*Traefik) error {
	return awaitServers(ctx, "list", instances, true, proxies)
}

// AwaitDropped waits until no given Traefik lists any given instance.
func AwaitDropped(ctx context.Context, instances []Instance, proxies ...*Traefik) error {
	return awaitServers(ctx, "drop", instances, false, proxies)
}

func awaitServers(ctx context.Context, verb string, instances []Instance, want bool, proxies []*Traefik) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := checkServers(ctx, instances, want, proxies)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until every proxy did %s the instances: %w (%w)", verb, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func checkServers(ctx context.Context, instances []Instance, want bool, proxies []*Traefik) error {
	var errs []error
	for _, t := range proxies {
		servers, err := t.Servers(ctx)
		errs = append(errs, err)
		for _, i := range instances {
			if listed := slices.Contains(servers, i.Addr); err == nil && listed != want {
				errs = append(errs, fmt.Errorf("%s lists %s: %t", t.Name, i.Addr, listed))
			}
		}
	}
	return errors.Join(errs...)
}

// AwaitEnded waits until the processes of the given instances of a job have
// ended.
func (s *Stack) AwaitEnded(ctx context.Context, jobID string, old []Instance) error {
	_, err := s.AwaitAllocations(ctx, jobID, "the end of the old instances", func(allocs []*nomad.AllocationListStub) bool {
		return !slices.ContainsFunc(allocs, func(a *nomad.AllocationListStub) bool {
			return !clientTerminal(a) && slices.ContainsFunc(old, func(o Instance) bool { return o.AllocID == a.ID })
		})
	})
	return err
}

// AwaitEnd waits for the end of the span in which a deploy can lose requests:
// every old instance has ended and every proxy has dropped it, and five
// seconds more.
func (s *Stack) AwaitEnd(ctx context.Context, jobID string, old []Instance, proxies ...*Traefik) error {
	if err := s.AwaitEnded(ctx, jobID, old); err != nil {
		return err
	}
	if err := AwaitDropped(ctx, old, proxies...); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Second):
		return nil
	}
}
