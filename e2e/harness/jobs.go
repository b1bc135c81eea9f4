package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	nomad "github.com/hashicorp/nomad/api"
)

// Submit renders the sample job and registers it. It returns when Nomad has
// accepted it, not when anything runs.
func (s *Stack) Submit(ctx context.Context, sample Sample) error {
	hcl, err := sample.HCL(s.SampleBinary())
	if err != nil {
		return err
	}
	return s.SubmitHCL(ctx, hcl)
}

// SubmitHCL registers a job from a job specification.
func (s *Stack) SubmitHCL(ctx context.Context, hcl string) error {
	job, err := s.Nomad.Jobs().ParseHCL(hcl, true)
	if err != nil {
		return fmt.Errorf("parse a job: %w\n%s", err, hcl)
	}
	if _, _, err := s.Nomad.Jobs().Register(job, (&nomad.WriteOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("register job %s: %w", *job.ID, err)
	}
	return nil
}

// SampleBinary is the path of the sample service's program.
func (s *Stack) SampleBinary() string { return s.helpers.sample }

// Purge stops a job and removes it, and returns when no task of it runs.
func (s *Stack) Purge(ctx context.Context, jobID string) error {
	_, _, err := s.Nomad.Jobs().DeregisterOpts(jobID, &nomad.DeregisterOptions{Purge: true}, (&nomad.WriteOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("purge job %s: %w", jobID, err)
	}
	_, err = s.AwaitAllocations(ctx, jobID, "no task runs", func(allocs []*nomad.AllocationListStub) bool {
		return !slices.ContainsFunc(allocs, func(a *nomad.AllocationListStub) bool { return !clientTerminal(a) })
	})
	return err
}

// AwaitDeployment returns the latest deployment of a job as soon as cond holds
// for it, which is asked after every change and may see nil, before there is
// one. When the context ends first, the error says what was awaited and seen.
func (s *Stack) AwaitDeployment(ctx context.Context, jobID, what string, cond func(*nomad.Deployment) bool) (*nomad.Deployment, error) {
	return watch(ctx, jobID+": "+what, func(q *nomad.QueryOptions) (*nomad.Deployment, uint64, error) {
		d, meta, err := s.Nomad.Jobs().LatestDeployment(jobID, q)
		if err != nil {
			return nil, 0, err
		}
		return d, meta.LastIndex, nil
	}, cond, describeDeployment)
}

// AwaitAllocations returns the allocations of a job, those of former versions
// included, as soon as cond holds for them.
func (s *Stack) AwaitAllocations(ctx context.Context, jobID, what string, cond func([]*nomad.AllocationListStub) bool) ([]*nomad.AllocationListStub, error) {
	return watch(ctx, jobID+": "+what, func(q *nomad.QueryOptions) ([]*nomad.AllocationListStub, uint64, error) {
		a, meta, err := s.Nomad.Jobs().Allocations(jobID, true, q)
		if err != nil {
			return nil, 0, err
		}
		return a, meta.LastIndex, nil
	}, cond, describeAllocations)
}

// watch repeats a blocking query until cond holds for its answer.
func watch[T any](ctx context.Context, what string, query func(*nomad.QueryOptions) (T, uint64, error), cond func(T) bool, describe func(T) string) (T, error) {
	var index uint64
	seen := "nothing"
	for {
		q := (&nomad.QueryOptions{WaitIndex: index, WaitTime: 5 * time.Second}).WithContext(ctx)
		value, next, err := query(q)
		switch {
		case ctx.Err() != nil:
			// The end of the wait says nothing about what was waited for.
		case err != nil:
			seen, next = err.Error(), 0
		case cond(value):
			return value, nil
		default:
			seen = describe(value)
		}
		if next < index {
			next = 0
		}
		index = next
		if err := pause(ctx, err); err != nil {
			var zero T
			return zero, fmt.Errorf("wait for %s: %w (last seen: %s)", what, err, seen)
		}
	}
}

// pause returns an error when the context has ended. After a failed query it
// waits a little, so that a server that is down is not asked without end.
func pause(ctx context.Context, failed error) error {
	if failed == nil {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(200 * time.Millisecond):
		return nil
	}
}

func describeDeployment(d *nomad.Deployment) string {
	if d == nil {
		return "no deployment"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "version %d %s (%s)", d.JobVersion, d.Status, d.StatusDescription)
	for _, name := range slices.Sorted(maps.Keys(d.TaskGroups)) {
		g := d.TaskGroups[name]
		fmt.Fprintf(&out, "; %s: canaries %d/%d, healthy %d/%d, promoted %t", name, len(g.PlacedCanaries), g.DesiredCanaries, g.HealthyAllocs, g.DesiredTotal, g.Promoted)
	}
	return out.String()
}

func describeAllocations(allocs []*nomad.AllocationListStub) string {
	var parts []string
	for _, a := range allocs {
		parts = append(parts, fmt.Sprintf("%s version %d wanted %s is %s", a.ID[:8], a.JobVersion, a.DesiredStatus, a.ClientStatus))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// Deployed submits a version and waits until Nomad calls its deployment
// successful. It is for the first version of a job.
func (s *Stack) Deployed(ctx context.Context, sample Sample) error {
	if err := s.Submit(ctx, sample); err != nil {
		return err
	}
	_, err := s.AwaitDeployment(ctx, sample.Name, "a successful deployment", func(d *nomad.Deployment) bool {
		return d != nil && d.Status == nomad.DeploymentStatusSuccessful
	})
	return err
}

// AwaitCanaries waits until all canaries of a job's deployment of a version
// are placed and healthy for Nomad, and returns the deployment.
func (s *Stack) AwaitCanaries(ctx context.Context, jobID string, version uint64) (*nomad.Deployment, error) {
	return s.AwaitDeployment(ctx, jobID, fmt.Sprintf("healthy canaries of version %d", version), func(d *nomad.Deployment) bool {
		if d == nil || d.JobVersion != version {
			return false
		}
		g := d.TaskGroups["web"]
		return g != nil && g.DesiredCanaries > 0 && len(g.PlacedCanaries) >= g.DesiredCanaries && g.HealthyAllocs >= g.DesiredCanaries
	})
}
