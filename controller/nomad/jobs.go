package nomad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

// jobsPause is the least time between two lists of all jobs. Their index moves
// with every allocation, so that without a pause a busy cluster would be listed
// all the time.
const jobsPause = time.Second

// WatchJobs tells of the service jobs of all namespaces that the token may
// list: once at the start, and then each time that Nomad answers, be it because
// a job or the state of its allocations changed or because the wait time is over.
// Stopped jobs are among them until Nomad forgets them.
//
// It retries for as long as ctx lasts, tells the context's logger once why, and
// returns nil when ctx ends.
func (c *Client) WatchJobs(ctx context.Context, tell func([]model.JobStub)) error {
	w := watch{of: "jobs", pause: newPause(), log: logr.FromContextOrDiscard(ctx).WithValues("nomad", c.address)}
	var last []model.JobStub
	for ctx.Err() == nil {
		jobs, index, err := c.listJobs(ctx, w.index)
		if err != nil {
			w.retry(ctx, err)
			continue
		}
		w.answered()
		if w.advance(index) {
			last = jobs
		}
		tell(last)
		pause(ctx, jobsPause)
	}
	return nil
}

func (c *Client) listJobs(ctx context.Context, index uint64) ([]model.JobStub, uint64, error) {
	options := query(ctx, nomadapi.AllNamespacesNamespace)
	options.WaitIndex = index
	options.WaitTime = c.waitTime
	jobs, meta, err := c.api.Jobs().List(options)
	if err != nil {
		return nil, 0, fmt.Errorf("list jobs: %w", classify(err, capabilityList))
	}
	var out []model.JobStub
	for _, j := range jobs {
		if j.Type == model.JobTypeService {
			out = append(out, model.JobStub{Namespace: j.Namespace, ID: j.ID, Type: j.Type, Stopped: j.Stop, ModifyIndex: j.JobModifyIndex})
		}
	}
	// As in listDeployments: without an index the watch would spin.
	return out, max(meta.LastIndex, 1), nil
}

// LatestJob reads the latest version of a job. It is nil, without an error,
// where Nomad has no such job or hides it from the token.
func (c *Client) LatestJob(ctx context.Context, namespace, id string) (*model.Job, error) {
	job, err := c.latest(ctx, namespace, id)
	return convert.Job(job), err
}

func (c *Client) latest(ctx context.Context, namespace, id string) (*nomadapi.Job, error) {
	job, _, err := c.api.Jobs().Info(id, query(ctx, namespace))
	if err := classify(err, capabilityRead); errors.Is(err, ErrAbsent) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read job %s in namespace %s: %w", id, namespace, err)
	}
	return job, nil
}

// SubmittedJob reads the latest version of a job and the source that it was
// submitted as, which is nil where Nomad does not keep it: before 1.6, for a job
// that was registered without one, as scaling does, and for a source that is too
// large. The job is nil, without an error, as for LatestJob.
func (c *Client) SubmittedJob(ctx context.Context, namespace, id string) (*nomadapi.Job, *nomadapi.JobSubmission, error) {
	job, err := c.latest(ctx, namespace, id)
	if err != nil || job == nil || job.Version == nil {
		return job, nil, err
	}
	source, _, err := c.api.Jobs().Submission(id, int(*job.Version), query(ctx, namespace))
	if err := classify(err, capabilityRead); errors.Is(err, ErrUnreachable) {
		return nil, nil, fmt.Errorf("read the source of job %s: %w", id, err)
	} else if err != nil {
		// The job is all there is; a Nomad that does not know the call answers
		// in more than one way.
		source = nil
	}
	return job, source, nil
}

// maxSimilar bounds how many jobs a message names.
const maxSimilar = 3

// SimilarJobs returns, as NAMESPACE/ID, jobs that somebody may have meant who
// asked for one that there is not: those of that ID in other namespaces, then
// those whose IDs differ by a slip or two or contain the other. It returns none
// where the jobs cannot be listed.
func (c *Client) SimilarJobs(ctx context.Context, namespace, id string) []string {
	jobs, _, err := c.api.Jobs().List(query(ctx, nomadapi.AllNamespacesNamespace))
	if err != nil {
		return nil
	}
	type near struct {
		name     string
		distance int
	}
	var all []near
	for _, j := range jobs {
		if d := unlike(j.ID, id); d <= 2 && d < len(id) {
			all = append(all, near{j.Namespace + "/" + j.ID, d})
		}
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, n := range all[:min(len(all), maxSimilar)] {
		out = append(out, n.name)
	}
	return out
}

// unlike is how far apart two IDs are: 0 for the same, up to 2 for similar ones.
func unlike(a, b string) int {
	d := model.EditDistance(strings.ToLower(a), strings.ToLower(b))
	if d > 2 && len(a) > 2 && len(b) > 2 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return 2
	}
	return d
}
