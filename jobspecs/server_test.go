package jobspecs

import (
	"strings"
	"testing"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

const kept = `variable "name" {}
variable "delay" {}
job "web" {
  group "web" {
    shutdown_delay = var.delay
    dynamic "service" {
      for_each = [var.name]
      content {
        name = service.value
        port = "http"
        tags = ["traefik.enable=true"]
      }
    }
    task "web" {
      driver = "docker"
      config {
        args = [file("nowhere.txt")]
      }
    }
  }
}
`

// more is the same job with another group.
func more() string {
	return strings.Replace(kept, "  group \"web\" {", "  group \"api\" {}\n  group \"web\" {", 1)
}

func serverJob(groups ...string) *nomadapi.Job {
	job := nomadapi.NewServiceJob("web", "web", "global", 50)
	for _, name := range groups {
		g := nomadapi.NewTaskGroup(name, 1).AddTask(nomadapi.NewTask("web", "docker"))
		g.Services = []*nomadapi.Service{{Name: "web", Tags: []string{"traefik.enable=true"}}}
		job.AddTaskGroup(g)
	}
	return job
}

func TestFromServer(t *testing.T) {
	values := map[string]string{"name": "web"}
	tests := map[string]struct {
		job    *nomadapi.Job
		source *nomadapi.JobSubmission
		line   int
	}{
		"the source has the lines, whatever files it names":           {serverJob("web"), &nomadapi.JobSubmission{Source: kept, Format: "hcl2", VariableFlags: values, Variables: `delay = "6s"`}, 5},
		"without the source there are none":                           {serverJob("web"), nil, 0},
		"nor with an empty one":                                       {serverJob("web"), &nomadapi.JobSubmission{}, 0},
		"nor with a group that is not the job's":                      {serverJob("api"), &nomadapi.JobSubmission{Source: kept, VariableFlags: values, Variables: `delay = "6s"`}, 0},
		"nor with a group too few":                                    {serverJob("web", "api"), &nomadapi.JobSubmission{Source: kept, VariableFlags: values, Variables: `delay = "6s"`}, 0},
		"nor with a group too many":                                   {serverJob("web"), &nomadapi.JobSubmission{Source: more(), VariableFlags: values, Variables: `delay = "6s"`}, 0},
		"nor with a source that does not parse":                       {serverJob("web"), &nomadapi.JobSubmission{Source: "job {", Format: "hcl2"}, 0},
		"nor with one whose blocks cannot be told without a variable": {serverJob("web"), &nomadapi.JobSubmission{Source: kept, Format: "hcl2"}, 0},
		"a job in JSON has its own lines": {serverJob("web"), &nomadapi.JobSubmission{Format: "json",
			Source: "{\"Job\": {\"ID\": \"web\", \"TaskGroups\": [{\"Name\": \"web\",\n\"ShutdownDelay\": 6000000000,\n\"Services\": [{\"Name\": \"web\"}], \"Tasks\": [{\"Name\": \"web\"}]}]}}"}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := FromServer(tt.job, tt.source)
			require.Equal(t, "web", f.Job.ID)
			at, _ := f.Locate(model.GroupPath("web").Child("shutdown_delay"))
			require.Equal(t, "nomad:default/web", at.Range.File)
			require.Equal(t, tt.line, at.Range.Start.Line)
			if tt.line == 0 {
				require.Empty(t, f.Content)
			}
		})
	}
}
