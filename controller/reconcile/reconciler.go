package reconcile

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
)

// Observer reads the world as it bears on one deployment. It never fails as a
// whole: what cannot be read is an unknown fact of the snapshot.
type Observer interface {
	Observe(ctx context.Context, key model.Key) model.Snapshot
}

// Promoter reads, promotes, pauses and fails deployments in Nomad. Deployment returns
// nil where Nomad does not know the deployment.
type Promoter interface {
	Deployment(ctx context.Context, key model.Key) (*model.Deployment, error)
	Allocations(ctx context.Context, namespace, jobID string) ([]model.Allocation, error)
	Promote(ctx context.Context, key model.Key, groups []string) error
	Fail(ctx context.Context, key model.Key) error
	Pause(ctx context.Context, key model.Key) error
	Resume(ctx context.Context, key model.Key) error
}

// Recorder is told of every pass and of every attempt to write.
type Recorder interface {
	Record(model.Record)
	// Promotion is told of an attempt: err is nil where Nomad accepted it, and
	// is ErrMoved or ErrNotLeading where nothing was written; late is the time from the last
	// condition turning true to now.
	Promotion(err error, late time.Duration)
	// Failure is told of an attempt to fail a deployment, with the same errors.
	Failure(err error)
}

// Result says when to look at a key again; zero means when something happens.
type Result struct {
	RequeueAfter time.Duration
}

// Lease is the right to write for a while.
type Lease interface {
	// Left is how much longer this process may write; zero where it may not.
	Left() time.Duration
}

// Options are the choices of a Reconciler.
type Options struct {
	Policy gate.Policy
	// DryRun decides and records, and never writes.
	DryRun bool
	// Sound, where not nil, says what the rules find in the version that is
	// deployed. It is asked after the decision was carried out, and only shown.
	Sound func(model.Snapshot) model.Condition
	// Parked, where not nil, says how requests to the job of a deployment are parked,
	// and when to look at that again, zero for only when something changes; nil where
	// there is nothing to say. The deployment is as it was last read. It is asked
	// when Sound is, and only shown.
	Parked func(model.Deployment, model.Snapshot) (*model.Condition, time.Duration)
	// Lease is asked right before each write; nil means that no other process
	// writes.
	Lease Lease
	// TakenOver is when this Reconciler's process began to look after another
	// one had, whose memory it does not have; zero where none had.
	TakenOver time.Time
	// Fencing is what it takes to fence; nil where nothing is fenced.
	Fencing *Fencing
}

// Reconciler decides on one deployment at a time. It is safe for concurrent
// use as long as no two calls have the same key, which the queue sees to.
type Reconciler struct {
	observer Observer
	promoter Promoter
	recorder Recorder
	options  Options

	mu    sync.Mutex
	known map[model.Key]history
}

// history is what is kept of a deployment between two passes.
type history struct {
	memory gate.Memory
	// deployment is as it was last read, so that its job has a name in the
	// status while Nomad does not answer.
	deployment model.Deployment
	verb       model.Verb
	reason     model.Reason
	problem    string
	promotedAt time.Time
}

// New returns a Reconciler. It does no I/O.
func New(o Observer, p Promoter, r Recorder, options Options) *Reconciler {
	return &Reconciler{observer: o, promoter: p, recorder: r, options: options, known: map[model.Key]history{}}
}

// Reconcile makes one pass over a deployment: observe, decide, at most one
// write. An error is returned only where a write was refused; whatever could
// not be read is part of the decision.
func (r *Reconciler) Reconcile(ctx context.Context, key model.Key) (Result, error) {
	h := r.history(key)
	snapshot := r.observer.Observe(ctx, key)
	if ctx.Err() != nil {
		// A pass that was cut short has seen a world full of holes; recording
		// that as a finding would be wrong.
		return Result{}, nil //nolint:nilerr // as above
	}
	p := pass{snapshot: snapshot, before: h.memory, now: time.Now(), fencer: r.fencer()}
	p.Outcome = gate.Decide(p.input(h.memory, r.options.Policy))
	h.memory = p.Memory
	if snapshot.Deployment.Known() {
		h.deployment = snapshot.Deployment.Value
	}
	logChange(logger(ctx, snapshot), h, p.Decision, r.options.DryRun)
	h.verb, h.reason = p.Decision.Verb, p.Decision.Reason

	earlier := h.promotedAt
	wrote, err := r.act(ctx, &h, &p)
	r.inform(&p.Decision, h.deployment, snapshot)
	r.record(h, snapshot, p.Decision, p.now)
	if h.promotedAt != earlier {
		// Nomad may end the deployment before the next pass reads it, and who
		// follows the events is to be told of the promotion in any case.
		accepted := gate.Accepted(p.Decision)
		r.record(h, snapshot, accepted, p.now)
		h.verb, h.reason = accepted.Verb, accepted.Reason
	}
	r.remember(key, h, p.Decision)
	switch {
	case err != nil:
		return Result{}, err
	case wrote:
		return Result{RequeueAfter: afterWrite}, nil
	default:
		return Result{RequeueAfter: p.Decision.RetryAfter}, nil
	}
}

// afterWrite is when to look at what a step of a fence did.
const afterWrite = 20 * time.Millisecond

// pass is what one pass works with.
type pass struct {
	gate.Outcome
	snapshot model.Snapshot
	// before is the memory with which the pass began.
	before gate.Memory
	fencer gate.Fencer
	now    time.Time
}

func (p *pass) input(m gate.Memory, policy gate.Policy) gate.Input {
	return gate.Input{Snapshot: p.snapshot, Memory: m, Policy: policy, Fencer: p.fencer, Now: time.Now()}
}

// inform adds the conditions that the gate does not know of, ahead of those about
// what follows a promotion, and looks again as soon as one of them asks for it.
func (r *Reconciler) inform(d *model.Decision, last model.Deployment, s model.Snapshot) {
	var more []model.Condition
	if r.options.Sound != nil {
		more = append(more, r.options.Sound(s))
	}
	if r.options.Parked != nil {
		parked, again := r.options.Parked(last, s)
		if parked != nil {
			more = append(more, *parked)
		}
		d.RetryAfter = sooner(d.RetryAfter, again)
	}
	at := slices.IndexFunc(d.Conditions, func(c model.Condition) bool { return c.Type == model.Promoted })
	if at < 0 {
		at = len(d.Conditions)
	}
	d.Conditions = slices.Insert(d.Conditions, at, more...)
}

// sooner is the shorter of two times of which zero is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// act carries out a Promote or a Fail, or else the next step of a fence, if
// draingate is to act at all. It reports whether it wrote a step of a fence.
func (r *Reconciler) act(ctx context.Context, h *history, p *pass) (bool, error) {
	switch {
	case r.options.DryRun:
		return false, nil
	case gate.Acts(p.Decision):
		h.problem = ""
		return false, r.settle(ctx, h, p)
	case r.options.Fencing != nil && p.Action.Writes():
		h.problem = ""
		wrote, err := r.fence(ctx, p)
		if err != nil {
			h.problem = err.Error()
		}
		return wrote, err
	default:
		return false, nil
	}
}

// settle promotes or fails the deployment.
func (r *Reconciler) settle(ctx context.Context, h *history, p *pass) error {
	d, log := p.Decision, logger(ctx, p.snapshot)
	err := r.write(ctx, p, h.memory)
	now := time.Now()
	if d.Verb == model.Fail {
		r.recorder.Failure(err)
	} else {
		r.recorder.Promotion(err, now.Sub(d.ReadyAt))
	}
	switch {
	case errors.Is(err, ErrNotLeading):
		h.problem = err.Error()
		return nil
	case errors.Is(err, ErrMoved):
		log.V(1).Info("world moved between decision and write", "why", err.Error())
		return nil
	case err != nil:
		h.problem = err.Error()
		return err
	case d.Verb == model.Fail:
		log.Info("failed", "message", d.Message)
		return nil
	}
	h.promotedAt = now
	log.Info("promoted", "groups", d.Groups, "afterLastConditionMs", now.Sub(d.ReadyAt).Milliseconds(), "message", d.Message)
	return nil
}

// writeTimeout bounds the last read and the write together. A last read that
// takes longer than facts stay fresh ends in ErrMoved anyway. A lease must have
// as much left for the write.
const writeTimeout = 5 * time.Second

// ErrMoved means that a write was decided on facts that hold no more.
var ErrMoved = errors.New("facts changed since the decision")

// ErrNotLeading means that nothing was written since another process may lead.
var ErrNotLeading = errors.New("not written: this instance does not lead, or not for long enough to write")

// write reads the deployment and the allocations once more and decides once more
// with them at the present time, since the calls to promote and to fail have no
// compare-and-set: whatever was true when the pass began may be old by now.
func (r *Reconciler) write(ctx context.Context, p *pass, m gate.Memory) error {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	last, err := r.decideAgain(ctx, p, m)
	if err != nil {
		return err
	}
	d := p.Decision
	if !gate.Acts(last.Decision) || last.Decision.Verb != d.Verb {
		return fmt.Errorf("%w: %s", ErrMoved, last.Decision.Reason)
	}
	// Nothing may come between this and the write.
	if !r.leads() {
		return ErrNotLeading
	}
	if d.Verb == model.Fail {
		if err := r.promoter.Fail(ctx, p.snapshot.Key); err != nil {
			return fmt.Errorf("fail deployment %s: %w", model.Short(p.snapshot.Key.Deployment), err)
		}
		return nil
	}
	if err := r.promoter.Promote(ctx, p.snapshot.Key, d.Groups); err != nil {
		return fmt.Errorf("promote deployment %s: %w", model.Short(p.snapshot.Key.Deployment), err)
	}
	return nil
}

// bounded ends at the time after which nothing that is armed for may be on its
// way, and in any case when a write may take no longer.
func (p *pass) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	by := time.Now().Add(writeTimeout)
	if until := p.Action.Until; !until.IsZero() && until.Before(by) {
		by = until
	}
	return context.WithDeadline(ctx, by)
}

// decideAgain decides at the present time with the deployment and the allocations
// as they are now. What the fence remembers is that of before the pass: a call that
// the pass may make is remembered as made already, and is not yet.
func (r *Reconciler) decideAgain(ctx context.Context, p *pass, m gate.Memory) (gate.Outcome, error) {
	if err := r.readAgain(ctx, &p.snapshot); err != nil {
		return gate.Outcome{}, err
	}
	m.Fence = p.before.Fence
	return gate.Decide(p.input(m, r.options.Policy)), nil
}

// leads reports whether this process may write, for as long as a write may take.
func (r *Reconciler) leads() bool {
	l := r.options.Lease
	return l == nil || l.Left() >= writeTimeout
}

// readAgain replaces what the snapshot has of the deployment and of its job's
// allocations. A node that is drained in between has its allocations moved by
// Nomad at once, and the deployment does not show it.
func (r *Reconciler) readAgain(ctx context.Context, s *model.Snapshot) error {
	asked := time.Now()
	d, err := r.promoter.Deployment(ctx, s.Key)
	if err != nil {
		return fmt.Errorf("read deployment %s again before the write: %w", model.Short(s.Key.Deployment), err)
	}
	if d == nil || !reflect.DeepEqual(*d, s.Deployment.Value) {
		return fmt.Errorf("%w: the deployment is not as it was", ErrMoved)
	}
	s.Deployment = model.Seen(*d, asked)
	asked = time.Now()
	allocations, err := r.promoter.Allocations(ctx, d.Namespace, d.JobID)
	if err != nil {
		return fmt.Errorf("read the allocations of job %s again before the write: %w", d.JobID, err)
	}
	s.Allocations = model.Seen(allocations, asked)
	return nil
}

// history is what is known of a deployment. One that is new to this process may
// be one that another had looked at.
func (r *Reconciler) history(key model.Key) history {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, known := r.known[key]; known {
		return h
	}
	return history{memory: gate.Memory{TakenOver: r.options.TakenOver}}
}

// remember keeps the history for the next pass, or drops it after the last.
func (r *Reconciler) remember(key model.Key, h history, d model.Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Verb == model.None && d.RetryAfter == 0 {
		delete(r.known, key)
		return
	}
	r.known[key] = h
}

func (r *Reconciler) record(h history, s model.Snapshot, d model.Decision, now time.Time) {
	r.recorder.Record(model.Record{
		Key: s.Key, JobID: h.deployment.JobID, JobVersion: h.deployment.JobVersion, Status: h.deployment.Status,
		Groups: h.deployment.Groups, Decision: d, Observed: now, DryRun: r.options.DryRun, Problem: h.problem, PromotedAt: h.promotedAt,
	})
}

func logger(ctx context.Context, s model.Snapshot) logr.Logger {
	return logr.FromContextOrDiscard(ctx).WithValues("namespace", s.Key.Namespace, "deployment", s.Key.Deployment, "job", s.Deployment.Value.JobID)
}

// logChange logs a decision when it is another one than before.
func logChange(log logr.Logger, h history, d model.Decision, dryRun bool) {
	if h.verb == d.Verb && h.reason == d.Reason {
		log.V(1).Info("decision stands", "decision", d.Verb, "reason", d.Reason)
		return
	}
	log.Info("decision", "decision", d.Verb, "reason", d.Reason, "mode", d.Mode, "acts", gate.Acts(d) && !dryRun, "message", d.Message)
}
