package reconcile

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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

// Promoter reads and promotes deployments in Nomad. Deployment returns nil
// where Nomad does not know the deployment.
type Promoter interface {
	Deployment(ctx context.Context, key model.Key) (*model.Deployment, error)
	Promote(ctx context.Context, key model.Key, groups []string) error
}

// Recorder is told of every pass and of every attempt to promote.
type Recorder interface {
	Record(model.Record)
	// Promotion is told of an attempt: err is nil where Nomad accepted it, and
	// is ErrMoved where nothing was written; late is the time from the last
	// condition turning true to now.
	Promotion(err error, late time.Duration)
}

// Result says when to look at a key again; zero means when something happens.
type Result struct {
	RequeueAfter time.Duration
}

// Options are the choices of a Reconciler.
type Options struct {
	Policy gate.Policy
	// DryRun decides and records, and never writes.
	DryRun bool
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
		return Result{}, nil
	}
	now := time.Now()
	decision, memory := gate.Evaluate(gate.Input{Snapshot: snapshot, Memory: h.memory, Policy: r.options.Policy, Now: now})
	h.memory = memory
	if snapshot.Deployment.Known() {
		h.deployment = snapshot.Deployment.Value
	}
	log := logger(ctx, snapshot)
	logChange(log, h, decision, r.options.DryRun)
	h.verb, h.reason = decision.Verb, decision.Reason

	err := r.act(ctx, &h, snapshot, decision)
	r.record(h, snapshot, decision, now)
	r.remember(key, h, decision)
	if err != nil {
		return Result{}, err
	}
	return Result{RequeueAfter: decision.RetryAfter}, nil
}

// act carries out a Promote, if draingate is to act at all.
func (r *Reconciler) act(ctx context.Context, h *history, s model.Snapshot, d model.Decision) error {
	if r.options.DryRun || !gate.Acts(d) {
		return nil
	}
	h.problem = ""
	err := r.promote(ctx, s, d, h.memory)
	now := time.Now()
	r.recorder.Promotion(err, now.Sub(d.ReadyAt))
	switch {
	case errors.Is(err, ErrMoved):
		logger(ctx, s).V(1).Info("world moved between decision and promotion", "why", err.Error())
		return nil
	case err != nil:
		h.problem = err.Error()
		return err
	}
	h.promotedAt = now
	logger(ctx, s).Info("promoted", "groups", d.Groups, "afterLastConditionMs", now.Sub(d.ReadyAt).Milliseconds(), "message", d.Message)
	return nil
}

// writeTimeout bounds the last read and the write together. A last read that
// takes longer than facts stay fresh ends in ErrMoved anyway.
const writeTimeout = 10 * time.Second

// ErrMoved means that a promotion was decided on facts that hold no more.
var ErrMoved = errors.New("facts changed since the decision")

// promote reads the deployment once more and decides once more with it at the
// present time, since the call to promote has no compare-and-set: whatever was
// true when the pass began may be old by now.
func (r *Reconciler) promote(ctx context.Context, s model.Snapshot, d model.Decision, m gate.Memory) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	asked := time.Now()
	again, err := r.promoter.Deployment(ctx, s.Key)
	if err != nil {
		return fmt.Errorf("read deployment %s again before promoting it: %w", model.Short(s.Key.Deployment), err)
	}
	if again == nil || !reflect.DeepEqual(*again, s.Deployment.Value) {
		return fmt.Errorf("%w: the deployment is not as it was", ErrMoved)
	}
	s.Deployment = model.Seen(*again, asked)
	last, _ := gate.Evaluate(gate.Input{Snapshot: s, Memory: m, Policy: r.options.Policy, Now: time.Now()})
	if !gate.Acts(last) {
		return fmt.Errorf("%w: %s", ErrMoved, last.Reason)
	}
	if err := r.promoter.Promote(ctx, s.Key, d.Groups); err != nil {
		return fmt.Errorf("promote deployment %s: %w", model.Short(s.Key.Deployment), err)
	}
	return nil
}

func (r *Reconciler) history(key model.Key) history {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[key]
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
