package consul

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// answering is a server with one answer that keeps what it was asked.
type answering struct {
	mu     sync.Mutex
	code   int
	body   string
	header map[string]string
	uri    string
	sent   []byte
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.uri = r.Method + " " + r.URL.RequestURI()
	a.sent, _ = io.ReadAll(r.Body)
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.code)
	_, _ = io.WriteString(w, a.body)
}

func answers(t *testing.T, code int, body string) (*Client, *answering) {
	t.Helper()
	a := &answering{code: code, body: body, header: map[string]string{"X-Consul-Index": "7", "X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0"}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	c, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	return c, a
}

func TestASessionRestsOnItsTTLAlone(t *testing.T) {
	c, a := answers(t, 200, `{"ID": "s1"}`)
	id, err := c.OpenSession(t.Context(), "draingate a", 10*time.Second, 12*time.Second)
	require.NoError(t, err)
	require.Equal(t, "s1", id)
	require.Equal(t, "PUT /v1/session/create", a.uri)
	var sent map[string]any
	require.NoError(t, json.Unmarshal(a.sent, &sent))
	require.Equal(t, map[string]any{"Name": "draingate a", "TTL": "10s", "LockDelay": "12000ms", "Behavior": "release", "NodeChecks": []any{}}, sent)
}

func TestASessionThatIsGoneIsNoError(t *testing.T) {
	c, _ := answers(t, 404, "Session id 's1' not found")
	alive, err := c.RenewSession(t.Context(), "s1")
	require.NoError(t, err)
	require.False(t, alive)
	c, _ = answers(t, 200, `[{"ID": "s1", "TTL": "10s"}]`)
	alive, err = c.RenewSession(t.Context(), "s1")
	require.NoError(t, err)
	require.True(t, alive)
}

func TestLocksAreReadConsistently(t *testing.T) {
	c, a := answers(t, 200, `[{"Key": "k", "Value": "eA==", "Session": "s1", "ModifyIndex": 7}]`)
	lock, err := c.Lock(t.Context(), "k", 0, 0)
	require.NoError(t, err)
	require.Equal(t, model.Lock{Session: "s1", Value: []byte("x"), Index: 7}, lock)
	require.Equal(t, "GET /v1/kv/k?consistent=", a.uri)
	_, err = c.Lock(t.Context(), "k", 7, 10*time.Second)
	require.NoError(t, err)
	require.Contains(t, a.uri, "index=7")
	require.Contains(t, a.uri, "wait=10000ms")

	c, _ = answers(t, 404, "")
	lock, err = c.Lock(t.Context(), "k", 0, 0)
	require.NoError(t, err)
	require.Equal(t, model.Lock{Index: 7}, lock)
}

func TestALockWithoutALeaderIsNotKnown(t *testing.T) {
	c, a := answers(t, 200, `[{"Key": "k", "Session": "s1"}]`)
	a.header["X-Consul-KnownLeader"] = "false"
	_, err := c.Lock(t.Context(), "k", 0, 0)
	require.ErrorIs(t, err, ErrNoLeader)
}

func TestTakeAndLeaveALock(t *testing.T) {
	for answer, want := range map[string]bool{"true\n": true, "false\n": false} {
		c, a := answers(t, 200, answer)
		taken, err := c.TakeLock(t.Context(), "draingate/leader", []byte("me"), "s1")
		require.NoError(t, err)
		require.Equal(t, want, taken)
		require.Equal(t, "PUT /v1/kv/draingate/leader?acquire=s1", a.uri)
		left, err := c.LeaveLock(t.Context(), "draingate/leader", []byte("me"), "s1")
		require.NoError(t, err)
		require.Equal(t, want, left)
		require.Equal(t, "PUT /v1/kv/draingate/leader?release=s1", a.uri)
		require.Equal(t, "me", string(a.sent))
	}
}

func TestADeniedElectionNamesTheRule(t *testing.T) {
	c, _ := answers(t, 403, "Permission denied")
	_, err := c.OpenSession(t.Context(), "x", 10*time.Second, 10*time.Second)
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `session_prefix "" { policy = "write" }`)
	_, err = c.TakeLock(t.Context(), "a/b", nil, "s1")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `key "a/b" { policy = "write" }`)
	_, err = c.Lock(t.Context(), "a/b", 0, 0)
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `key "a/b" { policy = "write" }`)
	_, err = c.LeaveLock(t.Context(), "a/b", nil, "s1")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorIs(t, c.CloseSession(t.Context(), "s1"), ErrForbidden)
	_, err = c.RenewSession(t.Context(), "s1")
	require.Error(t, err)
}
