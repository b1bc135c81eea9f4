package nomad

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

// jobsServer has jobs and variables, and denies what is below a path.
func jobsServer(t *testing.T, denied string) *Client {
	t.Helper()
	stubs := []*nomadapi.JobListStub{stub("web", "service", 5), stub("api", "service", 5), stub("nightly", "batch", 6), stub("gone", "service", 7), stub("old", "service", 8)}
	stubs[4].Stop = true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Nomad-Index", "9")
		id, one := strings.CutPrefix(r.URL.Path, "/v1/job/")
		switch {
		case denied != "" && strings.HasPrefix(r.URL.Path, denied):
			http.Error(w, "Permission denied", http.StatusForbidden)
		case r.URL.Path == "/v1/jobs":
			_ = json.NewEncoder(w).Encode(stubs)
		case r.URL.Path == "/v1/vars":
			_ = json.NewEncoder(w).Encode([]*nomadapi.VariableMetadata{{Path: "draingate/jobs/web"}})
		case one && (id == "web" || id == "api"):
			_ = json.NewEncoder(w).Encode(&nomadapi.Job{ID: &id, Namespace: new("team"), Type: new("service")})
		default:
			http.Error(w, "job not found", http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	c, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	return c
}

func TestServiceJobsAreThoseThatRun(t *testing.T) {
	t.Parallel()
	jobs, err := jobsServer(t, "").ServiceJobs(t.Context(), "team")
	require.NoError(t, err)
	require.Len(t, jobs, 2, "no batch job, none that is stopped, and none that went meanwhile")
	require.Equal(t, []string{"api", "web"}, []string{jobs[0].ID, jobs[1].ID})
	_, err = jobsServer(t, "/v1/jobs").ServiceJobs(t.Context(), "team")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `list-jobs in namespace "team"`)
	_, err = jobsServer(t, "/v1/job/").ServiceJobs(t.Context(), "team")
	require.ErrorContains(t, err, `read-job in namespace "default"`)
}

func TestCheckJobsCountsWhatTheTokenMayList(t *testing.T) {
	t.Parallel()
	jobs, variables, err := jobsServer(t, "").CheckJobs(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{4, 1}, []int{jobs, variables})
	_, _, err = jobsServer(t, "/v1/jobs").CheckJobs(t.Context())
	require.ErrorContains(t, err, "list-jobs")
	_, _, err = jobsServer(t, "/v1/vars").CheckJobs(t.Context())
	require.ErrorContains(t, err, `list on the variables "draingate/jobs/*"`)
}
