package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an in-memory Nomad, Consul and set of Traefiks. Each call takes
// delays[name] and fails with failures[name], where the name is that of the
// method or, for Consul and Traefik, of the service or URL.
type world struct {
	mu          sync.Mutex
	delays      map[string]time.Duration
	failures    map[string]error
	calls       map[string]int
	deployment  *model.Deployment
	job         *model.Job
	allocations []model.Allocation
	ended       map[string]bool
	services    map[string][]model.Registration
	traefiks    map[string]*fakeTraefik
}

// fakeTraefik is the API at one URL. Each version read answers with the next of
// starts; the last one stays.
type fakeTraefik struct {
	starts   []time.Time
	last     time.Time // the start date that was answered last
	toldBy   time.Time // the process that tells the settings, last if zero
	settings model.ProxySettings
}

func newWorld() *world {
	return &world{
		delays: map[string]time.Duration{}, failures: map[string]error{}, calls: map[string]int{},
		ended: map[string]bool{}, services: map[string][]model.Registration{}, traefiks: map[string]*fakeTraefik{},
	}
}

func (w *world) call(ctx context.Context, name string) error {
	w.mu.Lock()
	w.calls[name]++
	delay, failure := w.delays[name], w.failures[name]
	w.mu.Unlock()
	select {
	case <-time.After(delay):
		return failure
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) called(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[name]
}

func locked[T any](w *world, f func() T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f()
}

func (w *world) Deployment(ctx context.Context, _ model.Key) (*model.Deployment, error) {
	err := w.call(ctx, "deployment")
	return locked(w, func() *model.Deployment { return w.deployment }), err
}

func (w *world) Job(ctx context.Context, _, _ string, _ uint64) (*model.Job, error) {
	err := w.call(ctx, "job")
	return locked(w, func() *model.Job { return w.job }), err
}

func (w *world) Allocations(ctx context.Context, _, _ string) ([]model.Allocation, error) {
	err := w.call(ctx, "allocations")
	return locked(w, func() []model.Allocation { return slices.Clone(w.allocations) }), err
}

func (w *world) AllocationTerminal(ctx context.Context, id string) (bool, error) {
	if err := w.call(ctx, "terminal "+id); err != nil {
		return false, err
	}
	ended, known := false, false
	w.change(func() { ended, known = w.ended[id] })
	if !known {
		return false, errors.New("alloc not found")
	}
	return ended, nil
}

func (w *world) AllocationJob(ctx context.Context, id string) (*model.Job, string, error) {
	err := w.call(ctx, "job of "+id)
	return &model.Job{ID: "job-of-" + id}, "edge", err
}

func (w *world) Agent(ctx context.Context) (string, string, error) {
	return "eu", "dc1", w.call(ctx, "agent")
}

func (w *world) Service(ctx context.Context, name string) ([]model.Registration, error) {
	err := w.call(ctx, "service "+name)
	return locked(w, func() []model.Registration { return slices.Clone(w.services[name]) }), err
}

func (w *world) MeasureLoad(ctx context.Context) (model.Load, error) {
	begin := time.Now()
	err := w.call(ctx, "load")
	return model.Load{Services: 3, Took: time.Since(begin)}, err
}

func (w *world) Version(ctx context.Context, url string) (string, time.Time, error) {
	if err := w.call(ctx, "version "+url); err != nil {
		return "", time.Time{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	traefik := w.traefiks[url]
	if traefik == nil {
		return "", time.Time{}, errors.New("connection refused")
	}
	started := traefik.starts[0]
	traefik.last = started
	if len(traefik.starts) > 1 {
		traefik.starts = traefik.starts[1:]
	}
	return "3.6.12", started, nil
}

func (w *world) Routing(ctx context.Context, url string) (model.Routing, error) {
	return model.Routing{Routers: []model.Router{{Name: "web@consulcatalog"}}}, w.call(ctx, "routing "+url)
}

func (w *world) Settings(ctx context.Context, url string) (model.ProxySettings, time.Time, error) {
	if err := w.call(ctx, "settings "+url); err != nil {
		return model.ProxySettings{}, time.Time{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	traefik := w.traefiks[url]
	if traefik.toldBy.IsZero() {
		return traefik.settings, traefik.last, nil
	}
	return traefik.settings, traefik.toldBy, nil
}

var start0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// start is the start date of the nth process.
func start(n int) time.Time { return start0.Add(time.Duration(n) * time.Hour) }

// traefik makes a URL answer as the processes with these start dates.
func (w *world) traefik(url string, starts ...time.Time) {
	w.change(func() {
		w.traefiks[url] = &fakeTraefik{
			starts:   starts,
			settings: model.ProxySettings{Source: "process", RefreshInterval: 15 * time.Second, Prefix: url},
		}
	})
}

const (
	url1 = "http://10.0.0.1:8080"
	url2 = "http://10.0.0.2:8080"
)

// instanceOf is an instance of the service traefik on host 10.0.0.n.
func instanceOf(n int, allocID, status string) model.Registration {
	return model.Registration{
		ServiceID: fmt.Sprintf("%s-%d", allocID, n), ServiceName: "traefik", AllocID: allocID, Node: fmt.Sprintf("node%d", n),
		Address: fmt.Sprintf("10.0.0.%d", n), Port: 8080, Status: status,
	}
}

func (w *world) register(registrations ...model.Registration) {
	w.change(func() { w.services["traefik"] = registrations })
}

func readTags(settings model.ProxySettings, all []model.Registration) map[string]model.TagReading {
	out := make(map[string]model.TagReading)
	for _, r := range all {
		out[r.ServiceID] = model.TagReading{Exposed: true, Excluded: settings.Prefix, Routers: []string{r.ServiceID}}
	}
	return out
}

func newObserver(t *testing.T, w *world, options Options) *Observer {
	t.Helper()
	options.ReadTags = readTags
	o, err := New(Ports{Nomad: w, Consul: w, Traefik: w}, options)
	require.NoError(t, err)
	return o
}

// service is a group with one service of the name.
func service(name, provider string) model.Group {
	return model.Group{Name: "web", Services: []model.Service{{Name: name, Provider: provider}}}
}

var key = model.Key{Namespace: "default", Deployment: "d1"}

// deploy gives the world a deployment with an old and a new allocation.
func (w *world) deploy() {
	old := &model.Job{ID: "web", Version: 1, Groups: []model.Group{service("old-name", "consul")}}
	w.job = &model.Job{ID: "web", Version: 2, Groups: []model.Group{service("web", ""), service("native", "nomad")}}
	w.deployment = &model.Deployment{ID: "d1", Namespace: "default", JobID: "web", JobVersion: 2, Status: "running"}
	w.allocations = []model.Allocation{
		{ID: "a0", ClientStatus: model.ClientComplete, Job: &model.Job{Groups: []model.Group{service("ended", "consul")}}},
		{ID: "a1", ClientStatus: model.ClientRunning, Job: old},
		{ID: "a2", ClientStatus: model.ClientRunning, Job: w.job},
	}
	w.services["web"] = []model.Registration{{ServiceID: "s2", AllocID: "a2", ServiceName: "web"}}
	w.services["old-name"] = []model.Registration{{ServiceID: "s1", AllocID: "a1", ServiceName: "old-name"}}
}
