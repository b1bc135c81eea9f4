package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/reap"
)

// Close ends everything that the stack started, tasks included, and removes
// its directory unless Keep is set. It can be called again.
func (s *Stack) Close() error {
	s.closing.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

// KeepLogs makes Close leave the logs in place and returns their folder.
func (s *Stack) KeepLogs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Keep = true
	return s.logs()
}

func (s *Stack) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.others {
		_ = p.Stop(10 * time.Second)
	}
	var errs []error
	for _, p := range slices.Concat(s.agents[:]...) {
		// A test may have left it frozen.
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
	}
	allocs := s.stopJobs()
	for _, t := range s.traefiks {
		errs = append(errs, t.close())
	}
	for _, l := range slices.Backward(s.agents[:]) {
		errs = append(errs, stopAll(l))
	}
	s.spawn.close()
	errs = append(errs, reap.All(s.Dir, 20*time.Second, allocs...), s.guard.dismiss())
	s.ports.release()
	if !s.opts.Keep {
		errs = append(errs, os.RemoveAll(s.Dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the stack in %s: %w", s.Dir, err)
	}
	return nil
}

// stopAll stops processes at the same time.
func stopAll(processes []*Process) error {
	return errors.Join(forEach(processes, func(p *Process) error { return p.Stop(10 * time.Second) })...)
}

// abandon stops what a start that failed has started, and passes its error on.
func (s *Stack) abandon(l layer, err error) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, stopAll(s.agents[l]))
}

// behind is the process that listens on NomadAddr.
func (s *Stack) behind() *Process {
	if s.opts.HA {
		return s.Nodes[len(s.Nodes)-1].Nomad
	}
	return s.NomadServers[0].Process()
}

// stopJobs stops and purges every job, waits until no task runs any more, and
// returns the IDs of all allocations. It does what it can: tasks that Nomad
// does not end, because it is gone or because they drain for longer, are left
// to package reap.
func (s *Stack) stopJobs() []string {
	if s.Nomad == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	// A server that was frozen until now may have to be elected first.
	var jobs []*nomad.JobListStub
	err := s.behind().await(ctx, "Nomad lists its jobs", func(ctx context.Context) (err error) {
		jobs, _, err = s.Nomad.Jobs().List((&nomad.QueryOptions{Namespace: "*"}).WithContext(ctx))
		return err
	})
	if err != nil {
		return nil
	}
	for _, j := range jobs {
		_, _, _ = s.Nomad.Jobs().DeregisterOpts(j.ID, &nomad.DeregisterOptions{Purge: true, NoShutdownDelay: true},
			(&nomad.WriteOptions{Namespace: j.Namespace}).WithContext(ctx))
	}
	var ids []string
	_ = s.behind().await(ctx, "no task runs", func(ctx context.Context) (err error) {
		ids, err = s.noTasks(ctx)
		return err
	})
	return ids
}

// noTasks lists the IDs of all allocations and is an error while any runs.
func (s *Stack) noTasks(ctx context.Context) ([]string, error) {
	allocs, _, err := s.Nomad.Allocations().List((&nomad.QueryOptions{Namespace: "*"}).WithContext(ctx))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, a := range allocs {
		ids = append(ids, a.ID)
		if !clientTerminal(a) {
			err = fmt.Errorf("allocation %s is %s", a.ID, a.ClientStatus)
		}
	}
	return ids, err
}
