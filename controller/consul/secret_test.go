package consul

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"
)

// What stands before Consul may echo what it was asked with.
func TestAnErrorShowsNoToken(t *testing.T) {
	const token = "M4RKED-token"
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		http.Error(w, "no: "+r.Header.Get("X-Consul-Token")+" "+password+" "+r.Header.Get("Authorization"), http.StatusForbidden)
	})
	dir, err := os.MkdirTemp("", "dg") //nolint:usetesting // a socket's path has to be short
	require.NoError(t, err)
	defer func() { require.NoError(t, os.RemoveAll(dir)) }()
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	local := &httptest.Server{Listener: socket, Config: &http.Server{Handler: echo}}
	local.Start()
	defer local.Close()
	remote := httptest.NewServer(echo)
	defer remote.Close()

	t.Setenv(consulapi.HTTPAuthEnvName, "me:M4RKED-password")
	for _, address := range []string{remote.URL, "unix://" + socket.Addr().String()} {
		counted := 0
		c, err := New(Options{Address: address, Token: token, Wrap: func(next http.RoundTripper) http.RoundTripper { return counting{next, &counted} }})
		require.NoError(t, err)
		err = c.Check(t.Context())
		require.ErrorContains(t, err, "no: … … Basic …", address)
		require.NotContains(t, err.Error(), "M4RKED")
		require.Equal(t, 1, counted, "a request over %s is counted", address)
	}
}

// counting counts the requests that go through it.
type counting struct {
	next  http.RoundTripper
	count *int
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.count++
	return c.next.RoundTrip(r)
}
