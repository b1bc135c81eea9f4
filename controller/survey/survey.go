package survey

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/judge"
	"github.com/draingate/draingate/controller/model"
)

const (
	// every is how often settings and load are looked at, soon how often while
	// one of them is not known.
	every = 10 * time.Second
	soon  = time.Second
	// retry is when a job that could not be read is tried again.
	retry = 15 * time.Second
	// readTimeout bounds the reading of one job.
	readTimeout = 5 * time.Second
	// settle is how long the first findings wait for what is not measured yet.
	settle = 5 * time.Second
	// loadMoves is by how much the time of a load must have changed for all jobs to be
	// judged again: twice as much in T, a tenth of the default margin.
	loadMoves = 50 * time.Millisecond
	// maxSilence is how long the findings stand while Nomad does not answer the
	// watch, which it does every 16 s.
	maxSilence = time.Minute
)

// Nomad is what is asked of Nomad. Package nomad's Client is one.
type Nomad interface {
	// WatchJobs tells of all service jobs each time that Nomad answers.
	WatchJobs(ctx context.Context, tell func([]model.JobStub)) error
	// LatestJob returns nil where Nomad has no such job.
	LatestJob(ctx context.Context, namespace, id string) (*model.Job, error)
}

// Observer is what is asked of the proxies and Consul. Package observe's
// Observer is one.
type Observer interface {
	// Proxies returns the proxy set with what is known of each.
	Proxies(ctx context.Context) model.Fact[[]model.Proxy]
	// Load returns the last measured time of a load, and asks for a new one if
	// it is due.
	Load() model.Fact[model.Load]
}

// Finding is what a rule finds in a live job.
type Finding struct {
	Namespace, Job string
	JobVersion     uint64
	judge.Finding
}

// Survey holds what the rules find in all live service jobs. Make one with New;
// its methods are safe for concurrent use while Run runs.
type Survey struct {
	nomad    Nomad
	observer Observer
	judge    *judge.Judge

	// Only the goroutine of work has these.
	jobs  map[name]*job
	world judge.World

	mu       sync.Mutex
	heard    time.Time
	ready    bool
	findings []Finding
}

type name struct{ namespace, id string }

// job is one job as last read.
type job struct {
	stub  model.JobStub
	value *model.Job
	// problem says why it could not be read when that was last tried.
	problem string
	tried   time.Time
	found   []Finding
	// said is what the log was last told of.
	said string
}

// New returns a survey that knows nothing yet. It does no I/O.
func New(n Nomad, o Observer, j *judge.Judge) *Survey {
	return &Survey{nomad: n, observer: o, judge: j, jobs: map[name]*job{}}
}

// Run watches all jobs until ctx ends, and then returns nil. Jobs are read one
// at a time.
func (s *Survey) Run(ctx context.Context) error {
	lists := make(chan []model.JobStub, 1)
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return s.nomad.WatchJobs(ctx, func(jobs []model.JobStub) { s.hear(jobs, lists) }) })
	work.Go(func() error { s.work(ctx, lists); return nil })
	return work.Wait()
}

// hear leaves the newest list for the worker, in the place of one that it has
// not come to. There is only one sender.
func (s *Survey) hear(jobs []model.JobStub, lists chan []model.JobStub) {
	s.mu.Lock()
	s.heard = time.Now()
	s.mu.Unlock()
	select {
	case <-lists:
	default:
	}
	lists <- jobs
}

func (s *Survey) work(ctx context.Context, lists <-chan []model.JobStub) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	var list []model.JobStub
	var due time.Time // when to look at settings and load again
	for heard := false; ; {
		select {
		case <-ctx.Done():
			return
		case list = <-lists:
			if !heard {
				s.awaitWorld(ctx)
			}
			heard = true
		case <-timer.C:
		}
		if !heard {
			continue
		}
		look := !time.Now().Before(due)
		s.pass(ctx, list, look)
		if look {
			due = time.Now().Add(s.pause())
		}
		timer.Reset(time.Until(due))
	}
}

// awaitWorld gives the first measurement a little time, so that the first
// findings are not all about what was not measured yet.
func (s *Survey) awaitWorld(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for !s.observer.Load().Known() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// pass reads what changed, judges what may have another outcome, and publishes.
func (s *Survey) pass(ctx context.Context, list []model.JobStub, look bool) {
	again := look && s.look(ctx)
	changed := s.read(ctx, list)
	if ctx.Err() != nil {
		return // What was cut short is no finding.
	}
	for _, n := range s.sorted() {
		if j := s.jobs[n]; again || changed[n] {
			s.judgeJob(n, j)
			s.tell(ctx, n, j)
		}
	}
	s.publish()
}

// look reads what jobs are judged with, and reports whether that changed.
func (s *Survey) look(ctx context.Context) bool {
	now := judge.World{Proxies: s.observer.Proxies(ctx), Load: s.observer.Load()}
	same := s.world.Proxies.Known() == now.Proxies.Known() && s.world.Proxies.Err == now.Proxies.Err &&
		reflect.DeepEqual(settingsOf(s.world.Proxies), settingsOf(now.Proxies)) &&
		s.world.Load.Known() == now.Load.Known() && s.world.Load.Err == now.Load.Err &&
		(now.Load.Value.Took-s.world.Load.Value.Took).Abs() <= loadMoves
	if same {
		return false
	}
	s.world = now
	return true
}

// read brings the jobs up to date with the list, and returns those that changed.
func (s *Survey) read(ctx context.Context, list []model.JobStub) map[name]bool {
	listed, changed := map[name]bool{}, map[name]bool{}
	for _, stub := range list {
		n := name{stub.Namespace, stub.ID}
		if stub.Stopped {
			continue
		}
		listed[n] = true
		if j := s.jobs[n]; j != nil && j.stub == stub && (j.problem == "" || time.Since(j.tried) < retry) {
			continue
		}
		changed[n] = s.readJob(ctx, n, stub)
	}
	for n := range s.jobs {
		if !listed[n] {
			delete(s.jobs, n)
		}
	}
	return changed
}

// readJob reads one job and reports whether that gave something else than
// before.
func (s *Survey) readJob(ctx context.Context, n name, stub model.JobStub) bool {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	value, err := s.nomad.LatestJob(ctx, n.namespace, n.id)
	now := &job{stub: stub, value: value, tried: time.Now()}
	switch {
	case err != nil:
		now.problem = err.Error()
	case value == nil:
		now.problem = "Nomad lists it and does not show it: grant the token read-job in its namespace"
	}
	before := s.jobs[n]
	if before != nil {
		now.said, now.found = before.said, before.found
	}
	s.jobs[n] = now
	return before == nil || now.problem == "" || now.problem != before.problem
}

// pause is how long until settings and load are looked at again.
func (s *Survey) pause() time.Duration {
	unknown := !s.world.Load.Known() || !s.world.Proxies.Known() ||
		slices.ContainsFunc(s.world.Proxies.Value, func(p model.Proxy) bool { return !p.Settings.Known() })
	if unknown {
		return soon
	}
	return every
}

// Findings returns all findings, sorted by namespace, job, path and rule. It is
// an error while they are not known: before every job was read once, and when Nomad no
// longer says which jobs there are.
func (s *Survey) Findings() ([]Finding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch silent := time.Since(s.heard); {
	case s.heard.IsZero():
		return nil, fmt.Errorf("Nomad has not listed the jobs yet (the token needs list-jobs and read-job)")
	case !s.ready:
		return nil, fmt.Errorf("not every job was read yet")
	case silent > maxSilence:
		return nil, fmt.Errorf("Nomad has not said for %s which jobs there are", silent.Round(time.Second))
	default:
		return s.findings, nil
	}
}

func (s *Survey) publish() {
	var all []Finding
	for _, n := range s.sorted() {
		all = append(all, s.jobs[n].found...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings, s.ready = all, true
}

func (s *Survey) logger(ctx context.Context, n name) logr.Logger {
	return logr.FromContextOrDiscard(ctx).WithValues("namespace", n.namespace, "job", n.id)
}
