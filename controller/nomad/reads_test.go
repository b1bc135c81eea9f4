package nomad

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// clientOf returns a client of a server that answers with handler.
func clientOf(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func refuse(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, status) }
}

func TestPromoteTellsWhyItWasRefused(t *testing.T) {
	t.Parallel()
	// The texts are those of a real Nomad 1.11.3; TestRealNomad sees them again.
	tests := map[string]struct {
		status int
		text   string
		want   error
		says   string
	}{
		"the token may not":  {403, "Permission denied", ErrForbidden, `the token needs promote-deployment in namespace "a" (before Nomad 1.11.2: submit-job)`},
		"no such deployment": {500, "deployment not found", ErrAbsent, "deployment not found"},
		"it has ended":       {500, "can't promote terminal deployment", ErrTerminal, ""},
		"it ended meanwhile": {500, `Deployment "1f2e" has terminal status "failed":`, ErrTerminal, "failed"},
		"the canaries are not healthy": {
			500, "1 error occurred:\n\t* Task group \"web\" has 0/1 healthy allocations\n\n", ErrUnhealthy,
			`1 error occurred: * Task group "web" has 0/1 healthy allocations`,
		},
		"nobody leads":   {500, "No cluster leader", ErrUnreachable, "No cluster leader"},
		"a broken proxy": {502, "bad gateway", ErrUnreachable, "502"},
		"too many":       {429, "slow down", ErrUnreachable, "429"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, refuse(test.status, test.text))
			err := client.Promote(t.Context(), model.Key{Namespace: "a", Deployment: "1f2e3d4c-0"}, []string{"web"})
			require.ErrorIs(t, err, test.want)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "promote deployment 1f2e3d4c: ")
			require.NotContains(t, err.Error(), "\n")
			for _, other := range []error{ErrForbidden, ErrAbsent, ErrTerminal, ErrUnhealthy, ErrUnreachable} {
				require.Equal(t, errors.Is(test.want, other), errors.Is(err, other), "%v", other)
			}
		})
	}
}

// Nomad answers every refusal alike, so each call has to say what it needs.
func TestEachRefusedCallNamesWhatTheTokenNeeds(t *testing.T) {
	t.Parallel()
	key := model.Key{Namespace: "prod", Deployment: "1f2e3d4c-0"}
	tests := map[string]struct {
		call func(context.Context, *Client) error
		want string
	}{
		"the first question": {func(ctx context.Context, c *Client) error { return c.Check(ctx) }, "list deployments at http://127.0.0.1"},
		"a deployment": {func(ctx context.Context, c *Client) error { _, err := c.Deployment(ctx, key); return err },
			`read deployment 1f2e3d4c: nomad denies permission: it answered 403 (Permission denied): the token needs read-job in namespace "prod"`},
		"a job": {func(ctx context.Context, c *Client) error { _, err := c.Job(ctx, "prod", "web", 1); return err },
			`read job web: nomad denies permission: it answered 403 (Permission denied): the token needs read-job in namespace "prod"`},
		"the allocations of a job": {func(ctx context.Context, c *Client) error { _, err := c.Allocations(ctx, "", "web"); return err },
			`list allocations of job web: nomad denies permission: it answered 403 (Permission denied): the token needs read-job in namespace "default"`},
		"an allocation of any job": {func(ctx context.Context, c *Client) error {
			_, err := c.AllocationTerminal(ctx, "1f2e3d4c-0")
			return err
		},
			`the token needs read-job in the namespaces that are to be gated`},
		"a promotion": {func(ctx context.Context, c *Client) error { return c.Promote(ctx, key, []string{"web"}) },
			`the token needs promote-deployment in namespace "prod" (before Nomad 1.11.2: submit-job)`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.call(t.Context(), clientOf(t, refuse(http.StatusForbidden, "Permission denied")))
			require.ErrorIs(t, err, ErrForbidden)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestPromoteNamesTheGroupsAndTheNamespace(t *testing.T) {
	t.Parallel()
	var got nomadapi.DeploymentPromoteRequest
	var path string
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery
		_ = json.NewDecoder(r.Body).Decode(&got)
		_, _ = w.Write([]byte("{}"))
	})
	require.NoError(t, client.Promote(t.Context(), model.Key{Namespace: "a", Deployment: "1f2e"}, []string{"api", "web"}))
	require.Equal(t, "PUT /v1/deployment/promote/1f2e?namespace=a", path)
	require.Equal(t, []string{"api", "web"}, got.Groups)
	require.False(t, got.All)
	require.Error(t, client.Promote(t.Context(), model.Key{Deployment: "1f2e"}, nil))
}

func TestReadsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := client.Deployment(ctx, model.Key{Deployment: "1f2e"})
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = client.Deployment(ctx, model.Key{Deployment: "1f2e"})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrUnreachable)
}

func TestAbsentDeploymentAndJobAreNil(t *testing.T) {
	t.Parallel()
	client := clientOf(t, refuse(404, "deployment not found"))
	d, err := client.Deployment(t.Context(), model.Key{Deployment: "1f2e"})
	require.NoError(t, err)
	require.Nil(t, d)
	j, err := client.Job(t.Context(), "a", "web", 0)
	require.NoError(t, err)
	require.Nil(t, j)
}

// serveRecorded answers from testdata/recorded, and counts the reads of single
// allocations.
func serveRecorded(t *testing.T, reads *atomic.Int32, change func(name string, body []byte) []byte) *Client {
	old := recorded[nomadapi.Allocation](t, "allocation-old").ID
	canary := recorded[nomadapi.Allocation](t, "allocation-canary").ID
	stopping := recorded[nomadapi.Allocation](t, "allocation-stopping").ID
	return clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		name := map[string]string{
			"/v1/job/recorded":             "job",
			"/v1/job/recorded/versions":    "versions",
			"/v1/job/recorded/allocations": "allocations",
			"/v1/allocation/" + old:        "allocation-old",
			"/v1/allocation/" + canary:     "allocation-canary",
			"/v1/allocation/" + stopping:   "allocation-stopping",
		}[r.URL.Path]
		if name == "" {
			http.NotFound(w, r)
			return
		}
		if strings.HasPrefix(name, "allocation-") {
			reads.Add(1)
		}
		_, _ = w.Write(change(name, readFile(t, filepath.Join("testdata", "recorded", name+".json"))))
	})
}

func TestJobReadsAnOldVersion(t *testing.T) {
	t.Parallel()
	client := serveRecorded(t, new(atomic.Int32), func(_ string, body []byte) []byte { return body })
	for version := range uint64(3) {
		job, err := client.Job(t.Context(), "other", "recorded", version)
		require.NoError(t, err)
		require.Equal(t, version, job.Version)
	}
	job, err := client.Job(t.Context(), "other", "recorded", 3)
	require.NoError(t, err)
	require.Nil(t, job)
}

func TestAllocationJob(t *testing.T) {
	t.Parallel()
	answers := map[string]nomadapi.Allocation{
		"/v1/allocation/with": {TaskGroup: "edge", Job: &nomadapi.Job{ID: new("edge"), TaskGroups: []*nomadapi.TaskGroup{{
			Name: new("edge"), Tasks: []*nomadapi.Task{{
				Name: "traefik", Driver: "docker", Env: map[string]string{"A": "b"},
				Config: map[string]any{"image": "traefik:3", "args": []any{"--api", 7.0}, "volumes": []any{"local/t.yml:/etc/traefik/traefik.yml:ro"}, "mount": map[string]any{"type": "bind", "source": "local", "target": "/conf"}},
			}},
		}}}},
		"/v1/allocation/without": {TaskGroup: "edge"},
	}
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			http.Error(w, "alloc not found", http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	job, group, err := client.AllocationJob(t.Context(), "with")
	require.NoError(t, err)
	require.Equal(t, "edge", group)
	task := job.Group("edge").Tasks[0]
	require.Equal(t, map[string]string{"A": "b"}, task.Env)
	require.Equal(t, model.Program{
		Image: "traefik:3", Args: []string{"--api", "7"},
		Mounts: []model.Mount{{Source: "local/t.yml", Target: "/etc/traefik/traefik.yml"}, {Source: "local", Target: "/conf"}},
	}, task.Program)
	_, _, err = client.AllocationJob(t.Context(), "without")
	require.ErrorContains(t, err, "Nomad answered without it")
	_, _, err = client.AllocationJob(t.Context(), "gone")
	require.ErrorIs(t, err, ErrAbsent)
}

func TestAllocationTerminal(t *testing.T) {
	t.Parallel()
	status := atomic.Pointer[string]{}
	set := func(s string) { status.Store(&s) }
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		if *status.Load() == "" {
			http.Error(w, "alloc not found", http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(nomadapi.Allocation{ClientStatus: *status.Load()})
	})
	set("")
	_, err := client.AllocationTerminal(t.Context(), "1f2e")
	require.ErrorIs(t, err, ErrAbsent, "one that was never seen may belong to another Nomad")
	for _, s := range []string{"pending", "running", "unknown"} {
		set(s)
		ended, err := client.AllocationTerminal(t.Context(), "1f2e")
		require.NoError(t, err)
		require.False(t, ended, s)
	}
	set("")
	ended, err := client.AllocationTerminal(t.Context(), "1f2e")
	require.NoError(t, err)
	require.True(t, ended, "Nomad forgets none but those that ended")
	set("complete")
	ended, err = client.AllocationTerminal(t.Context(), "1f2e")
	require.NoError(t, err)
	require.True(t, ended)
}

func TestNewTakesNomadsEnvironmentAndOverrides(t *testing.T) {
	t.Setenv("NOMAD_ADDR", "http://192.0.2.1:4646")
	t.Setenv("NOMAD_TOKEN", "from-env")
	client, err := New(Options{})
	require.NoError(t, err)
	require.Equal(t, "http://192.0.2.1:4646", client.Address())
	var token, region string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		token, region = r.Header.Get("X-Nomad-Token"), r.URL.Query().Get("region")
	}))
	defer server.Close()
	client, err = New(Options{Address: server.URL, Region: "eu"})
	require.NoError(t, err)
	_ = client.Check(t.Context())
	require.Equal(t, "from-env eu", token+" "+region)
	client, err = New(Options{Address: server.URL, Token: "given"})
	require.NoError(t, err)
	_ = client.Check(t.Context())
	require.Equal(t, "given", token)
	for _, bad := range []string{"localhost:4646", "ftp://x", "http://a b"} {
		_, err := New(Options{Address: bad})
		require.ErrorContains(t, err, "nomad address", bad)
	}
}

func TestNewReachesATaskAPISocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "api.sock")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"ID":"` + filepath.Base(r.URL.Path) + `"}`))
		},
	)}}
	server.Start()
	defer server.Close()
	client, err := New(Options{Address: "unix://" + path, Token: "identity"})
	require.NoError(t, err)
	defer client.Close()
	d, err := client.Deployment(t.Context(), model.Key{Namespace: "a", Deployment: "1f2e"})
	require.NoError(t, err)
	require.Equal(t, "1f2e", d.ID)
}
func TestSocketThatIsTooDeepIsRefused(t *testing.T) {
	_, err := New(Options{Address: "unix:///" + strings.Repeat("d", longestSocket)})
	require.ErrorContains(t, err, "107 bytes")
	require.ErrorContains(t, err, "NOMAD_ADDR")
}
