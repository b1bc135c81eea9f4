package status

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// A stream outlives the server's limits on the time of other answers, which
// are short here so that the test is.
func TestAStreamOutlivesTheTimeouts(t *testing.T) {
	const limit = 300 * time.Millisecond
	store := NewStore()
	srv := httptest.NewUnstartedServer(streams(t.Context(), NewHandler(Options{Store: store})))
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = limit, limit
	srv.Start()
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+EventsPath, nil)
	require.NoError(t, err)
	began := time.Now()
	res, err := srv.Client().Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	require.Eventually(t, func() bool { return time.Since(began) > 3*limit }, 10*time.Second, limit/10)
	store.Record(model.Record{Key: model.Key{Deployment: "a"}, Status: model.DeploymentRunning})
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			return
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}
