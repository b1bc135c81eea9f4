package nomad

import (
	"context"
	"errors"
	"fmt"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

// Check asks Nomad for one deployment of any namespace and so tells, at the
// start, whether the address and the token are good.
func (c *Client) Check(ctx context.Context) error {
	options := query(ctx, nomadapi.AllNamespacesNamespace)
	options.PerPage = 1
	if _, _, err := c.api.Deployments().List(options); err != nil {
		return fmt.Errorf("list deployments at %s: %w", c.address, classify(err, grantRead(nomadapi.AllNamespacesNamespace)))
	}
	return nil
}

// Deployment reads one deployment. It is nil, without an error, where Nomad has
// none of that ID or hides it from the token.
func (c *Client) Deployment(ctx context.Context, key model.Key) (*model.Deployment, error) {
	d, _, err := c.api.Deployments().Info(key.Deployment, query(ctx, key.Namespace))
	if err := classify(err, grantRead(key.Namespace)); errors.Is(err, ErrAbsent) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read deployment %s: %w", model.Short(key.Deployment), err)
	}
	out := convertDeployment(d)
	return &out, nil
}

// LatestDeployment reads the latest deployment of a job. It is nil, without an
// error, where the job has none or Nomad has no such job.
func (c *Client) LatestDeployment(ctx context.Context, namespace, jobID string) (*model.Deployment, error) {
	d, _, err := c.api.Jobs().LatestDeployment(jobID, query(ctx, namespace))
	if err := classify(err, grantRead(namespace)); errors.Is(err, ErrAbsent) || (err == nil && d == nil) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the latest deployment of job %s in namespace %s: %w", jobID, namespace, err)
	}
	out := convertDeployment(d)
	return &out, nil
}

// Job reads one version of a job. It is nil, without an error, where Nomad does
// not know that version: it keeps the last six, and those that are tagged
// (nomad/structs/structs.go, v1.11.3).
func (c *Client) Job(ctx context.Context, namespace, id string, version uint64) (*model.Job, error) {
	current, _, err := c.api.Jobs().Info(id, query(ctx, namespace))
	if err := classify(err, grantRead(namespace)); errors.Is(err, ErrAbsent) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read job %s: %w", id, err)
	}
	if current.Version != nil && *current.Version == version {
		return convert.Job(current), nil
	}
	return c.oldJob(ctx, namespace, id, version)
}

func (c *Client) oldJob(ctx context.Context, namespace, id string, version uint64) (*model.Job, error) {
	versions, _, _, err := c.api.Jobs().Versions(id, false, query(ctx, namespace))
	if err := classify(err, grantRead(namespace)); errors.Is(err, ErrAbsent) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read versions of job %s: %w", id, err)
	}
	for _, job := range versions {
		if job != nil && job.Version != nil && *job.Version == version {
			return convert.Job(job), nil
		}
	}
	return nil, nil
}

// AllocationTerminal reports whether the processes of an allocation have ended.
// An allocation that Nomad does not know counts as ended only if this client
// has seen it before, since Nomad forgets none but terminal ones: without
// having seen it, it may be that of another cluster which shares the Consul, or
// hidden from the token. Then the error is ErrAbsent.
func (c *Client) AllocationTerminal(ctx context.Context, id string) (bool, error) {
	a, _, err := c.api.Allocations().Info(id, query(ctx, nomadapi.AllNamespacesNamespace))
	if err := classify(err, grantRead(nomadapi.AllNamespacesNamespace)); errors.Is(err, ErrAbsent) && c.hasMet(id) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("read allocation %s: %w", model.Short(id), err)
	}
	c.met.Store(id, struct{}{})
	return model.Allocation{ClientStatus: a.ClientStatus}.ClientTerminal(), nil
}

// AllocationJob returns the job that an allocation carries, and the name of the
// group that it is of. The error is ErrAbsent where Nomad has no such allocation.
func (c *Client) AllocationJob(ctx context.Context, id string) (job *model.Job, group string, err error) {
	a, _, err := c.api.Allocations().Info(id, query(ctx, nomadapi.AllNamespacesNamespace))
	if err := classify(err, grantRead(nomadapi.AllNamespacesNamespace)); err != nil {
		return nil, "", fmt.Errorf("read the job of allocation %s: %w", model.Short(id), err)
	}
	if a.Job == nil {
		return nil, "", fmt.Errorf("read the job of allocation %s: Nomad answered without it", model.Short(id))
	}
	return convert.Job(a.Job), a.TaskGroup, nil
}

func (c *Client) hasMet(id string) bool {
	_, ok := c.met.Load(id)
	return ok
}
