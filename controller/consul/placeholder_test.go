package consul

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func placeholder(id, hostPort string) model.Placeholder {
	return model.Placeholder{ID: id, Service: "web", Address: "10.0.0.2", Port: 2000, HostPort: hostPort, Tags: []string{"traefik.enable=true"}, Meta: map[string]string{"draingate": "park"}, Secret: "s3cret"}
}

func TestAPlaceholderPassesUntilItsListenerIsGone(t *testing.T) {
	c, a := answers(t, 200, `{}`)
	require.NoError(t, c.RegisterPlaceholder(t.Context(), placeholder("_draingate-park-web~n1", "10.0.0.2:2000")))
	require.Equal(t, "PUT /v1/agent/service/register?replace-existing-checks=true", a.uri)
	var sent map[string]any
	require.NoError(t, json.Unmarshal(a.sent, &sent))
	want := map[string]any{
		"ID": "_draingate-park-web~n1", "Name": "web", "Address": "10.0.0.2", "Port": 2000.0,
		"Tags": []any{"traefik.enable=true"}, "Meta": map[string]any{"draingate": "park"}, "Check": nil,
		"Checks": []any{map[string]any{
			"CheckID": "_draingate-park-web~n1:alive", "Name": "draingate answers", "Status": "passing", "HTTP": "http://10.0.0.2:2000/",
			"Header": map[string]any{"X-Draingate-Check": []any{"s3cret"}}, "Interval": "1s", "Timeout": "1s", "DeregisterCriticalServiceAfter": "1m0s",
		}},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("registration (-want +got):\n%s", diff)
	}
	for code, want := range map[int]error{403: ErrForbidden, 500: ErrUnreachable} {
		c, _ := answers(t, code, "Permission denied")
		err := c.RegisterPlaceholder(t.Context(), placeholder("x", "10.0.0.2:2000"))
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, `placeholder of service "web"`)
	}
}

func TestWhatIsNotThereIsDeregistered(t *testing.T) {
	for _, code := range []int{200, 404} {
		c, a := answers(t, code, "Unknown service ID")
		require.NoError(t, c.Deregister(t.Context(), "_draingate-park-web~n1"))
		require.Equal(t, "PUT /v1/agent/service/deregister/_draingate-park-web~n1", a.uri)
	}
	c, _ := answers(t, 403, "Permission denied")
	err := c.Deregister(t.Context(), "x")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `service_prefix "" { policy = "write" }`)
}

func TestTheAddressOfTheAgent(t *testing.T) {
	c, _ := answers(t, 200, `{"Member": {"Addr": "10.0.0.2"}}`)
	address, err := c.AgentAddress(t.Context())
	require.NoError(t, err)
	require.Equal(t, "10.0.0.2", address)
	c, _ = answers(t, 200, `{"Member": {}}`)
	_, err = c.AgentAddress(t.Context())
	require.ErrorContains(t, err, "it tells none")
	c, _ = answers(t, 403, "Permission denied")
	_, err = c.AgentAddress(t.Context())
	require.ErrorContains(t, err, `agent_prefix "" { policy = "read" }`)
}

func TestTheInstancesOfAServiceAreWatched(t *testing.T) {
	const one = `[{"Node": {"Node": "n1", "Address": "10.0.0.1"}, "Service": {"ID": "a", "Service": "web", "Port": 8080}, "Checks": []}]`
	c, a := answers(t, 200, one)
	got, index, err := c.WatchService(t.Context(), "web", 5, 30*time.Second)
	require.NoError(t, err)
	require.Equal(t, uint64(7), index)
	require.Equal(t, "10.0.0.1", got[0].Address)
	require.Contains(t, a.uri, "index=5")
	require.Contains(t, a.uri, "wait=30000ms")
	require.NotContains(t, a.uri, "consistent", "each listener asks its own agent")
	c, a = answers(t, 200, "[]")
	a.header["X-Consul-Results-Filtered-By-ACLs"] = "true"
	_, _, err = c.WatchService(t.Context(), "web", 0, 0)
	require.ErrorIs(t, err, ErrForbidden, "nothing left out may pass for nothing there")
	c, _ = answers(t, 500, "No cluster leader")
	_, _, err = c.WatchService(t.Context(), "web", 0, 0)
	require.ErrorIs(t, err, ErrNoLeader)
}
