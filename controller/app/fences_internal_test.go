package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/status"
)

const fencedDeployment = "1f2e3d4c-8a5b-7c6d-9e0f-a1b2c3d4e5f6"

// fencedRecord has one allocation of two that is still to be stopped.
func fencedRecord(step fence.Step) fence.Record {
	return fence.Record{
		Format: fence.Format, Namespace: "default", Deployment: fencedDeployment, Job: "web", Owner: "node1/1", Seq: 3, Mark: "m3", Step: step, Call: fence.CallPromote,
		Set:     []fence.Target{{Alloc: "a1", Name: "web.app[0]", Group: "app", Node: "n1", Services: []string{"s1"}}},
		Kept:    []fence.Target{{Alloc: "a2", Name: "web.app[1]", Group: "app", Node: "n2", Services: []string{"s2"}}},
		Written: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}
}

// consulOf is a client of a Consul that answers so.
func consulOf(t *testing.T, answers http.Handler) *consul.Client {
	t.Helper()
	server := httptest.NewServer(answers)
	t.Cleanup(server.Close)
	c, err := consul.New(consul.Options{Address: server.URL})
	require.NoError(t, err)
	return c
}

// keyValues is a Consul that answers any list of keys with these.
func keyValues(t *testing.T, pairs ...consulapi.KVPair) *consul.Client {
	t.Helper()
	return consulOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Consul-Index", "7")
		w.Header().Set("X-Consul-KnownLeader", "true")
		w.Header().Set("X-Consul-LastContact", "0")
		_ = json.NewEncoder(w).Encode(pairs)
	}))
}

func encoded(t *testing.T, r fence.Record) []byte {
	t.Helper()
	text, err := r.Encode()
	require.NoError(t, err)
	return text
}

func acknowledges(t *testing.T, acks map[string]string) []byte {
	t.Helper()
	text, err := fence.EncodePresence(acks, "")
	require.NoError(t, err)
	return text
}

func TestFencesAreShownAsTheyAreStored(t *testing.T) {
	keys := fence.KeysUnder("draingate/leader")
	r := fencedRecord(fence.StepArmed)
	a := &App{options: options.Default(), consul: keyValues(t,
		consulapi.KVPair{Key: keys.Record(r.Key()), Value: encoded(t, r), Session: "s"},
		consulapi.KVPair{Key: "draingate/leader", Value: []byte("{}"), Session: "s"},
		consulapi.KVPair{Key: keys.Presence("n2", "B"), Value: acknowledges(t, map[string]string{r.Deployment: "m2"}), Session: "t"},
		consulapi.KVPair{Key: keys.Presence("n1", "A"), Value: acknowledges(t, map[string]string{r.Deployment: "m3"}), Session: "u"},
		consulapi.KVPair{Key: keys.Presence("n3", "C"), Value: acknowledges(t, nil)},
	)}
	got, err := a.fences()
	require.NoError(t, err)
	want := status.FenceList{
		Fences: []status.Fence{{
			Namespace: "default", Deployment: fencedDeployment, Job: "web", Step: "armed", Call: "promote", Owner: "node1/1", Locked: true, Written: r.Written,
			Set:  []status.FencedInstance{{Allocation: "a1", Name: "web.app[0]", Group: "app", Node: "n1", Services: []string{"s1"}}},
			Kept: []status.FencedInstance{{Allocation: "a2", Name: "web.app[1]", Group: "app", Node: "n2", Services: []string{"s2"}}},
		}},
		// What B acknowledged was written over, and the session of C has ended.
		Fencers: []status.Fencer{{Node: "n1", Instance: "A", Acknowledged: []string{fencedDeployment}}, {Node: "n2", Instance: "B"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fences (-want +got):\n%s", diff)
	}
}

func TestARecordOfAnotherVersionIsNotNoFence(t *testing.T) {
	a := &App{options: options.Default(), consul: keyValues(t, consulapi.KVPair{Key: "draingate/leader/fences/default/x", Value: []byte(`{"format": 2}`)})}
	_, err := a.fences()
	require.ErrorContains(t, err, "key draingate/leader/fences/default/x")
}
