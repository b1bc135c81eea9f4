package nomad

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	nomadapi "github.com/hashicorp/nomad/api"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/model"
)

// jobReads is how many jobs are read at the same time in search of a service.
const jobReads = 8

// ServiceJobs returns the latest versions of the service jobs of a namespace that
// are not stopped, each of which may have any services, sorted by ID.
func (c *Client) ServiceJobs(ctx context.Context, namespace string) ([]*model.Job, error) {
	stubs, _, err := c.api.Jobs().List(query(ctx, namespace))
	if err := classify(err, grantList(namespace)); err != nil {
		return nil, fmt.Errorf("list jobs of namespace %s: %w", namespace, err)
	}
	found := make([]*model.Job, len(stubs))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(jobReads)
	for i, s := range stubs {
		if s.Type != model.JobTypeService || s.Stop {
			continue
		}
		reads.Go(func() error {
			var err error
			found[i], err = c.LatestJob(readCtx, cmp.Or(s.Namespace, namespace), s.ID)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(j *model.Job) bool { return j == nil })
	slices.SortFunc(found, func(a, b *model.Job) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}

// CheckJobs returns how many service jobs, and how many variables of jobs, the
// token may list in all namespaces. Nomad leaves out what it may not.
func (c *Client) CheckJobs(ctx context.Context) (jobs, variables int, err error) {
	all, _, err := c.listJobs(ctx, 0)
	if err != nil {
		return 0, 0, err
	}
	options := query(ctx, nomadapi.AllNamespacesNamespace)
	options.Prefix = model.OverrideFolder
	stored, _, err := c.api.Variables().List(options)
	if err := classify(err, grantVariables(nomadapi.AllNamespacesNamespace, "list")); err != nil {
		return 0, 0, fmt.Errorf("list variables below %s: %w", model.OverrideFolder, err)
	}
	return len(all), len(stored), nil
}
