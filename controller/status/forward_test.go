package status_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

var (
	alice = model.Instance{ID: "a1", Name: "alice"}
	bob   = model.Instance{ID: "b2", Name: "bob"}
)

func knows(l model.Leadership) func() model.Leadership {
	return func() model.Leadership { return l }
}

// leading starts the status endpoint of a leader that knows one deployment.
func leading(t *testing.T) (address string, asked *[]*http.Request) {
	t.Helper()
	store := status.NewStore()
	store.Record(record("aaaa1111"))
	handler := status.NewHandler(status.Options{Store: store, Version: "leader",
		Leadership: knows(model.Leadership{Role: model.RoleLeader, Decided: true, Self: alice, Leader: alice})})
	asked = &[]*http.Request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), asked
}

func following(address string) status.Options {
	leader := alice
	leader.Address = address
	return status.Options{Leadership: knows(model.Leadership{Role: model.RoleFollower, Decided: true, Self: bob, Leader: leader})}
}

func TestAFollowerPassesOnWhatTheLeaderKnows(t *testing.T) {
	address, asked := leading(t)
	for target, want := range map[string]struct {
		code int
		body string
	}{
		"/v1/deployments":            {200, `"id": "aaaa1111"`},
		"/v1/deployments/aaaa?x=%2f": {200, `"windows": []`},
		"/v1/deployments/cccc":       {404, "no such deployment"},
		"/v1/proxies":                {503, "not read yet"},
	} {
		res := serve(following(address), http.MethodGet, target)
		require.Equal(t, want.code, res.Code, target)
		require.Contains(t, res.Body.String(), want.body)
		require.Equal(t, []string{"alice"}, res.Header().Values(status.LeaderHeader))
		require.Equal(t, []string{"no-store"}, res.Header().Values("Cache-Control"), "each header once")
		require.Equal(t, []string{"application/json; charset=utf-8"}, res.Header().Values("Content-Type"))
	}
	for _, r := range *asked {
		require.Equal(t, "bob", r.Header.Get(status.ForwardedHeader))
	}
	count := len(*asked)
	for _, target := range []string{"/livez", "/readyz", "/v1/leader", "/metrics", "/other"} {
		serve(following(address), http.MethodGet, target)
	}
	require.Equal(t, http.StatusMethodNotAllowed, serve(following(address), http.MethodPost, "/v1/deployments").Code)
	require.Len(t, *asked, count, "these are always its own, and a write is never passed on")
}

// What a client sends to prove who it is goes to nobody else.
func TestAFollowerPassesOnNoCredentials(t *testing.T) {
	address, asked := leading(t)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/deployments", nil)
	req.Header.Set("Authorization", "Bearer marked")
	req.Header.Set("Cookie", "session=marked")
	req.Header.Set("X-Nomad-Token", "marked")
	o := following(address)
	o.Store = status.NewStore()
	status.NewHandler(o).ServeHTTP(httptest.NewRecorder(), req)
	require.Len(t, *asked, 1)
	for name, values := range (*asked)[0].Header {
		require.NotContains(t, strings.Join(values, " "), "marked", name)
	}
}

func TestWhatCannotBePassedOnSaysSo(t *testing.T) {
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello")) }))
	t.Cleanup(stranger.Close)
	unknown := model.Leadership{Role: model.RoleFollower, Decided: true, Self: bob, Problem: "nobody holds the lock"}
	cases := map[string]struct {
		options status.Options
		code    int
		says    string
	}{
		"a leader that told no address":        {following(""), 503, "--advertise"},
		"a leader that does not answer":        {following("127.0.0.1:1"), 502, "alice leads"},
		"another program at its address":       {following(strings.TrimPrefix(stranger.URL, "http://")), 502, "something else answers"},
		"nobody known to lead":                 {status.Options{Leadership: knows(unknown)}, 503, "nobody holds the lock"},
		"a request that was passed on already": {following("127.0.0.1:1"), 503, "ask again"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.options.Store = status.NewStore()
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/deployments", nil)
			if strings.Contains(name, "already") {
				req.Header.Set(status.ForwardedHeader, "carol")
			}
			res := httptest.NewRecorder()
			status.NewHandler(c.options).ServeHTTP(res, req)
			require.Equal(t, c.code, res.Code, res.Body.String())
			require.Contains(t, res.Body.String(), c.says)
			require.NotContains(t, res.Body.String(), "hello")
		})
	}
}

// Where no other is known to lead, an instance says what it sees, and that
// nobody leads.
func TestACandidateAnswersForItself(t *testing.T) {
	store := status.NewStore()
	store.Record(record("aaaa1111"))
	o := status.Options{Store: store, Leadership: knows(model.Leadership{Role: model.RoleCandidate, Decided: true, Self: bob, Problem: "consul is not reachable"})}
	res := serve(o, http.MethodGet, "/v1/deployments")
	require.Equal(t, http.StatusOK, res.Code)
	require.Contains(t, res.Body.String(), "aaaa1111")
	require.Equal(t, status.NoLeader, res.Header().Get(status.LeaderHeader))

	res = serve(o, http.MethodGet, "/v1/leader")
	var got status.Leadership
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
	require.Equal(t, status.Leadership{Self: status.Instance{ID: "b2", Name: "bob"}, Role: "candidate", Problem: "consul is not reachable"}, got)
	require.Contains(t, res.Body.String(), `"leader": null`)
	require.Equal(t, http.StatusNotFound, serve(status.Options{}, http.MethodGet, "/v1/leader").Code, "no election")
}
