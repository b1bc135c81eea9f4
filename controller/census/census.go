// Package census knows which live jobs ask for something for a service, and tells
// of each change of their allocations. It decides nothing, and keeps nothing of
// what it is asked for: each answer is read anew.
package census

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// Nomad is what is asked of Nomad. Package nomad's Client is one.
type Nomad interface {
	// WatchJobs tells of all service jobs each time that Nomad answers.
	WatchJobs(ctx context.Context, tell func([]model.JobStub)) error
	// WatchAllocations and WatchOverrides tell that something changed.
	WatchAllocations(ctx context.Context, namespace, jobID string, changed func())
	WatchOverrides(ctx context.Context, changed func())
	// LatestJob returns nil where Nomad has no such job.
	LatestJob(ctx context.Context, namespace, id string) (*model.Job, error)
	Allocations(ctx context.Context, namespace, jobID string) ([]model.Allocation, error)
	Overrides(ctx context.Context, namespace, jobID string) (model.Overrides, error)
}

const (
	// readTime bounds what is read of one job.
	readTime = 2 * time.Second
	// retry is when a job that could not be read is tried again.
	retry = 5 * time.Second
)

// Census holds the jobs that ask. Make one with New.
type Census struct {
	nomad   Nomad
	enqueue func(service string)

	// Only the goroutine of work has these.
	stubs map[name]seen
	due   chan struct{}

	mu      sync.Mutex
	asking  map[name]*asking
	latest  []model.JobStub
	renewed bool
}

type name struct{ namespace, id string }

// seen is a job as it was last read.
type seen struct {
	stub  model.JobStub
	tried time.Time
	bad   bool
}

// asking is a job that asks for something.
type asking struct {
	services []string
	stop     context.CancelFunc
	done     chan struct{}
}

// New returns a census that knows of no job. enqueue is told of each service that
// is to be looked at.
func New(n Nomad, enqueue func(service string)) *Census {
	return &Census{nomad: n, enqueue: enqueue, stubs: map[name]seen{}, due: make(chan struct{}, 1), asking: map[name]*asking{}}
}

// Run watches all jobs until ctx ends, and then returns nil.
func (c *Census) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return c.nomad.WatchJobs(ctx, c.hear) })
	work.Go(func() error { c.nomad.WatchOverrides(ctx, c.overridden); return nil })
	work.Go(func() error { c.work(ctx); return nil })
	err := work.Wait()
	c.stopAll()
	return err
}

// hear leaves the newest list for the worker.
func (c *Census) hear(jobs []model.JobStub) {
	c.mu.Lock()
	c.latest = jobs
	c.mu.Unlock()
	loop.Signal(c.due)
}

// overridden has every job read again: what a variable is about is not told.
func (c *Census) overridden() {
	c.mu.Lock()
	c.renewed = true
	c.mu.Unlock()
	loop.Signal(c.due)
}

func (c *Census) work(ctx context.Context) {
	for ctx.Err() == nil {
		loop.Wait(ctx, c.due, retry)
		c.mu.Lock()
		jobs, renewed := c.latest, c.renewed
		c.renewed = false
		c.mu.Unlock()
		c.read(ctx, jobs, renewed)
	}
}

// read brings the jobs up to date with a list.
func (c *Census) read(ctx context.Context, jobs []model.JobStub, all bool) {
	listed := map[name]bool{}
	for _, stub := range jobs {
		n := name{stub.Namespace, stub.ID}
		listed[n] = true
		before, known := c.stubs[n]
		if known && before.stub == stub && !before.bad && !all || before.bad && time.Since(before.tried) < retry {
			continue
		}
		services, err := c.services(ctx, n)
		if ctx.Err() != nil {
			return
		}
		c.stubs[n] = seen{stub: stub, tried: time.Now(), bad: err != nil}
		if err != nil {
			logr.FromContextOrDiscard(ctx).Info("cannot read a job, and what it asks for", "namespace", n.namespace, "job", n.id, "why", err.Error())
			continue
		}
		c.take(ctx, n, services)
	}
	for n := range c.stubs {
		if !listed[n] {
			delete(c.stubs, n)
			c.take(ctx, n, nil)
		}
	}
}

// services are those for which a job asks for something.
func (c *Census) services(ctx context.Context, n name) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	job, err := c.nomad.LatestJob(ctx, n.namespace, n.id)
	if err != nil || job == nil {
		return nil, err
	}
	overrides, err := c.nomad.Overrides(ctx, n.namespace, n.id)
	if err != nil {
		return nil, err
	}
	return park.Services(job, overrides), nil
}

// take takes over what a job asks for, and has all of it looked at.
func (c *Census) take(ctx context.Context, n name, services []string) {
	c.mu.Lock()
	before := c.asking[n]
	var gone []string
	if before != nil {
		gone = before.services
	}
	switch {
	case len(services) == 0 && before != nil:
		before.stop()
		delete(c.asking, n)
	case before != nil:
		before.services = services
	case len(services) > 0:
		watching, stop := context.WithCancel(ctx)
		a := &asking{services: services, stop: stop, done: make(chan struct{})}
		c.asking[n] = a
		go func() {
			defer close(a.done)
			c.nomad.WatchAllocations(watching, n.namespace, n.id, func() { c.look(n) })
		}()
	}
	c.mu.Unlock()
	for _, service := range slices.Concat(gone, services) {
		c.enqueue(service)
	}
	if len(services) == 0 && before != nil {
		<-before.done
	}
}

// look has the services of a job looked at.
func (c *Census) look(n name) {
	c.mu.Lock()
	var services []string
	if a := c.asking[n]; a != nil {
		services = slices.Clone(a.services)
	}
	c.mu.Unlock()
	for _, service := range services {
		c.enqueue(service)
	}
}

func (c *Census) stopAll() {
	c.mu.Lock()
	all := c.asking
	c.asking = map[name]*asking{}
	c.mu.Unlock()
	for _, a := range all {
		a.stop()
		<-a.done
	}
}

// JobsOf reads the jobs that ask for something for the service, sorted by
// namespace and ID.
func (c *Census) JobsOf(ctx context.Context, service string) []park.JobFacts {
	names := c.of(service)
	out := make([]park.JobFacts, len(names))
	var parts sync.WaitGroup
	for i, n := range names {
		parts.Go(func() { out[i] = c.facts(ctx, n) })
	}
	parts.Wait()
	return out
}

func (c *Census) of(service string) []name {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []name
	for n, a := range c.asking {
		if slices.Contains(a.services, service) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b name) int { return slices.Compare([]string{a.namespace, a.id}, []string{b.namespace, b.id}) })
	return out
}

func (c *Census) facts(ctx context.Context, n name) park.JobFacts {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	var out park.JobFacts
	var parts sync.WaitGroup
	parts.Go(func() {
		out.Job = fact(func() (*model.Job, error) { return c.nomad.LatestJob(ctx, n.namespace, n.id) })
	})
	parts.Go(func() {
		out.Allocations = fact(func() ([]model.Allocation, error) { return c.nomad.Allocations(ctx, n.namespace, n.id) })
	})
	parts.Go(func() {
		out.Overrides = fact(func() (model.Overrides, error) { return c.nomad.Overrides(ctx, n.namespace, n.id) })
	})
	parts.Wait()
	return out
}

func fact[T any](read func() (T, error)) model.Fact[T] {
	at := time.Now()
	value, err := read()
	if err != nil {
		return model.Unseen[T](at, err.Error())
	}
	return model.Seen(value, at)
}
