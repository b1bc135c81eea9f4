package cli_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

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
}

func (e *endpoint) start() {
	e.t.Helper()
	e.store = status.NewStore()
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := status.Listen(ctx, e.addr, status.NewHandler(status.Options{Store: e.store, Ready: func() (bool, []string) { return true, nil }}))
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

func TestWatchPrintsOneLineForEachChange(t *testing.T) {
	e := serveStore(t)
	e.store.Record(held("CanaryNotHealthy"))
	var out, errs output
	end := running(t, cli.Program{Stdout: &out, Stderr: &errs}, "status", "web", "--watch", "--addr", e.addr)
	out.has(t, "decision: Hold CanaryNotHealthy: because of CanaryNotHealthy")
	require.Eventually(t, func() bool { return e.store.Subscribers() == 1 }, 10*time.Second, time.Millisecond)
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
	for _, line := range strings.Split(out.String(), "\n") {
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
	srv, err := net.Listen("tcp", "127.0.0.1:0")
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

func TestWatchDrawsATreeInATerminal(t *testing.T) {
	master, slave := pty(t)
	resize(t, master, 100, 30)
	var out output
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			_, _ = out.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	e := serveStore(t)
	e.store.Record(held("CanaryNotHealthy"))
	end := running(t, cli.Program{Stdout: slave, Stderr: slave, Environ: []string{"NO_COLOR=1"}}, "status", "-w", "--addr", e.addr)
	out.has(t, "\x1b[?1049h\x1b[?25l", "default/web version 7 (aaaa1111) running: Hold CanaryNotHealthy", "── group app: 1 of 1 canaries placed", "── DrainSafe False")
	e.store.Record(held("DrainUnsafe"))
	out.has(t, "Hold DrainUnsafe")
	resize(t, master, 30, 30)
	out.has(t, "\x1b[Hdefault/web version 7 (aaaa111\x1b[K")
	resize(t, master, 100, 4)
	out.has(t, "… 4 more lines")
	resize(t, master, 100, 30)
	e.stop()
	out.has(t, "lost the events")
	require.Zero(t, end())
	out.has(t, "\x1b[?25h\x1b[?1049l")
	after := out.String()[strings.LastIndex(out.String(), "\x1b[?1049l"):]
	require.Contains(t, after, "Hold DrainUnsafe", "the last picture stays")
	require.NotContains(t, after, "\x1b[?25l")
	require.NoError(t, slave.Close())
	require.NoError(t, master.Close())
	<-copied
}

// pty opens a pseudo-terminal (pty(7)).
func pty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	var unlock, number int32
	control(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	control(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return master, slave
}

func resize(t *testing.T, terminal *os.File, width, height uint16) {
	t.Helper()
	size := [4]uint16{height, width}
	control(t, terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

func control(t *testing.T, f *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	raw, err := f.SyscallConn()
	require.NoError(t, err)
	var errno syscall.Errno
	require.NoError(t, raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument))
	}))
	require.Zero(t, errno)
}
