package app

import (
	"context"
	"fmt"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/nomad"
	"github.com/draingate/draingate/jobspecs"
)

// Jobs are the jobs of the Nomad that its own environment variables name.
type Jobs struct{ nomad *nomad.Client }

// NewJobs makes a client. It reads TLS files and asks nobody. Its errors and
// those of the methods carry exit codes of package exit.
func NewJobs() (*Jobs, error) {
	client, err := nomad.New(nomadOptions(nil))
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return &Jobs{client}, nil
}

// Job returns the latest version of a job, with the lines of the source that
// Nomad keeps of it; nil where there is no such job or the token may not see it.
func (j *Jobs) Job(ctx context.Context, namespace, id string) (*jobspecs.File, error) {
	job, source, err := j.nomad.SubmittedJob(ctx, namespace, id)
	if err != nil {
		return nil, coded(fmt.Errorf("ask Nomad at %s (NOMAD_ADDR): %w", j.nomad.Address(), err), exit.Usage)
	}
	if job == nil {
		return nil, nil
	}
	return jobspecs.FromServer(job, source), nil
}

// Similar returns, as NAMESPACE/ID, the jobs that may have been meant by
// whoever asked for one that there is not.
func (j *Jobs) Similar(ctx context.Context, namespace, id string) []string {
	return j.nomad.SimilarJobs(ctx, namespace, id)
}
