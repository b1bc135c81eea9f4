package nomad

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-logr/logr"
	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// The pauses between tries after an error; each is drawn from half to one and a
// half times its nominal length. The longest is short because draingate is
// blind meanwhile.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
)

// WatchDeployments enqueues the key of every active deployment of every
// namespace, and of every one whose index or status changed or that Nomad no
// longer lists, each time that any deployment changes. Deployments that were
// terminal at the first list are not enqueued for it. It calls primed once,
// after the first full list was enqueued.
//
// It retries for as long as ctx lasts, tells the context's logger once why, and
// returns nil when ctx ends.
func (c *Client) WatchDeployments(ctx context.Context, enqueue func(model.Key), primed func()) error {
	w := watch{of: "deployments", pause: newPause(), log: logr.FromContextOrDiscard(ctx).WithValues("nomad", c.address)}
	for ctx.Err() == nil {
		deployments, index, err := c.listDeployments(ctx, w.index)
		if err != nil {
			w.retry(ctx, err)
			continue
		}
		now := time.Now()
		c.lastContact.Store(&now)
		w.answered()
		if !w.advance(index) {
			continue
		}
		for _, key := range w.changes(deployments) {
			enqueue(key)
		}
		if !w.primed {
			w.primed = true
			primed()
		}
	}
	return nil
}

func newPause() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = firstPause
	b.MaxInterval = longestPause
	b.Reset()
	return b
}

// listDeployments waits until the index of the deployments' table is beyond the
// given one, or the wait time is over. With index 0 it answers at once.
func (c *Client) listDeployments(ctx context.Context, index uint64) ([]*nomadapi.Deployment, uint64, error) {
	options := query(ctx, nomadapi.AllNamespacesNamespace)
	options.WaitIndex = index
	options.WaitTime = c.waitTime
	deployments, meta, err := c.api.Deployments().List(options)
	if err != nil {
		return nil, 0, fmt.Errorf("list deployments: %w", classify(err, capabilityRead))
	}
	// An answer without an index would make every further query return at once.
	return deployments, max(meta.LastIndex, 1), nil
}

// watch is the state of one watch.
type watch struct {
	// of is what is watched, for the log.
	of     string
	index  uint64
	primed bool
	known  map[model.Key]mark
	pause  *backoff.ExponentialBackOff
	log    logr.Logger
	// failing is the kind of error that was last told, nil while Nomad answers.
	failing error
}

// mark is what tells one state of a deployment from another.
type mark struct {
	modifyIndex uint64
	status      string
}

// retry tells why the query failed, once for each kind of error (the texts of
// one kind differ in ports and times), and pauses. It also forgets the index: a server that came back may count from a lower one,
// and the full list brings back whatever was missed.
func (w *watch) retry(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if why := kind(err); w.failing == nil || why.Error() != w.failing.Error() {
		w.failing = why
		w.log.Info("cannot watch "+w.of+", retrying until Nomad answers", "reason", err.Error())
	}
	w.index = 0
	pause(ctx, w.pause.NextBackOff())
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (w *watch) answered() {
	w.pause.Reset()
	if w.failing != nil {
		w.failing = nil
		w.log.Info("Nomad answers again")
	}
}

// advance takes over an index and reports whether the answer is news. An index
// that went backwards, as after a restored snapshot, is news, and the next
// query starts from 0.
func (w *watch) advance(index uint64) bool {
	switch before := w.index; {
	case index == before:
		return false
	case index < before:
		w.index = 0
		return true
	default:
		w.index = index
		return true
	}
}

// changes returns the keys to look at, sorted, and remembers the list.
func (w *watch) changes(deployments []*nomadapi.Deployment) []model.Key {
	first := w.known == nil
	seen := make(map[model.Key]mark, len(deployments))
	var keys []model.Key
	for _, d := range deployments {
		if d == nil {
			continue
		}
		key := model.Key{Namespace: d.Namespace, Deployment: d.ID}
		now := mark{modifyIndex: d.ModifyIndex, status: d.Status}
		seen[key] = now
		active := !model.Deployment{Status: d.Status}.Terminal()
		if active || (!first && w.known[key] != now) {
			keys = append(keys, key)
		}
	}
	for key := range w.known {
		if _, still := seen[key]; !still {
			keys = append(keys, key)
		}
	}
	w.known = seen
	slices.SortFunc(keys, compareKeys)
	return keys
}
