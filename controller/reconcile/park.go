package reconcile

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// Service is the name of a service in Consul, as the key of a pass.
type Service string

// String returns the name.
func (s Service) String() string { return string(s) }

// ServiceObserver reads what bears on one service.
type ServiceObserver interface {
	// Service reads its instances, and what every proxy makes of them.
	Service(ctx context.Context, name string) (model.Fact[[]model.Registration], model.Fact[[]model.Proxy])
}

// Jobs says which jobs ask for something for a service, with what was read of each
// just now.
type Jobs interface {
	JobsOf(ctx context.Context, service string) []park.JobFacts
}

// ParkRecorder is told how the park of a service stands after each pass.
type ParkRecorder interface {
	// Parked is told of the record as it is after the pass, nil for none, of the world
	// in which the pass found it, and of what it found; the zero Finding is a service
	// with nothing to tell.
	Parked(record *park.Record, world park.World, finding park.Finding)
	// Unread is told of a pass that could not read the record.
	Unread(service string, err error)
	// Wrote is told of each write and its error.
	Wrote(do park.Do, err error)
}

// Parks decides on one service at a time. It is safe for concurrent use as long
// as no two calls have the same service.
type Parks struct {
	observer ServiceObserver
	jobs     Jobs
	recorder ParkRecorder
	options  ParkOptions

	mu   sync.Mutex
	ran  map[string]map[string]time.Time
	seen map[string][]model.Registration
	said map[string]model.Reason
}

// ParkOptions are the choices of Parks.
type ParkOptions struct {
	// DryRun decides and records, and never writes.
	DryRun  bool
	Keys    park.Keys
	Records interface {
		Records
		// List reads all keys below a prefix.
		List(ctx context.Context, prefix string, index uint64, wait time.Duration) ([]model.Stored, uint64, error)
	}
	// Self names this process for people.
	Self string
	// Guard is the lock with which this process leads; false where it does not.
	Guard func() (model.Guard, bool)
	// Lease is asked right before each write; nil means that no other process
	// writes.
	Lease Lease
	// Unfit says why a service cannot be parked for.
	Unfit func(f park.Facts, j *park.JobFacts, longest time.Duration) (park.Finding, []park.Probe)
	// Clash is as in park.Facts.
	Clash func(f park.Facts, tags []string) park.Finding
}

// The pauses between two passes over a service.
const (
	// parkPoll is while it is parked for: releases do not wait for it, the end does.
	parkPoll = 200 * time.Millisecond
	// parkIdle is otherwise.
	parkIdle = 10 * time.Second
	// parkCall bounds what is asked for one pass.
	parkCall = 2 * time.Second
)

// NewParks returns Parks that know nothing yet. It does no I/O.
func NewParks(o ServiceObserver, j Jobs, r ParkRecorder, options ParkOptions) *Parks {
	return &Parks{observer: o, jobs: j, recorder: r, options: options, ran: map[string]map[string]time.Time{}, seen: map[string][]model.Registration{}, said: map[string]model.Reason{}}
}

// Reconcile makes one pass over a service: read, decide, at most one write.
func (p *Parks) Reconcile(ctx context.Context, key Service) (Result, error) {
	facts := p.read(ctx, string(key))
	if ctx.Err() != nil {
		return Result{}, nil //nolint:nilerr // a pass that is cut short has nothing to say
	}
	world, err := park.Build(facts)
	if err != nil {
		p.recorder.Unread(string(key), err)
		return Result{}, err
	}
	action := park.Next(world)
	p.remember(string(key), facts)
	wrote, err := p.write(ctx, facts, action)
	record := world.Record
	if wrote {
		record = action.Record
		p.log(ctx, key, world.Record, action)
	}
	p.tell(ctx, key, record, action.Finding)
	p.recorder.Parked(record, world, action.Finding)
	switch {
	case err != nil:
		return Result{}, err
	case wrote:
		return Result{RequeueAfter: afterWrite}, nil
	case len(facts.Jobs) == 0 && record == nil:
		p.forget(string(key))
		return Result{}, nil
	case record != nil && record.Step != park.StepOver || action.Finding.Reason != "":
		return Result{RequeueAfter: parkPoll}, nil
	default:
		return Result{RequeueAfter: parkIdle}, nil
	}
}

// read reads all that bears on a service at one time.
func (p *Parks) read(ctx context.Context, service string) park.Facts {
	f := park.Facts{Keys: p.options.Keys, Service: service, Self: p.options.Self, Mark: rand.Text(), Unfit: p.options.Unfit, Clash: p.options.Clash}
	var parts sync.WaitGroup
	parts.Go(func() { f.Jobs = p.jobs.JobsOf(ctx, service) })
	parts.Go(func() { f.Catalog, f.Proxies = p.observer.Service(ctx, service) })
	parts.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, parkCall)
		defer cancel()
		at := time.Now()
		stored, _, err := p.options.Records.List(ctx, p.options.Keys.Prefix, 0, 0)
		f.Stored = model.Seen(stored, at)
		if err != nil {
			f.Stored = model.Unseen[[]model.Stored](at, err.Error())
		}
	})
	parts.Wait()
	f.Now = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	f.Ran, f.Known = p.ran[service], p.seen[service]
	return f
}

// remember keeps which allocations are to run, and of those that were when they were
// first seen to be told to stop, with what the catalog last had of them.
func (p *Parks) remember(service string, f park.Facts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := f.Remember()
	p.ran[service] = now
	var real []model.Registration
	for _, r := range f.Catalog.Value {
		if _, ran := now[r.AllocID]; ran {
			real = append(real, r)
		}
	}
	if len(real) > 0 {
		p.seen[service] = real
	}
}

func (p *Parks) forget(service string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ran, service)
	delete(p.seen, service)
	delete(p.said, service)
}

// write carries out an action; false where nothing was written.
func (p *Parks) write(ctx context.Context, f park.Facts, a park.Action) (bool, error) {
	if a.Do == park.DoNothing || p.options.DryRun {
		return false, nil
	}
	guard, leads := p.options.Guard()
	if !leads || p.options.Lease != nil && p.options.Lease.Left() < parkCall {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, parkCall)
	defer cancel()
	wrote, err := p.store(ctx, guard, f, a)
	if wrote || err != nil {
		p.recorder.Wrote(a.Do, err)
	}
	if err != nil {
		return false, fmt.Errorf("park of service %q: %w", f.Service, err)
	}
	return wrote, nil
}

func (p *Parks) store(ctx context.Context, guard model.Guard, f park.Facts, a park.Action) (bool, error) {
	key := f.Keys.Record(f.Service)
	if a.Do == park.DoForget {
		return p.options.Records.Forget(ctx, guard, key, f.Index())
	}
	value, err := a.Record.Encode()
	if err != nil {
		return false, err
	}
	return p.options.Records.Store(ctx, guard, key, value, f.Index())
}

// tell tells once why a service is not parked for although that is asked for.
func (p *Parks) tell(ctx context.Context, key Service, record *park.Record, f park.Finding) {
	p.mu.Lock()
	before := p.said[string(key)]
	p.said[string(key)] = f.Reason
	p.mu.Unlock()
	if record == nil && f.Reason != "" && f.Reason != before {
		logr.FromContextOrDiscard(ctx).Info("not parked for", "service", key, "reason", f.Reason, "message", f.Message)
	}
}

// log tells of each step once.
func (p *Parks) log(ctx context.Context, key Service, before *park.Record, a park.Action) {
	log := logr.FromContextOrDiscard(ctx).WithValues("service", key)
	switch {
	case a.Record == nil:
		log.Info("park ended")
	case before == nil || before.Step != a.Record.Step || before.ByHand != a.Record.ByHand:
		log.Info("park", "step", a.Record.Step, "nodes", a.Record.Nodes, "job", a.Record.Job, "version", a.Record.Version, "why", a.Finding.Message)
	default:
		log.V(1).Info("park changed", "step", a.Record.Step, "going", a.Record.Going, "gap", a.Record.Gap)
	}
}
