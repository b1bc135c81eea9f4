package status_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves the handler until the test ends and returns host:port, a
// function that ends the server, and what Serve returned.
func start(t *testing.T, h http.Handler) (string, context.CancelFunc, <-chan error) {
	t.Helper()
	srv, err := status.Listen(t.Context(), "127.0.0.1:0", h)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return srv.Addr().String(), cancel, done
}

func TestServerLetsAnAnswerFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	addr, stop, done := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "late but whole")
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
	require.NoError(t, err)
	got := make(chan string, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			got <- err.Error()
			return
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
		got <- string(body)
	}()
	<-entered
	stop()
	close(release)
	require.Equal(t, "late but whole", <-got)
	require.NoError(t, <-done)
}

func TestServerDoesNotWaitForEver(t *testing.T) {
	entered := make(chan struct{})
	addr, stop, done := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
	require.NoError(t, err)
	asked := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			err = res.Body.Close()
		}
		asked <- err
	}()
	<-entered
	begin := time.Now()
	stop()
	require.NoError(t, <-done)
	require.Less(t, time.Since(begin), status.ShutdownTimeout+2*time.Second)
	require.Error(t, <-asked, "the answer was cut off")
}

func TestListenSaysWhichAddressIsTaken(t *testing.T) {
	addr, _, _ := start(t, http.NotFoundHandler())
	_, err := status.Listen(t.Context(), addr, http.NotFoundHandler())
	require.ErrorContains(t, err, addr)
}

func TestServeReportsAListenerThatFails(t *testing.T) {
	srv, err := status.Listen(t.Context(), "127.0.0.1:0", http.NotFoundHandler())
	require.NoError(t, err)
	require.NoError(t, srv.Close())
	require.ErrorContains(t, srv.Serve(t.Context()), "serve the status endpoint")
}

func TestClientReadsWhatTheHandlerShows(t *testing.T) {
	store := status.NewStore()
	store.Record(record("aaaa1111", func(r *model.Record) {
		r.Decision.Windows = []model.Window{{Proxy: "p", S: 20 * time.Second, STerms: []model.Term{{Name: "delay", Declared: true}}}}
	}))
	store.Record(record("bbbb2222", func(r *model.Record) { r.JobID = "api" }))
	addr, stop, _ := start(t, status.NewHandler(status.Options{
		Store:   store,
		Proxies: func() model.Fact[[]model.Proxy] { return model.Seen([]model.Proxy{{Name: "p"}}, at(0)) },
	}))
	defer stop()
	client, err := status.NewClient(addr)
	require.NoError(t, err)

	list, err := client.Deployments(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, status.EncodeDeployment(store.Records()[0]), list[0])

	detail, err := client.Deployment(t.Context(), "aaaa")
	require.NoError(t, err)
	require.Equal(t, status.EncodeDetail(store.Records()[1]), detail)

	proxies, err := client.Proxies(t.Context())
	require.NoError(t, err)
	require.Equal(t, status.EncodeProxies(model.Seen([]model.Proxy{{Name: "p"}}, at(0))), proxies)

	ready, err := client.Ready(t.Context())
	require.NoError(t, err, "not to be ready is an answer")
	require.Equal(t, status.Readiness{Waiting: []string{"start"}}, ready)

	_, err = client.Deployment(t.Context(), "cccc/../x")
	var apiErr *status.APIError
	require.ErrorAs(t, err, &apiErr)
	require.Equal(t, http.StatusNotFound, apiErr.Code)
	client.CloseIdle()
}

func TestClientTellsWhereNothingAnswers(t *testing.T) {
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<h1>hello</h1>")
	}))
	defer html.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, addr := range map[string]string{"something else listens there": html.URL, "nothing listens there": gone.URL} {
		t.Run(name, func(t *testing.T) {
			client, err := status.NewClient(addr)
			require.NoError(t, err)
			defer client.CloseIdle()
			_, err = client.Deployments(t.Context())
			require.ErrorIs(t, err, status.ErrUnreachable)
		})
	}
}

func TestClientRefusesWhatIsNoAddress(t *testing.T) {
	for _, addr := range []string{"", "ftp://host", "http://", "ho st:1", "unix:///run/x"} {
		_, err := status.NewClient(addr)
		require.Error(t, err, addr)
	}
	_, err := status.NewClient("ftp://me:hunter2@host")
	require.NotContains(t, errors.Join(err).Error(), "hunter2")
}
