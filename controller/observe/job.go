package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/model"
)

// parallelReads bounds the calls of one pass to one system at one time.
const parallelReads = 8

// observeJob fills in the deployment, its job, the allocations and the catalog.
func (o *Observer) observeJob(ctx context.Context, s *model.Snapshot) {
	deployment := read(ctx, o.options.CallTimeout, func(ctx context.Context) (*model.Deployment, error) {
		return o.ports.Nomad.Deployment(ctx, s.Key)
	})
	if deployment.Known() && deployment.Value == nil {
		s.Gone = true
		deployment.Err = "Nomad has no such deployment any more"
	}
	if !deployment.Known() {
		s.Deployment = model.Unseen[model.Deployment](deployment.At, deployment.Err)
		s.Job = model.Unseen[model.Job](deployment.At, deployment.Err)
		s.Allocations = model.Unseen[[]model.Allocation](deployment.At, deployment.Err)
		s.Overrides = model.Unseen[model.Overrides](deployment.At, deployment.Err)
		return
	}
	d := *deployment.Value
	s.Deployment = model.Seen(d, deployment.At)
	var parts sync.WaitGroup
	parts.Go(func() { s.Job = o.readJob(ctx, d) })
	parts.Go(func() {
		s.Overrides = read(ctx, o.options.CallTimeout, func(ctx context.Context) (model.Overrides, error) {
			return o.ports.Nomad.Overrides(ctx, d.Namespace, d.JobID)
		})
	})
	parts.Go(func() {
		s.Allocations = read(ctx, o.options.CallTimeout, func(ctx context.Context) ([]model.Allocation, error) {
			return o.ports.Nomad.Allocations(ctx, d.Namespace, d.JobID)
		})
	})
	parts.Wait()
	s.Catalog = o.readCatalog(ctx, serviceNames(s.Job.Value, s.Allocations.Value))
}

func (o *Observer) readJob(ctx context.Context, d model.Deployment) model.Fact[model.Job] {
	return read(ctx, o.options.CallTimeout, func(ctx context.Context) (model.Job, error) {
		job, err := o.ports.Nomad.Job(ctx, d.Namespace, d.JobID, d.JobVersion)
		if err == nil && job == nil {
			err = fmt.Errorf("Nomad has no version %d of job %s any more", d.JobVersion, d.JobID)
		}
		if err != nil {
			return model.Job{}, err
		}
		return *job, nil
	})
}

// serviceNames returns the names of all services that Consul has to know: those
// of the deployment's version of the job and those of the versions that
// allocations still run, which may have had other services. Sorted.
func serviceNames(job model.Job, allocations []model.Allocation) []string {
	names := consulServices(nil, &job)
	for _, a := range allocations {
		if !a.ClientTerminal() && a.Job != nil {
			names = consulServices(names, a.Job)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func consulServices(names []string, job *model.Job) []string {
	for i := range job.Groups {
		for _, service := range job.Groups[i].AllServices() {
			if cmp.Or(service.Provider, model.ProviderConsul) == model.ProviderConsul {
				names = append(names, service.Name)
			}
		}
	}
	return names
}

func (o *Observer) readCatalog(ctx context.Context, names []string) map[string]model.Fact[[]model.Registration] {
	facts := make([]model.Fact[[]model.Registration], len(names))
	var group errgroup.Group
	group.SetLimit(parallelReads)
	for i, name := range names {
		group.Go(func() error {
			facts[i] = read(ctx, o.options.CallTimeout, func(ctx context.Context) ([]model.Registration, error) {
				// The client fills these in and only it knows with what.
				if strings.Contains(name, "${") {
					return nil, fmt.Errorf("the service name %q is interpolated by Nomad's client: write it out", name)
				}
				return o.ports.Consul.Service(ctx, name)
			})
			return nil
		})
	}
	_ = group.Wait() // every failure is in its fact
	catalog := make(map[string]model.Fact[[]model.Registration], len(names))
	for i, name := range names {
		catalog[name] = facts[i]
	}
	return catalog
}
