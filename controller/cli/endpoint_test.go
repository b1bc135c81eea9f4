package cli_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// endpoint serves a store until stopped; it can come back at its address.
type endpoint struct {
	t     *testing.T
	addr  string
	store *status.Store
	stop  func()
	// listed counts the answers that listed the deployments.
	listed atomic.Int32
}

func (e *endpoint) start() {
	e.t.Helper()
	e.store = status.NewStore()
	ctx, cancel := context.WithCancel(context.Background())
	handler := status.NewHandler(status.Options{Store: e.store, Ready: func() (bool, []string) { return true, nil }})
	srv, err := status.Listen(ctx, e.addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if r.URL.Path == "/v1/deployments" {
			e.listed.Add(1)
		}
	}))
	require.NoError(e.t, err)
	e.addr = srv.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ctx) }()
	e.stop = sync.OnceFunc(func() { cancel(); <-done })
}

func serveStore(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{t: t, addr: "127.0.0.1:0"}
	e.start()
	t.Cleanup(func() { e.stop() })
	return e
}

func held(reason model.Reason) model.Record {
	return model.Record{
		Key: model.Key{Namespace: "default", Deployment: "aaaa1111-0000"}, JobID: "web", JobVersion: 7, Status: model.DeploymentRunning,
		Groups:   []model.DeploymentGroup{{Name: "app", DesiredTotal: 2, DesiredCanaries: 1, PlacedCanaries: []string{"c1"}, HealthyAllocs: 1}},
		Decision: model.Decision{Verb: model.Hold, Reason: reason, Message: "because of " + string(reason), Conditions: []model.Condition{{Type: model.DrainSafe, Status: model.False, Reason: reason}}},
	}
}

// output is what a command has written so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		require.Eventually(t, func() bool { return strings.Contains(o.String(), text) }, 20*time.Second, 10*time.Millisecond, "%q is not in:\n%s", text, o)
	}
}

// running runs a command until the function that it returns is called, which
// is what Ctrl-C does, and returns the exit code.
func running(t *testing.T, p cli.Program, args ...string) func() int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() { code <- p.Main(ctx, args) }()
	end := sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { end() })
	return end
}
