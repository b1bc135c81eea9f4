package lint_test

import (
	"errors"
	"testing"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/report"
	"github.com/draingate/draingate/jobspecs"
)

// live is a job as a Nomad has it, of one group with a count.
func live(namespace, source string, meta map[string]string) *jobspecs.File {
	job := nomadapi.NewServiceJob("web", "web", "global", 50).AddTaskGroup(nomadapi.NewTaskGroup("a", 2))
	job.Namespace, job.Meta = &namespace, meta
	return jobspecs.FromServer(job, &nomadapi.JobSubmission{Source: source, Format: "hcl2"})
}

const countOfTwo = "job \"web\" {\n  group \"a\" {\n    # draingate:ignore DG999 why not\n    count = 2\n  }\n}\n"

func TestJobsOfANomad(t *testing.T) {
	settings := lint.Settings{Where: "t"}
	about := "t:0:0 DG501 throttle is 0s"
	tests := map[string]struct {
		job  *jobspecs.File
		want []string
	}{
		"the source has the line":       {live("team", countOfTwo, nil), []string{"web:3:5 DG001 this ignore names DG999, and there is no such rule that can be ignored", "web:4:5 DG201 count is 2", about}},
		"without it there is none":      {live("team", "", nil), []string{"web:0:0 DG201 count is 2", about}},
		"an ignore in meta is in force": {live("team", "", map[string]string{"draingate_ignore_DG201": "always so"}), []string{about}},
		"one without a reason is not": {live("team", "", map[string]string{"draingate_ignore_DG201": ""}), []string{
			"web:0:0 DG002 this ignore of DG201 gives no reason, so it is not in force", "web:0:0 DG201 count is 2", about}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			lines, result := found(t, lint.Options{Jobs: []*jobspecs.File{tt.job}, Settings: settings})
			require.Equal(t, tt.want, lines)
			require.Equal(t, 1, result.Jobs)
			require.Equal(t, 0, result.Files)
			require.Contains(t, report.Summary(result), "1 live job: ")
			if len(result.Findings) > 1 {
				require.Equal(t, "nomad:team/web", result.Findings[0].File)
			}
		})
	}
}

func TestAgainstWhatRuns(t *testing.T) {
	o := lint.Options{Paths: []string{put(t, "web.hcl", "job \"web\" {\n  group \"a\" {}\n}\n")}, Settings: lint.Settings{Where: "t"}, Namespace: "team"}
	about := "t:0:0 DG501 throttle is 0s"
	var asked []string
	runs := func(job *jobspecs.File, err error) func(string, string) (*jobspecs.File, error) {
		return func(namespace, id string) (*jobspecs.File, error) {
			asked = append(asked, namespace+"/"+id)
			return job, err
		}
	}
	o.Running = runs(live("team", "", nil), nil)
	lines, result := found(t, o)
	require.Equal(t, []string{"web.hcl:1:1 DG901 ran with 1 groups", about}, lines)
	require.Equal(t, []string{"team/web"}, asked, "a file without a namespace is for the one that is set")
	require.Empty(t, result.New)

	o.Running = runs(nil, nil)
	lines, result = found(t, o)
	require.Equal(t, []string{about}, lines)
	require.Equal(t, []string{"nomad:team/web"}, result.New)

	down := errors.New("nobody answers")
	asked, o.Running, o.Rules = nil, runs(nil, down), stubRules()
	o.Paths = append(o.Paths, put(t, "api.hcl", "job \"api\" {\n  group \"a\" {}\n}\n"))
	result, err := lint.Run(o)
	require.ErrorIs(t, err, down)
	require.Len(t, asked, 1, "a Nomad that does not answer is asked once")
	require.Equal(t, 2, result.Files)
}
