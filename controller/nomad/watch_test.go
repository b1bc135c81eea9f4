package nomad

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// answer is one answer of a fake Nomad to a list of deployments.
type answer struct {
	status      int // 200 if 0
	body        string
	index       uint64
	deployments []*nomadapi.Deployment
}

// script answers the list with one answer after another, and then waits as a
// blocking query does. It records the index of each query.
type script struct {
	mu      sync.Mutex
	answers []answer
	asked   []string
	spent   chan struct{}
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Query().Get("namespace")+" "+r.URL.Query().Get("index"))
	if len(s.answers) == 0 {
		s.mu.Unlock()
		select {
		case s.spent <- struct{}{}:
		default:
		}
		<-r.Context().Done()
		return
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	s.mu.Unlock()
	w.Header().Set("X-Nomad-Index", fmt.Sprint(a.index))
	w.Header().Set("X-Nomad-LastContact", "0")
	if a.status != 0 {
		http.Error(w, a.body, a.status)
		return
	}
	_ = json.NewEncoder(w).Encode(a.deployments)
}

func deployment(namespace, id, status string, index uint64) *nomadapi.Deployment {
	return &nomadapi.Deployment{ID: id, Namespace: namespace, Status: status, ModifyIndex: index}
}

// watchScript runs a watch until the script is spent and returns what was
// enqueued, how often primed was called, the queries and the log.
func watchScript(t *testing.T, answers ...answer) (keys []string, primed int, asked []string, logged []string) {
	t.Helper()
	s := &script{answers: answers, spent: make(chan struct{}, 1)}
	server := httptest.NewServer(s)
	defer server.Close()
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(logr.NewContext(t.Context(), funcr.New(func(_, args string) {
		logged = append(logged, args)
	}, funcr.Options{})))
	defer cancel()
	done := make(chan error)
	go func() {
		done <- client.WatchDeployments(ctx, func(key model.Key) {
			if primed == 0 {
				keys = append(keys, "first "+key.String())
			} else {
				keys = append(keys, key.String())
			}
		}, func() { primed++ })
	}()
	select {
	case <-s.spent:
	case <-time.After(20 * time.Second):
		t.Fatal("the watch did not ask again")
	}
	cancel()
	require.NoError(t, <-done)
	return keys, primed, s.asked, logged
}

func TestWatchDeployments(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers []answer
		keys    []string
		asked   []string
	}{
		"the first list enqueues the active deployments of all namespaces and then primes": {
			answers: []answer{{index: 7, deployments: []*nomadapi.Deployment{
				deployment("b", "2", "paused", 6), deployment("a", "1", "running", 5), deployment("a", "old", "successful", 4),
			}}},
			keys:  []string{"first a/1", "first b/2"},
			asked: []string{"* ", "* 7"},
		},
		"a deployment that became terminal is enqueued once more, and then no longer": {
			answers: []answer{
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
				{index: 8, deployments: []*nomadapi.Deployment{deployment("a", "1", "successful", 8)}},
				{index: 9, deployments: []*nomadapi.Deployment{deployment("a", "1", "successful", 8)}},
			},
			keys:  []string{"first a/1", "a/1"},
			asked: []string{"* ", "* 7", "* 8", "* 9"},
		},
		"a deployment that left the list is enqueued": {
			answers: []answer{
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "successful", 5)}},
				{index: 8},
			},
			keys:  []string{"a/1"},
			asked: []string{"* ", "* 7", "* 8"},
		},
		"the same index is no news": {
			answers: []answer{
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
			},
			keys:  []string{"first a/1"},
			asked: []string{"* ", "* 7", "* 7"},
		},
		"an index that goes backwards starts over": {
			answers: []answer{
				{index: 70, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 60)}},
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
			},
			keys:  []string{"first a/1", "a/1", "a/1"},
			asked: []string{"* ", "* 70", "* ", "* 7"},
		},
		"an answer without an index does not make the watch spin": {
			answers: []answer{{index: 0}},
			asked:   []string{"* ", "* 1"},
		},
		"after an error the full list is read again": {
			answers: []answer{
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
				{status: 500, body: "No cluster leader"},
				{index: 7, deployments: []*nomadapi.Deployment{deployment("a", "1", "running", 5)}},
			},
			keys:  []string{"first a/1", "a/1"},
			asked: []string{"* ", "* 7", "* ", "* 7"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, primed, asked, _ := watchScript(t, test.answers...)
			if diff := cmp.Diff(test.keys, keys); diff != "" {
				t.Errorf("enqueued (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.asked, asked); diff != "" {
				t.Errorf("namespace and index of the queries (-want +got):\n%s", diff)
			}
			require.Equal(t, 1, primed, "calls of primed")
		})
	}
}

func TestWatchTellsOnceWhyItRetries(t *testing.T) {
	t.Parallel()
	_, _, _, logged := watchScript(t,
		answer{status: 403, body: "Permission denied"},
		answer{status: 403, body: "Permission denied"},
		answer{status: 500, body: "No cluster leader"},
		answer{index: 7},
	)
	require.Len(t, logged, 3, "%s", strings.Join(logged, "\n"))
	require.Contains(t, logged[0], "the token needs read-job in the namespaces that are to be gated")
	require.Contains(t, logged[1], "nomad is not reachable: it answered 500: No cluster leader")
	require.Contains(t, logged[2], "answers again")
}

func TestWatchOfANomadThatIsNotThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	var lines atomic.Int32
	first := make(chan string, 1)
	ctx, cancel := context.WithCancel(logr.NewContext(t.Context(), funcr.New(func(_, args string) {
		if lines.Add(1) == 1 {
			first <- args
		}
	}, funcr.Options{})))
	done := make(chan error)
	go func() { done <- client.WatchDeployments(ctx, func(model.Key) {}, func() { t.Error("primed") }) }()
	require.Contains(t, <-first, "connection refused")
	cancel()
	require.NoError(t, <-done)
	require.Zero(t, client.LastContact())
	require.ErrorIs(t, client.Check(t.Context()), ErrUnreachable)
}

func TestLastContactIsTheTimeOfTheLastAnswer(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{{index: 7}}, spent: make(chan struct{}, 1)}
	server := httptest.NewServer(s)
	defer server.Close()
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	begin := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- client.WatchDeployments(ctx, func(model.Key) {}, func() {}) }()
	<-s.spent
	contact := client.LastContact()
	cancel()
	require.NoError(t, <-done)
	require.False(t, contact.Before(begin) || contact.After(time.Now()), "last contact %s", contact)
}
