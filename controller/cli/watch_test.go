package cli_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func TestWatchPrintsOneLineForEachChange(t *testing.T) {
	e := serveStore(t)
	e.store.Record(held("CanaryNotHealthy"))
	var out, errs output
	end := running(t, cli.Program{Stdout: &out, Stderr: &errs}, "status", "web", "--watch", "--addr", e.addr)
	out.has(t, "decision: Hold CanaryNotHealthy: because of CanaryNotHealthy")
	// It reads the list again once it follows, and shows what is in there first.
	require.Eventually(t, func() bool { return e.store.Subscribers() == 1 && e.listed.Load() == 2 }, 10*time.Second, time.Millisecond)
	for _, r := range []model.Reason{"WindowRunning", "CanaryNotHealthy", "DrainUnsafe"} {
		e.store.Record(held(r))
	}
	out.has(t, "decision: Hold DrainUnsafe")

	// The controller restarts and knows no event any more.
	e.stop()
	out.has(t, "watch: lost the events: the stream of events ended; trying again in")
	e.start()
	e.store.Record(held("ProxyUnknown"))
	out.has(t, "watch: connected again", "decision: Hold ProxyUnknown")
	require.Zero(t, end(), "Ctrl-C is no failure")
	var decisions []string
	for line := range strings.SplitSeq(out.String(), "\n") {
		if _, what, ok := strings.Cut(line, " decision: Hold "); ok {
			decisions = append(decisions, strings.Split(what, ":")[0])
			require.Regexp(t, `^\d{4}-\d\d-\d\dT.*Z default/web version 7 \(aaaa1111\) `, line)
		}
	}
	require.Equal(t, []string{"CanaryNotHealthy", "WindowRunning", "CanaryNotHealthy", "DrainUnsafe", "ProxyUnknown"}, decisions)
	require.NotContains(t, out.String(), "\x1b")
	require.Empty(t, errs.String())
}

// A controller that has no events is asked again and again.
func TestWatchAsksWhereThereAreNoEvents(t *testing.T) {
	store := status.NewStore()
	store.Record(held("CanaryNotHealthy"))
	handler := status.NewHandler(status.Options{Store: store})
	srv, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	old := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == status.EventsPath {
			r.URL.Path = "/v1/nothing"
		}
		handler.ServeHTTP(w, r)
	})}
	go func() { _ = old.Serve(srv) }()
	defer func() { _ = old.Close() }()
	var out output
	end := running(t, cli.Program{Stdout: &out, Stderr: &out}, "status", "-w", "--addr", srv.Addr().String())
	out.has(t, "Hold CanaryNotHealthy")
	store.Record(held("DrainUnsafe"))
	out.has(t, "Hold DrainUnsafe")
	require.Zero(t, end())
}

func TestWatchOfAnAddressWhereNothingIs(t *testing.T) {
	var out output
	require.Equal(t, 5, cli.Program{Stdout: &out, Stderr: &out}.Main(t.Context(), []string{"status", "-w", "--addr", "127.0.0.1:1"}))
}
