package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/jobspecs"
)

// askTimeout bounds what one job may take to be read from Nomad.
const askTimeout = 10 * time.Second

// LiveJobs are the jobs of a Nomad. Errors carry exit codes of package exit.
type LiveJobs interface {
	// Job returns the latest version of a job, nil where there is no such job.
	Job(ctx context.Context, namespace, id string) (*jobspecs.File, error)
	// Similar returns, as NAMESPACE/ID, the jobs that may have been meant.
	Similar(ctx context.Context, namespace, id string) []string
}

func (p Program) liveJobs() (LiveJobs, error) {
	if p.Nomad == nil {
		return nil, exit.With(exit.Usage, errors.New("this build cannot read jobs from Nomad"))
	}
	return p.Nomad()
}

// readJobs reads the jobs that are named, and fails on the first that is not
// there.
func readJobs(ctx context.Context, nomad LiveJobs, o options.Lint) ([]*jobspecs.File, error) {
	var out []*jobspecs.File
	for _, name := range o.Jobs {
		namespace, id := o.Job(name)
		file, err := ask(ctx, nomad, namespace, id)
		if err != nil {
			return nil, fmt.Errorf("--job %s: %w", name, err)
		}
		if file == nil {
			return nil, exit.With(exit.Usage, fmt.Errorf("--job %s: Nomad has no job %q in namespace %q that this token may read%s",
				name, id, namespace, meant(nomad.Similar(ctx, namespace, id))))
		}
		out = append(out, file)
	}
	return out, nil
}

func ask(ctx context.Context, nomad LiveJobs, namespace, id string) (*jobspecs.File, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return nomad.Job(ctx, namespace, id)
}

func meant(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(names, " or ") + "?"
}
