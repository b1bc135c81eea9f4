package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// What --wait can wait for.
const (
	waitPromoted = "promoted"
	waitTerminal = "terminal"
)

const (
	// waitPoll is how often --wait asks.
	waitPoll = time.Second
	// settle is for how long a newest deployment that had already ended when
	// --wait first asked may yet be followed by the one that is meant: between
	// `nomad job run` and its deployment there is an evaluation.
	settle = 15 * time.Second
)

// wait is one run of `status JOB --wait`.
type wait struct {
	program Program
	client  *status.Client
	job     string
	flags   statusFlags
	began   time.Time
	// seen is the deployment as it was last read; nil where there is none yet.
	seen *status.Deployment
	// fresh is true once the deployment was seen not to be over.
	fresh bool
	// blind says why the last question was not answered in full.
	blind error
	// answered is true once one was.
	answered bool
	// unclear says why it is not known which deployment is meant.
	unclear error
	// said is what the last line was about, if there was one.
	said  string
	spoke bool
}

// waitFor waits and returns the error that carries the exit code.
func (p Program) waitFor(ctx context.Context, client *status.Client, job string, f statusFlags) error {
	w := &wait{program: p, client: client, job: job, flags: f, began: time.Now()}
	limit, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	for {
		w.ask(limit)
		if ended, err := w.outcome(); ended {
			return errors.Join(w.show(ctx), err)
		}
		select {
		case <-limit.Done():
			if ctx.Err() != nil {
				return exit.With(exit.Usage, fmt.Errorf("wait for job %q: interrupted", job))
			}
			return errors.Join(w.show(ctx), w.gaveUp())
		case <-tick.C:
		}
	}
}

// show prints the deployment as `status JOB` does, if it can be read. That it
// cannot is told by the exit code.
func (w *wait) show(ctx context.Context) error {
	if w.seen == nil || w.blind != nil {
		return nil //nolint:nilerr // the exit code says it
	}
	detail, err := w.client.Deployment(ctx, w.seen.ID)
	if err != nil {
		return nil //nolint:nilerr // it was read a second ago, and that is what counts
	}
	return w.program.printDetails([]status.Detail{detail}, w.flags)
}

// ask reads what there is. A question that the deadline cut off at once leaves
// what is known as it is, blindness as well; one that had gone unanswered, and
// the first of all, is blindness.
func (w *wait) ask(ctx context.Context) {
	asked := time.Now()
	err := w.read(ctx)
	switch {
	case err == nil:
		w.blind, w.answered = nil, true
	case ctx.Err() == nil, time.Since(asked) > waitPoll, !w.answered && w.blind == nil:
		w.blind = err
	}
	w.say()
}

// read takes what the controller lists, and is an error where it could not be
// read, or where what it does not list may exist.
func (w *wait) read(ctx context.Context) error {
	all, err := w.client.Deployments(ctx)
	if err != nil {
		return err
	}
	w.take(all)
	if w.seen == nil {
		return w.ready(ctx)
	}
	return nil
}

// ready is an error where the controller has not read everything, so that what
// it does not list may exist.
func (w *wait) ready(ctx context.Context) error {
	ready, err := w.client.Ready(ctx)
	if err == nil && !ready.Ready {
		err = fmt.Errorf("the controller has not read everything yet: %s", strings.Join(ready.Waiting, "; "))
	}
	return err
}

// take finds the deployment that is meant: the pinned one, or the newest.
func (w *wait) take(all []status.Deployment) {
	meant := slices.DeleteFunc(status.Filter{Namespace: w.flags.namespace, Job: w.job}.Select(all), func(d status.Deployment) bool {
		return (w.flags.version >= 0 && d.JobVersion != uint64(w.flags.version)) || !strings.HasPrefix(d.ID, w.flags.deployment)
	})
	if len(meant) == 0 {
		return
	}
	if last := meant[len(meant)-1]; last.Namespace != meant[0].Namespace {
		w.unclear = fmt.Errorf("there is a job %q in the namespaces %s and %s: give --namespace", w.job, plain(meant[0].Namespace), plain(last.Namespace))
		return
	}
	d := meant[0]
	if w.seen != nil && w.seen.ID != d.ID {
		w.fresh = true // a newer one came while we waited
	}
	w.seen = &d
	w.fresh = w.fresh || !over(d)
}

func (w *wait) pinned() bool { return w.flags.version >= 0 || w.flags.deployment != "" }

// outcome tells whether there is nothing more to wait for, and how it ended.
func (w *wait) outcome() (bool, error) {
	d := w.seen
	switch {
	case w.unclear != nil:
		return true, exit.With(exit.Usage, w.unclear)
	case d == nil || w.blind != nil:
		return false, nil //nolint:nilerr // it may be seen at the next look
	case !w.pinned() && !w.fresh && time.Since(w.began) < settle:
		return false, nil
	case d.Status == model.DeploymentSuccessful, w.flags.wait == waitPromoted && isPromoted(*d):
		return true, nil
	case d.Status == model.DeploymentFailed, d.Status == model.DeploymentCancelled:
		return true, exit.With(exit.Failed, fmt.Errorf("%s is %s: %s", name(*d), d.Status, plain(d.Message)))
	case d.Reason == string(gate.ReasonDeploymentGone):
		return true, exit.With(exit.Failed, fmt.Errorf("%s: %s", name(*d), plain(d.Message)))
	default:
		return false, nil
	}
}

// gaveUp tells apart why the time was not enough.
func (w *wait) gaveUp() error {
	d := w.seen
	after := fmt.Sprintf("not %s after %s", w.flags.wait, w.flags.timeout)
	switch {
	case w.blind != nil:
		return exit.With(exit.CannotSee, fmt.Errorf("%s: job %q: ask %s: %w", after, w.job, w.flags.addr, w.blind))
	case d == nil:
		return exit.With(exit.TimedOut, fmt.Errorf("%s: there is no such deployment of job %q at %s", after, w.job, w.flags.addr))
	case d.Decision == string(model.Hold) && gate.Blind(model.Reason(d.Reason)):
		return exit.With(exit.CannotSee, fmt.Errorf("%s: %s cannot be judged: %s: %s", after, name(*d), d.Reason, plain(d.Message)))
	case d.Decision == string(model.Hold):
		return exit.With(exit.Held, fmt.Errorf("%s: %s is held: %s: %s", after, name(*d), d.Reason, plain(d.Message)))
	default:
		return exit.With(exit.TimedOut, fmt.Errorf("%s: %s is %s, %s %s: %s", after, name(*d), d.Status, d.Decision, d.Reason, plain(d.Message)))
	}
}

// say prints a line on Stderr when what is waited for has changed, other than
// in the figures of a message.
func (w *wait) say() {
	d, key, line := w.seen, "", fmt.Sprintf("waiting for a deployment of job %q", w.job)
	switch {
	case w.blind != nil:
		key, line = "blind", fmt.Sprintf("cannot see job %q: %s", w.job, plain(w.blind.Error()))
	case d != nil && !w.pinned() && !w.fresh:
		key = "old"
		line = fmt.Sprintf("%s was over before; waiting %s for a newer one (--version N names the one that is meant)", name(*d), settle)
	case d != nil:
		key = strings.Join([]string{d.ID, d.Status, d.Decision, d.Reason}, " ")
		line = fmt.Sprintf("%s is %s: %s %s: %s", name(*d), d.Status, d.Decision, d.Reason, plain(d.Message))
	}
	if key == w.said && w.spoke {
		return
	}
	w.said, w.spoke = key, true
	_, _ = fmt.Fprintln(w.program.Stderr, "draingate: "+line)
}

func name(d status.Deployment) string {
	return plain(fmt.Sprintf("deployment %s of %s version %d", model.Short(d.ID), d.Job, d.JobVersion))
}

// over reports whether nothing more will come of the deployment.
func over(d status.Deployment) bool {
	return model.Deployment{Status: d.Status}.Terminal() || isPromoted(d) || d.Reason == string(gate.ReasonDeploymentGone)
}

func isPromoted(d status.Deployment) bool {
	return slices.ContainsFunc(d.Conditions, func(c status.Condition) bool {
		return c.Type == string(model.Promoted) && c.Status == string(model.True)
	})
}

// waitIsSound checks the flags that go with --wait.
func waitIsSound(f statusFlags, args []string) error {
	switch {
	case f.wait == "" && (f.version >= 0 || f.deployment != ""):
		return errors.New("--version and --deployment go with --wait")
	case f.wait == "":
		return nil
	case f.wait != waitPromoted && f.wait != waitTerminal:
		return fmt.Errorf("--wait %q: give %s or %s", f.wait, waitPromoted, waitTerminal)
	case f.watch:
		return errors.New("--wait and --watch do not go together")
	case len(args) != 1:
		return errors.New("--wait needs a JOB")
	case f.timeout <= 0:
		return fmt.Errorf("--timeout %s: give more than 0s", f.timeout)
	}
	return nil
}
