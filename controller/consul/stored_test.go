package consul

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

var leads = model.Guard{Key: "draingate/leader", Session: "s1"}

func TestAKeyIsWrittenOnlyByWhoLeadsAndOnlyAsItWasRead(t *testing.T) {
	lock := map[string]any{"Verb": "lock", "Key": "draingate/fences/x", "Value": "eA==", "Session": "s1", "Flags": 0.0, "Index": 0.0, "Namespace": "", "Partition": ""}
	tests := map[string]struct {
		index uint64
		write func(*Client, uint64) (bool, error)
		want  []string
	}{
		"a key that is there": {7, func(c *Client, i uint64) (bool, error) {
			return c.Store(t.Context(), leads, "draingate/fences/x", []byte("x"), i)
		}, []string{"check-session draingate/leader s1 0", "check-index draingate/fences/x  7", "lock draingate/fences/x s1 0"}},
		"one that is not": {0, func(c *Client, i uint64) (bool, error) {
			return c.Store(t.Context(), leads, "draingate/fences/x", []byte("x"), i)
		}, []string{"check-session draingate/leader s1 0", "check-not-exists draingate/fences/x  0", "lock draingate/fences/x s1 0"}},
		"one that is deleted": {7, func(c *Client, i uint64) (bool, error) {
			return c.Forget(t.Context(), leads, "draingate/fences/x", i)
		}, []string{"check-session draingate/leader s1 0", "check-index draingate/fences/x  7", "delete-cas draingate/fences/x  7"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, a := answers(t, 200, `{"Results": [], "Errors": null}`)
			done, err := test.write(c, test.index)
			require.NoError(t, err)
			require.True(t, done)
			require.Equal(t, "PUT /v1/txn", a.uri)
			var sent []struct {
				KV struct {
					Verb, Key, Session string
					Index              uint64
				}
			}
			require.NoError(t, json.Unmarshal(a.sent, &sent))
			var got []string
			for _, op := range sent {
				got = append(got, op.KV.Verb+" "+op.KV.Key+" "+op.KV.Session+" "+string(rune('0'+op.KV.Index)))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("operations (-want +got):\n%s", diff)
			}
		})
	}
	c, a := answers(t, 200, `{}`)
	_, err := c.Store(t.Context(), leads, "draingate/fences/x", []byte("x"), 0)
	require.NoError(t, err)
	var sent []struct{ KV map[string]any }
	require.NoError(t, json.Unmarshal(a.sent, &sent))
	for key := range lock {
		if _, there := sent[2].KV[key]; !there {
			delete(lock, key) // what the API leaves out where it is empty
		}
	}
	require.Equal(t, lock, sent[2].KV)
}

func TestKeysThatMayNotBeReadAreNotTakenForNone(t *testing.T) {
	var denied bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, value := range map[string]string{"X-Consul-Index": "7", "X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0"} {
			w.Header().Set(key, value)
		}
		if !r.URL.Query().Has("recurse") && denied {
			http.Error(w, "Permission denied: token lacks permission", http.StatusForbidden)
			return
		}
		http.NotFound(w, r) // as Consul answers where there is none
	}))
	t.Cleanup(server.Close)
	c, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	require.NoError(t, c.CheckKeys(t.Context(), "draingate/leader/parks/"))
	denied = true
	err = c.CheckKeys(t.Context(), "draingate/leader/parks/")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `key_prefix "draingate/leader/parks/" { policy = "write" }`)
}

func TestATransactionThatWasRolledBackWroteNothing(t *testing.T) {
	c, _ := answers(t, 409, `{"Results": null, "Errors": [{"OpIndex": 0, "What": "failed session check for key \"draingate/leader\""}]}`)
	done, err := c.Store(t.Context(), leads, "draingate/fences/x", nil, 7)
	require.NoError(t, err)
	require.False(t, done)
	for body, want := range map[string]error{
		`{"Errors": [{"OpIndex": 2, "What": "Permission denied: token lacks permission"}]}`: ErrForbidden,
		`something else`: ErrUnreachable,
		`{}`:             ErrUnreachable,
	} {
		c, _ := answers(t, 409, body)
		done, err := c.Store(t.Context(), leads, "draingate/fences/x", nil, 7)
		require.ErrorIs(t, err, want)
		require.False(t, done)
	}
	c, _ = answers(t, 500, "No cluster leader")
	_, err = c.Forget(t.Context(), leads, "draingate/fences/x", 7)
	require.ErrorIs(t, err, ErrNoLeader)
	c, _ = answers(t, 403, "Permission denied")
	_, err = c.Forget(t.Context(), leads, "draingate/fences/x", 7)
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `key "draingate/fences/x" { policy = "write" } and the same for "draingate/leader"`)
}

func TestAListIsWholeOrNone(t *testing.T) {
	const one = `[{"Key": "draingate/fences/x", "Value": "eA==", "Session": "s1", "ModifyIndex": 5}]`
	c, a := answers(t, 200, one)
	got, index, err := c.List(t.Context(), "draingate/fences/", 0, 0)
	require.NoError(t, err)
	require.Equal(t, []model.Stored{{Key: "draingate/fences/x", Value: []byte("x"), Session: "s1", Index: 5}}, got)
	require.Equal(t, uint64(7), index)
	require.Equal(t, "GET /v1/kv/draingate/fences/?consistent=&recurse=", a.uri)
	_, _, err = c.List(t.Context(), "draingate/fences/", 7, 10*time.Second)
	require.NoError(t, err)
	require.Contains(t, a.uri, "index=7")

	c, _ = answers(t, 404, "")
	got, _, err = c.List(t.Context(), "draingate/fences/", 0, 0)
	require.NoError(t, err)
	require.Empty(t, got)
	for _, code := range []int{200, 404} {
		c, a = answers(t, code, "[]")
		a.header["X-Consul-Results-Filtered-By-ACLs"] = "true"
		_, _, err = c.List(t.Context(), "draingate/fences/", 0, 0)
		require.ErrorIs(t, err, ErrForbidden, "nothing left out may pass for nothing there")
		require.ErrorContains(t, err, `key_prefix "draingate/fences/" { policy = "write" }`)
	}
	c, a = answers(t, 200, one)
	a.header["X-Consul-KnownLeader"] = "false"
	_, _, err = c.List(t.Context(), "draingate/fences/", 0, 0)
	require.ErrorIs(t, err, ErrNoLeader)
}

func TestPresenceEndsWithItsSession(t *testing.T) {
	c, a := answers(t, 200, `{"ID": "s1"}`)
	_, err := c.OpenPresence(t.Context(), "draingate a", 10*time.Second)
	require.NoError(t, err)
	var sent map[string]any
	require.NoError(t, json.Unmarshal(a.sent, &sent))
	require.Equal(t, map[string]any{"Name": "draingate a", "TTL": "10s", "LockDelay": "1ms", "Behavior": "delete", "NodeChecks": []any{}}, sent)
}

// agent is the part of a Consul agent that keeps services in maintenance. Like
// the real one it keeps the first reason.
type agent struct {
	mu       sync.Mutex
	services map[string]string // reason, empty for none
	writes   []string
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	services, checks := map[string]any{}, map[string]any{"serfHealth": map[string]any{"CheckID": "serfHealth"}}
	for id, reason := range a.services {
		services[id] = map[string]any{"ID": id, "Service": "web", "Address": "10.0.0.1", "Port": 8080}
		if reason != "" {
			checks["_service_maintenance:"+id] = map[string]any{"Notes": reason, "ServiceID": id, "Status": "critical"}
		}
	}
	var out any
	id := r.PathValue("id")
	switch r.URL.Path {
	case "/v1/agent/self":
		out = map[string]any{"Config": map[string]any{"NodeName": "n1"}}
	case "/v1/agent/services":
		out = services
	case "/v1/agent/checks":
		out = checks
	default:
		is, there := a.services[id]
		if !there {
			http.Error(w, "Unknown service ID", http.StatusNotFound)
			return
		}
		a.writes = append(a.writes, r.Method+" "+r.URL.RequestURI())
		switch {
		case r.FormValue("enable") == "false":
			a.services[id] = ""
		case is == "":
			a.services[id] = r.FormValue("reason")
		}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func agentOf(t *testing.T, services map[string]string) (*Client, *agent) {
	t.Helper()
	a := &agent{services: services}
	mux := http.NewServeMux()
	mux.Handle("/v1/agent/service/maintenance/{id}", a)
	mux.Handle("/", a)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	return c, a
}

func TestTheMaintenanceOfLocalServicesIsRead(t *testing.T) {
	c, _ := agentOf(t, map[string]string{"b": "draingate/dep", "a": "", "c": "disk is full"})
	got, err := c.LocalServices(t.Context())
	require.NoError(t, err)
	const at = "10.0.0.1:8080"
	require.Equal(t, []model.LocalService{{ID: "a", Name: "web", Address: at}, {ID: "b", Name: "web", Maintenance: true, Reason: "draingate/dep", Address: at, Critical: true},
		{ID: "c", Name: "web", Maintenance: true, Reason: "disk is full", Address: at, Critical: true}}, got)
	name, err := c.AgentName(t.Context())
	require.NoError(t, err)
	require.Equal(t, "n1", name)
}

func TestMaintenanceIsSetAndLiftedByItsReason(t *testing.T) {
	c, a := agentOf(t, map[string]string{"a": "", "c": "disk is full"})
	is, err := c.SetMaintenance(t.Context(), "a", "draingate/dep")
	require.NoError(t, err)
	require.Equal(t, "draingate/dep", is)
	require.Equal(t, []string{"PUT /v1/agent/service/maintenance/a?enable=true&reason=draingate%2Fdep"}, a.writes)

	is, err = c.SetMaintenance(t.Context(), "c", "draingate/dep")
	require.NoError(t, err)
	require.Equal(t, "disk is full", is, "Consul keeps the first reason")
	a.writes = nil
	lifted, err := c.LiftMaintenance(t.Context(), "c", "draingate/dep")
	require.NoError(t, err)
	require.False(t, lifted)
	require.Empty(t, a.writes, "what someone else set is not touched")

	lifted, err = c.LiftMaintenance(t.Context(), "a", "draingate/dep")
	require.NoError(t, err)
	require.True(t, lifted)
	require.Empty(t, a.services["a"])
	lifted, err = c.LiftMaintenance(t.Context(), "gone", "draingate/dep")
	require.NoError(t, err)
	require.False(t, lifted)
	is, err = c.SetMaintenance(t.Context(), "gone", "draingate/dep")
	require.NoError(t, err)
	require.Empty(t, is, "an instance may have ended since it was read")
}

func TestADeniedMaintenanceNamesTheRule(t *testing.T) {
	c, _ := answers(t, 403, "Permission denied")
	_, err := c.SetMaintenance(t.Context(), "a", "draingate/dep")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `service_prefix "" { policy = "write" }`)
	_, err = c.LiftMaintenance(t.Context(), "a", "draingate/dep")
	require.ErrorIs(t, err, ErrForbidden)
	_, err = c.AgentName(t.Context())
	require.ErrorContains(t, err, `agent_prefix "" { policy = "read" }`)
}
