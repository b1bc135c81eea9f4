package app

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/model"
)

// fencingConsul answers what a fence asks, but for a path that is denied.
func fencingConsul(t *testing.T, denied string) (*consul.Client, *[]string) {
	t.Helper()
	var asked []string
	c := consulOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		w.Header().Set("X-Consul-Index", "7")
		w.Header().Set("X-Consul-KnownLeader", "true")
		w.Header().Set("X-Consul-LastContact", "0")
		switch {
		case denied != "" && strings.HasPrefix(r.URL.Path, denied):
			http.Error(w, "Permission denied", http.StatusForbidden)
		case r.URL.Path == "/v1/agent/self":
			_, _ = io.WriteString(w, `{"Config": {"NodeName": "n1"}}`)
		case r.URL.Path == "/v1/agent/services":
			_, _ = io.WriteString(w, `{"a": {"ID": "a"}}`)
		case r.URL.Path == "/v1/session/create":
			_, _ = io.WriteString(w, `{"ID": "s1"}`)
		case r.URL.Path == "/v1/internal/acl/authorize":
			_, _ = io.WriteString(w, authorized(r, ""))
		case strings.HasPrefix(r.URL.Path, "/v1/kv/"):
			_, _ = io.WriteString(w, `[]`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	return c, &asked
}

func TestTheCheckNamesWhatAFenceLacks(t *testing.T) {
	for denied, want := range map[string]string{
		"":                   "this is the node n1 with 1 services; what lies below draingate/leader/ can be read and written",
		"/v1/agent/self":     `agent_prefix "" { policy = "read" }`,
		"/v1/agent/services": `service_prefix "" { policy = "read" }`,
		"/v1/kv/":            `key_prefix "draingate/leader/" { policy = "write" }`,
		"/v1/session/create": `session_prefix "" { policy = "write" }`,
	} {
		t.Run("without "+denied, func(t *testing.T) {
			c, asked := fencingConsul(t, denied)
			text, err := (&App{options: options.Default(), consul: c}).askFence(t.Context())
			if denied != "" {
				require.ErrorIs(t, err, consul.ErrForbidden)
				require.ErrorContains(t, err, want)
				return
			}
			require.NoError(t, err)
			require.Contains(t, text, want)
			require.Contains(t, *asked, "PUT /v1/session/destroy/s1", "no session is left behind")
			for _, a := range *asked {
				require.NotContains(t, a, "maintenance", "a check takes nothing out of rotation")
			}
		})
	}
}

func TestWhoNeedsNoFenceIsNotAskedForIt(t *testing.T) {
	for name, change := range map[string]func(*options.Run){
		"without a fence":     func(o *options.Run) { o.Fence = model.FenceNever },
		"where there is none": func(o *options.Run) { o.Fence = options.FenceOff },
		"without an election": func(o *options.Run) { o.Leader.Off = true },
		"in a dry run":        func(o *options.Run) { o.DryRun = true },
	} {
		t.Run(name, func(t *testing.T) {
			o := options.Default()
			change(&o)
			require.Empty(t, (&App{options: o}).aboutFence())
		})
	}
	require.Len(t, (&App{options: options.Default()}).aboutFence(), 2)
}
