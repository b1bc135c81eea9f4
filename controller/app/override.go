package app

import (
	"context"
	"errors"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/nomad"
)

// Overrides reads and writes the variables that override what a job says.
type Overrides struct{ client *nomad.Client }

// NewOverrides connects to the Nomad of Nomad's own variables. It asks nothing
// yet.
func NewOverrides() (*Overrides, error) {
	c, err := nomad.New(nomad.Options{})
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return &Overrides{client: c}, nil
}

// Override returns the items of a job's variable, nil where there is none.
func (o *Overrides) Override(ctx context.Context, namespace, jobID string) (map[string]string, error) {
	items, err := o.client.Override(ctx, namespace, jobID)
	return items, coded(err, exit.Failed)
}

// EditOverride changes the items of a job's variable and returns what they are
// then. A variable without any is deleted.
func (o *Overrides) EditOverride(ctx context.Context, namespace, jobID string, edit func(items map[string]string)) (map[string]string, error) {
	items, err := o.client.EditOverride(ctx, namespace, jobID, edit)
	return items, coded(err, exit.Failed)
}

// Knows reports whether Nomad has the job.
func (o *Overrides) Knows(ctx context.Context, namespace, jobID string) (bool, error) {
	job, err := o.client.LatestJob(ctx, namespace, jobID)
	return job != nil, coded(err, exit.Failed)
}

// Job returns the latest version of a job, nil where Nomad has none.
func (o *Overrides) Job(ctx context.Context, namespace, jobID string) (*model.Job, error) {
	job, err := o.client.LatestJob(ctx, namespace, jobID)
	return job, coded(err, exit.Failed)
}

// ServiceJobs returns those of the service jobs of a namespace that are not stopped,
// sorted by ID.
func (o *Overrides) ServiceJobs(ctx context.Context, namespace string) ([]*model.Job, error) {
	jobs, err := o.client.ServiceJobs(ctx, namespace)
	return jobs, coded(err, exit.Failed)
}

// LatestDeployment returns the latest deployment of a job, nil where there is none.
func (o *Overrides) LatestDeployment(ctx context.Context, namespace, jobID string) (*model.Deployment, error) {
	d, err := o.client.LatestDeployment(ctx, namespace, jobID)
	return d, coded(err, exit.Failed)
}

// coded gives an error of Nomad's its exit code: CannotSee where Nomad does not
// answer or denies permission, and otherwise the one that is given.
func coded(err error, otherwise int) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nomad.ErrUnreachable), errors.Is(err, nomad.ErrForbidden):
		return exit.With(exit.CannotSee, err)
	default:
		return exit.With(otherwise, err)
	}
}
