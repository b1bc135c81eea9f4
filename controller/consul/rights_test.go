package consul

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestRightsAreAskedForAndNotTried(t *testing.T) {
	c, a := answers(t, 200, `[{"Resource": "service", "Segment": "web", "Access": "write", "Allow": true}, {"Resource": "key", "Segment": "draingate/leader", "Access": "write", "Allow": false}]`)
	denied, err := c.Denied(t.Context(), []Right{WriteService("web"), WriteKey("draingate/leader")})
	require.NoError(t, err)
	require.Equal(t, []Right{WriteKey("draingate/leader")}, denied)
	require.Equal(t, "POST /v1/internal/acl/authorize", a.uri)
	require.JSONEq(t, `[{"Resource": "service", "Segment": "web", "Access": "write"}, {"Resource": "key", "Segment": "draingate/leader", "Access": "write"}]`, string(a.sent))
}

func TestARuleIsThatOfAPolicy(t *testing.T) {
	require.Equal(t, `service "web" { policy = "write" }`, WriteService("web").Rule())
	require.Equal(t, `key "draingate/leader" { policy = "write" }`, WriteKey("draingate/leader").Rule())
	require.Equal(t, `key_prefix "draingate/leader/" { policy = "write" }`, WriteKey("draingate/leader/").Rule())
}

func TestAnAnswerThatIsNoneAllowsNothingAndDeniesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		code int
		body string
		want string
	}{
		"there is no such question":   {404, "404 page not found", "consul answered 404"},
		"it takes no such method":     {405, "method POST not allowed", "consul answered 405"},
		"something before it refuses": {403, "forbidden", "consul denies permission: it answered 403: forbidden"},
		"it does not know the token":  {403, "ACL not found", "it does not know the token"},
		"another 401":                 {401, "who are you?", "consul answered 401: who are you?"},
		"it has no leader":            {500, "No cluster leader", "consul has no leader"},
		"a page":                      {200, "<html>", "consul is not reachable"},
		"too few answers":             {200, "[]", "it gave 0 answers to 1 questions"},
		"an answer about another":     {200, `[{"Resource": "service", "Segment": "api", "Access": "write", "Allow": true}]`, `it was asked for service "web" { policy = "write" }, and answered about service "api"`},
		"an answer about reading":     {200, `[{"Resource": "service", "Segment": "web", "Access": "read", "Allow": true}]`, "it was asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := answers(t, test.code, test.body)
			denied, err := c.Denied(t.Context(), []Right{WriteService("web")})
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "ask /v1/internal/acl/authorize at http://")
			require.Empty(t, denied)
		})
	}
}

func TestWithoutACLsAllIsAllowed(t *testing.T) {
	c, _ := answers(t, 401, "ACL support disabled")
	denied, err := c.Denied(t.Context(), []Right{WriteService("web")})
	require.NoError(t, err)
	require.Empty(t, denied)
}

func TestMoreRightsThanConsulTakesAreAskedForInParts(t *testing.T) {
	var sizes []int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked []authorization
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sizes = append(sizes, len(asked))
		for i := range asked {
			asked[i].Allow = asked[i].Segment != "s70"
		}
		text, err := json.Marshal(asked)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	c, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	var all []Right
	for i := range 130 {
		all = append(all, WriteService(fmt.Sprintf("s%d", i)))
	}
	denied, err := c.Denied(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, []Right{WriteService("s70")}, denied)
	if diff := cmp.Diff([]int{64, 64, 2}, sizes); diff != "" {
		t.Errorf("asked at once (-want +got):\n%s", diff)
	}
	_, err = c.Denied(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, sizes, 3, "nothing is not asked for")
}
