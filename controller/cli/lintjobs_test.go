package cli_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/jobspecs"
)

// folder is a Nomad whose jobs are the files NAMESPACE/ID.hcl below the folder
// live; of those in the namespace bare it keeps no source.
type folder struct{}

func stubNomad() (cli.LiveJobs, error) { return folder{}, nil }

func (folder) Job(_ context.Context, namespace, id string) (*jobspecs.File, error) {
	if os.Getenv("STUB") == "blind" {
		return nil, exit.With(exit.CannotSee, errors.New("ask Nomad at http://127.0.0.1:1 (NOMAD_ADDR): connection refused"))
	}
	content, err := os.ReadFile(filepath.Join("live", namespace, id+".hcl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parsed, err := jobspecs.Parse(jobspecs.Source{Name: id, Content: content}, jobspecs.Options{})
	if err != nil {
		return nil, err
	}
	parsed.Spec.Namespace = &namespace
	if namespace == "bare" {
		return jobspecs.FromServer(parsed.Spec, nil), nil
	}
	return jobspecs.FromServer(parsed.Spec, &nomadapi.JobSubmission{Source: string(content), Format: "hcl2"}), nil
}

func (folder) Similar(context.Context, string, string) []string {
	var out []string
	files, _ := filepath.Glob("live/*/*.hcl")
	for _, f := range files {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(f, "live/"), ".hcl"))
	}
	return out
}
