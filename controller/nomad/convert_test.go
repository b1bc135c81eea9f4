package nomad

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

// recorded decodes what a real Nomad answered; see record in real_e2e_test.go.
func recorded[T any](t *testing.T, name string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	require.NoError(t, err)
	var out T
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

// requireGolden compares a value with the file of that name, or writes the file
// where UPDATE_GOLDEN is set.
func requireGolden(t *testing.T, name string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	path := filepath.Join("testdata", name+".golden.json")
	if flagUpdate() {
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	if diff := cmp.Diff(string(want), string(text)+"\n"); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestConvertRecordedAnswers(t *testing.T) {
	t.Parallel()
	var stubs []model.Allocation
	for _, stub := range recorded[[]*nomadapi.AllocationListStub](t, "allocations") {
		stubs = append(stubs, convertStub(stub))
	}
	var versions []*model.Job
	for _, job := range recorded[nomadapi.JobVersionsResponse](t, "versions").Versions {
		versions = append(versions, convert.Job(job))
	}
	tests := map[string]any{
		"deployment":        convertDeployment(new(recorded[nomadapi.Deployment](t, "deployment"))),
		"job":               convert.Job(new(recorded[nomadapi.Job](t, "job"))),
		"versions":          versions,
		"allocations":       stubs,
		"allocation-old":    convertAllocation(new(recorded[nomadapi.Allocation](t, "allocation-old"))),
		"allocation-canary": convertAllocation(new(recorded[nomadapi.Allocation](t, "allocation-canary"))),
	}
	for name, got := range tests {
		t.Run(name, func(t *testing.T) { requireGolden(t, name, got) })
	}
}

// What a decision rests on most, spelled out, so that an update of the golden
// files cannot lose it.
func TestRecordedCanaryAllocation(t *testing.T) {
	t.Parallel()
	got := convertAllocation(new(recorded[nomadapi.Allocation](t, "allocation-canary")))
	d := convertDeployment(new(recorded[nomadapi.Deployment](t, "deployment")))
	require.Equal(t, []string{got.ID}, d.Groups[0].PlacedCanaries)
	require.Equal(t, d.ID, got.DeploymentID)
	require.Equal(t, "recorded.web[0]", got.Name)
	require.True(t, got.Canary)
	require.Equal(t, model.HealthTrue, got.Health)
	require.False(t, got.ChangedInPlace())
	require.Equal(t, "other", got.Namespace)
	require.Equal(t, d.JobVersion, got.Job.Version)
	mode, _ := got.Job.MetaFor("web", "draingate_mode")
	require.Equal(t, "enforce", mode)

	group := got.Job.Group("web")
	require.Equal(t, model.Update{
		Canary: 1, MaxParallel: 1, HealthCheck: "checks",
		MinHealthyTime: time.Second, HealthyDeadline: time.Minute, ProgressDeadline: 10 * time.Minute,
	}, group.Update)
	require.Equal(t, 2*time.Second, group.ShutdownDelay)
	require.Equal(t, time.Second, group.Tasks[0].ShutdownDelay)
	require.Equal(t, 5*time.Second, group.Tasks[0].KillTimeout)
	require.Equal(t, []model.Service{{
		Name: "recorded", Provider: "consul", PortLabel: "http", OnUpdate: "require_healthy", AddressMode: "auto",
		Tags: []string{"traefik.enable=true"}, CanaryTags: []string{"traefik.enable=true", "canary"},
		Checks: []model.Check{{
			Name: `service: "recorded" check`, Type: "http", Path: "/readyz",
			Interval: time.Second, Timeout: time.Second, OnUpdate: "require_healthy",
		}},
	}}, group.Services)
	require.Equal(t, "server", group.Tasks[0].Services[0].Task)
}

func TestConvertOfAnswersWithNothingInThem(t *testing.T) {
	t.Parallel()
	require.Equal(t, model.Deployment{}, convertDeployment(&nomadapi.Deployment{}))
	require.Equal(t, []model.DeploymentGroup{{Name: "web"}},
		convertDeployment(&nomadapi.Deployment{TaskGroups: map[string]*nomadapi.DeploymentState{"web": nil}}).Groups)
	require.Nil(t, convertAllocation(&nomadapi.Allocation{}).Job)
	require.Equal(t, model.HealthUnset, convertStub(&nomadapi.AllocationListStub{}).Health)
	empty := convert.Job(&nomadapi.Job{TaskGroups: []*nomadapi.TaskGroup{nil, {
		Tasks: []*nomadapi.Task{nil, {Services: []*nomadapi.Service{nil}}}, Services: []*nomadapi.Service{nil},
	}}})
	require.Equal(t, "service", empty.Type)
	require.Len(t, empty.Groups, 1)
	require.Equal(t, 5*time.Second, empty.Groups[0].Tasks[0].KillTimeout)
}

func TestConvertUpdate(t *testing.T) {
	t.Parallel()
	yes, no, zero := true, false, 0
	tests := map[string]struct {
		job, group *nomadapi.UpdateStrategy
		want       model.Update
	}{
		"auto_promote stands in the job's update block only": {
			job: &nomadapi.UpdateStrategy{AutoPromote: &yes},
			want: model.Update{
				AutoPromote: true, MaxParallel: 1, HealthCheck: "checks",
				MinHealthyTime: 10 * time.Second, HealthyDeadline: 5 * time.Minute, ProgressDeadline: 10 * time.Minute,
			},
		},
		"the group's word goes before the job's": {
			job:   &nomadapi.UpdateStrategy{AutoPromote: &yes},
			group: &nomadapi.UpdateStrategy{AutoPromote: &no},
			want: model.Update{
				MaxParallel: 1, HealthCheck: "checks",
				MinHealthyTime: 10 * time.Second, HealthyDeadline: 5 * time.Minute, ProgressDeadline: 10 * time.Minute,
			},
		},
		"max_parallel 0 stays 0, since Nomad then makes no deployment": {
			group: &nomadapi.UpdateStrategy{MaxParallel: &zero},
			want: model.Update{
				HealthCheck:    "checks",
				MinHealthyTime: 10 * time.Second, HealthyDeadline: 5 * time.Minute, ProgressDeadline: 10 * time.Minute,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := convert.Job(&nomadapi.Job{Update: test.job, TaskGroups: []*nomadapi.TaskGroup{{Update: test.group}}})
			require.Equal(t, test.want, job.Groups[0].Update)
		})
	}
}
