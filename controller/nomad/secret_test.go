package nomad

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// What stands before Nomad may echo what it was asked with.
func TestAnErrorShowsNoToken(t *testing.T) {
	const token = "M4RKED-token"
	for _, code := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway, http.StatusTeapot} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "no: "+r.Header.Get("X-Nomad-Token"), code)
		}))
		defer server.Close()
		c, err := New(Options{Address: server.URL, Token: token})
		require.NoError(t, err)
		defer c.Close()
		err = c.Check(t.Context())
		require.ErrorContains(t, err, "no: …")
		require.NotContains(t, err.Error(), token)
	}
}
