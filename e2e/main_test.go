//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// shared is the stack that all cases of a run use, each with jobs and proxies
// of its own. It is started by the first case that asks for it.
type shared struct {
	once  sync.Once
	stack *harness.Stack
	err   error
}

var theStack shared // TestMain has no other way to hand it to tests.

// Shared returns the stack of this run.
func Shared(t *testing.T) *harness.Stack {
	t.Helper()
	theStack.once.Do(func() { theStack.stack, theStack.err = startShared() })
	require.NoError(t, theStack.err)
	return theStack.stack
}

func startShared() (*harness.Stack, error) {
	bins, err := harness.Binaries(context.Background(), os.Stderr)
	if err != nil {
		return nil, err
	}
	return harness.Start(context.Background(), harness.Options{Bins: bins})
}

func TestMain(m *testing.M) {
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ended := make(chan int, 1)
	go func() { ended <- m.Run() }()
	var code int
	select {
	case code = <-ended:
	case sig := <-stopped:
		// The same signal ends the go command, which reads what this prints.
		signal.Ignore(syscall.SIGPIPE)
		fmt.Fprintln(os.Stderr, "ended by signal:", sig)
		code = 130
	}
	os.Exit(closeShared(code))
}

// closeShared ends the stack, if there is one, and keeps its logs if anything
// went wrong.
func closeShared(code int) int {
	for _, p := range []*program{&theProgram, &theClockProgram} {
		if p.dir != "" {
			_ = os.RemoveAll(p.dir)
		}
	}
	// Doing nothing here keeps a case that still runs from starting a stack.
	theStack.once.Do(func() { theStack.err = context.Canceled })
	if theStack.stack == nil {
		return code
	}
	if code != 0 {
		fmt.Fprintln(os.Stderr, "logs are kept in", theStack.stack.KeepLogs())
	}
	if err := theStack.stack.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// proxies starts n Traefik instances for one case. They are a proxy set of
// their own: registered under a Consul service name, and reading a tag prefix,
// that no other case has. They end with the case.
func proxies(t *testing.T, s *harness.Stack, n int, opts harness.TraefikOptions) []*harness.Traefik {
	t.Helper()
	opts.Service = s.Name("traefik")
	opts.Prefix = opts.Service
	var out []*harness.Traefik
	for range n {
		p, err := s.StartTraefik(t.Context(), opts)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		out = append(out, p)
	}
	return out
}

// within bounds what a case waits for.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// running deploys version 1 of a job and returns its instances once every
// proxy routes to them. The job is purged at the end of the case.
func running(t *testing.T, s *harness.Stack, job harness.Sample, through []*harness.Traefik) []harness.Instance {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	require.NoError(t, s.Deployed(ctx, job))
	purged(t, s, job.Name)
	instances, err := s.Instances(ctx, job.Name)
	require.NoError(t, err)
	require.NotEmpty(t, instances)
	require.NoError(t, harness.AwaitRouted(ctx, instances, through...))
	for _, i := range instances {
		answersItself(ctx, t, i)
	}
	return instances
}

// answersItself waits until an instance is what answers on its port: whoever
// had that port before may have held it, and passed its checks, a while longer.
func answersItself(ctx context.Context, t *testing.T, i harness.Instance) {
	t.Helper()
	for last := ""; ; time.Sleep(20 * time.Millisecond) {
		seen := answerer(ctx, t, i.Addr)
		if seen == i.AllocID+": 200 OK" {
			return
		}
		if seen != last {
			t.Logf("on the port of %s answers %s", i.AllocID, seen)
		}
		last = seen
		require.NoError(t, ctx.Err(), "on the port of %s answers %s", i.AllocID, seen)
	}
}

// answerer is the allocation that answers at an address, and how.
func answerer(ctx context.Context, t *testing.T, addr string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	_ = resp.Body.Close()
	return resp.Header.Get("X-Alloc") + ": " + resp.Status
}

// purged purges a job at the end of the case.
func purged(t *testing.T, s *harness.Stack, jobID string) {
	t.Helper()
	t.Cleanup(func() {
		// t.Context has ended when a cleanup runs.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, s.Purge(ctx, jobID))
	})
}

// loads starts a load on a job through each proxy.
func loads(t *testing.T, job harness.Sample, rate int, through []*harness.Traefik) []*harness.Load {
	t.Helper()
	var out []*harness.Load
	for _, p := range through {
		l, err := p.Load(job.Host(), rate)
		require.NoError(t, err)
		t.Cleanup(func() { l.Stop() })
		out = append(out, l)
	}
	return out
}

// stop ends the loads and logs what became of each.
func stop(t *testing.T, all []*harness.Load) []harness.LoadReport {
	t.Helper()
	var out []harness.LoadReport
	for _, l := range all {
		r := l.Stop()
		t.Log(r)
		out = append(out, r)
	}
	return out
}
