package nomad

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// jobLists answers a list of jobs with one answer after another and then waits.
type jobLists struct {
	mu      sync.Mutex
	answers []jobList
	asked   []string
	spent   chan struct{}
}

type jobList struct {
	status int
	index  uint64
	jobs   []*nomadapi.JobListStub
}

func (l *jobLists) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.asked = append(l.asked, r.URL.Path+" "+r.URL.Query().Get("namespace")+" "+r.URL.Query().Get("index"))
	if len(l.answers) == 0 {
		l.mu.Unlock()
		select {
		case l.spent <- struct{}{}:
		default:
		}
		<-r.Context().Done()
		return
	}
	a := l.answers[0]
	l.answers = l.answers[1:]
	l.mu.Unlock()
	if a.status != 0 {
		http.Error(w, "Permission denied", a.status)
		return
	}
	w.Header().Set("X-Nomad-Index", fmt.Sprint(a.index))
	_ = json.NewEncoder(w).Encode(a.jobs)
}

func stub(id, kind string, index uint64) *nomadapi.JobListStub {
	return &nomadapi.JobListStub{Namespace: "default", ID: id, Type: kind, JobModifyIndex: index}
}

func TestWatchJobs(t *testing.T) {
	t.Parallel()
	l := &jobLists{spent: make(chan struct{}, 1), answers: []jobList{
		{index: 7, jobs: []*nomadapi.JobListStub{stub("web", "service", 5), stub("nightly", "batch", 6)}},
		{index: 7},
		{status: http.StatusForbidden},
		{index: 5, jobs: []*nomadapi.JobListStub{stub("web", "service", 4)}},
	}}
	server := httptest.NewServer(l)
	defer server.Close()
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var told [][]model.JobStub
	done := make(chan error)
	go func() { done <- client.WatchJobs(ctx, func(jobs []model.JobStub) { told = append(told, jobs) }) }()
	select {
	case <-l.spent:
	case <-time.After(20 * time.Second):
		t.Fatal("the watch did not ask again")
	}
	cancel()
	require.NoError(t, <-done)
	web := func(index uint64) []model.JobStub {
		return []model.JobStub{{Namespace: "default", ID: "web", Type: "service", ModifyIndex: index}}
	}
	if diff := cmp.Diff([][]model.JobStub{web(5), web(5), web(4)}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	require.Equal(t, []string{"/v1/jobs * ", "/v1/jobs * 7", "/v1/jobs * 7", "/v1/jobs * ", "/v1/jobs * 5"}, l.asked)
}

// aNomad answers with what is at each path, and 404 elsewhere.
func aNomad(t *testing.T, answers map[string]any) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch a := answers[r.URL.Path].(type) {
		case nil:
			http.Error(w, "job not found", http.StatusNotFound)
		case int:
			http.Error(w, "no", a)
		default:
			_ = json.NewEncoder(w).Encode(a)
		}
	}))
	t.Cleanup(server.Close)
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	return client
}

func TestSubmittedJob(t *testing.T) {
	t.Parallel()
	version, id := uint64(3), "web"
	job := &nomadapi.Job{ID: &id, Version: &version}
	tests := map[string]struct {
		answers map[string]any
		source  string
		none    bool
		fails   error
	}{
		"a job with its source":                       {map[string]any{"/v1/job/web": job, "/v1/job/web/submission": nomadapi.JobSubmission{Source: "job {}"}}, "job {}", false, nil},
		"a job of which Nomad keeps no source":        {map[string]any{"/v1/job/web": job}, "", false, nil},
		"a Nomad that does not know the call":         {map[string]any{"/v1/job/web": job, "/v1/job/web/submission": 405}, "", false, nil},
		"a Nomad that fails in the middle":            {map[string]any{"/v1/job/web": job, "/v1/job/web/submission": 500}, "", false, ErrUnreachable},
		"no such job":                                 {nil, "", true, nil},
		"a token that may not read jobs is forbidden": {map[string]any{"/v1/job/web": 403}, "", false, ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, source, err := aNomad(t, tt.answers).SubmittedJob(t.Context(), "default", "web")
			require.ErrorIs(t, err, tt.fails)
			if tt.fails != nil {
				return
			}
			require.Equal(t, tt.none, got == nil)
			require.Equal(t, tt.source, value(source).Source)
		})
	}
}

func TestSimilarJobs(t *testing.T) {
	t.Parallel()
	in := func(namespace, id string) *nomadapi.JobListStub {
		return &nomadapi.JobListStub{Namespace: namespace, ID: id}
	}
	client := aNomad(t, map[string]any{"/v1/jobs": []*nomadapi.JobListStub{
		in("default", "web-frontend"), in("default", "wob"), in("team", "web"), in("default", "redis"), in("default", "api"),
	}})
	require.Equal(t, []string{"team/web", "default/wob", "default/web-frontend"}, client.SimilarJobs(t.Context(), "default", "web"))
	require.Empty(t, client.SimilarJobs(t.Context(), "default", "xx"))
	require.Empty(t, aNomad(t, nil).SimilarJobs(t.Context(), "default", "web"))
}
