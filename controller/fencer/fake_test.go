package fencer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

var (
	errRefused = errors.New("connection refused")
	errFrozen  = errors.New("no answer")
)

// fakeConsul is Consul's KV store with sessions, and the agent of node n1.
type fakeConsul struct {
	mu       sync.Mutex
	index    uint64
	keys     map[string]model.Stored
	sessions map[string]time.Time // until when they live
	made     int
	changed  chan struct{}
	services map[string]model.LocalService
	// did has each order that changed something, with its service or its value.
	did []string

	// fail has the error of a call by its name, "" for all; take has how long an
	// order is on its way, whoever waits for it.
	fail  map[string]error
	take  map[string]time.Duration
	calls map[string]int
}

func newConsul(services ...string) *fakeConsul {
	c := &fakeConsul{
		index: 10, keys: map[string]model.Stored{}, sessions: map[string]time.Time{}, changed: make(chan struct{}),
		services: map[string]model.LocalService{}, fail: map[string]error{}, take: map[string]time.Duration{},
		calls: map[string]int{},
	}
	for _, id := range services {
		c.services[id] = model.LocalService{ID: id, Name: "web"}
	}
	return c
}

// with changes what is there, under the lock.
func (c *fakeConsul) with(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// change is called with the lock.
func (c *fakeConsul) change() {
	c.index++
	close(c.changed)
	c.changed = make(chan struct{})
}

// enter is what befalls every call. A frozen agent answers none that came while it was.
func (c *fakeConsul) enter(ctx context.Context, name string) error {
	c.mu.Lock()
	c.calls[name]++
	err := cmp.Or(c.fail[name], c.fail[""])
	c.mu.Unlock()
	if errors.Is(err, errFrozen) {
		<-ctx.Done()
		return fmt.Errorf("%w: %w", errFrozen, ctx.Err())
	}
	return cmp.Or(err, ctx.Err())
}

func (c *fakeConsul) broken(name string, err error) { c.with(func() { c.fail[name] = err }) }

// order is a call that arrives even where nobody waits for its answer any more.
func order[T any](ctx context.Context, c *fakeConsul, name string, do func() T) (T, error) {
	var none T
	if err := c.enter(ctx, name); err != nil {
		return none, err
	}
	c.mu.Lock()
	takes := c.take[name]
	c.mu.Unlock()
	answer := make(chan T, 1)
	go func() {
		time.Sleep(takes)
		c.mu.Lock()
		defer c.mu.Unlock()
		answer <- do()
	}()
	select {
	case v := <-answer:
		return v, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (c *fakeConsul) AgentName(ctx context.Context) (string, error) {
	return order(ctx, c, "name", func() string { return "n1" })
}

func (c *fakeConsul) OpenPresence(ctx context.Context, _ string, ttl time.Duration) (string, error) {
	return order(ctx, c, "open", func() string {
		c.made++
		id := fmt.Sprintf("session-%d", c.made)
		c.sessions[id] = time.Now().Add(ttl)
		return id
	})
}

func (c *fakeConsul) RenewSession(ctx context.Context, id string) (bool, error) {
	return order(ctx, c, "renew", func() bool {
		c.expire()
		_, alive := c.sessions[id]
		if alive {
			c.sessions[id] = time.Now().Add(ttl)
		}
		return alive
	})
}

func (c *fakeConsul) CloseSession(ctx context.Context, id string) error {
	_, err := order(ctx, c, "close", func() bool { c.ends(id); c.did = append(c.did, "close"); return true })
	return err
}

// ends is called with the lock.
func (c *fakeConsul) ends(id string) {
	delete(c.sessions, id)
	maps.DeleteFunc(c.keys, func(_ string, s model.Stored) bool { return s.Session == id })
	c.change()
}

func (c *fakeConsul) expire() {
	for id, until := range c.sessions {
		if time.Now().After(until) {
			c.ends(id)
		}
	}
}

func (c *fakeConsul) TakeLock(ctx context.Context, key string, value []byte, session string) (bool, error) {
	type answer struct {
		taken bool
		err   error
	}
	a, err := order(ctx, c, "take", func() answer {
		c.expire()
		if _, alive := c.sessions[session]; !alive {
			return answer{err: errors.New("invalid session")}
		}
		if by := c.keys[key].Session; by != "" && by != session {
			return answer{}
		}
		c.change()
		c.keys[key] = model.Stored{Key: key, Value: value, Session: session, Index: c.index}
		c.did = append(c.did, "say "+string(value))
		return answer{taken: true}
	})
	return a.taken, cmp.Or(err, a.err)
}

func (c *fakeConsul) List(ctx context.Context, prefix string, index uint64, wait time.Duration) ([]model.Stored, uint64, error) {
	name := "list"
	if strings.HasPrefix(prefix, keys.Presences()) {
		name = "look"
	} else if index > 0 {
		name = "watch"
	}
	if err := c.enter(ctx, name); err != nil {
		return nil, 0, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		out, now, changed := c.below(prefix)
		if now > index || index == 0 {
			return out, now, nil
		}
		select {
		case <-changed:
		case <-deadline.C:
			return out, now, nil
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

func (c *fakeConsul) below(prefix string) ([]model.Stored, uint64, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	var out []model.Stored
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		if strings.HasPrefix(key, prefix) {
			out = append(out, c.keys[key])
		}
	}
	return out, c.index, c.changed
}

func (c *fakeConsul) LocalServices(ctx context.Context) ([]model.LocalService, error) {
	if err := c.enter(ctx, "services"); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []model.LocalService
	for _, id := range slices.Sorted(maps.Keys(c.services)) {
		out = append(out, c.services[id])
	}
	return out, nil
}

func (c *fakeConsul) SetMaintenance(ctx context.Context, id, reason string) (string, error) {
	return order(ctx, c, "set", func() string {
		s := c.services[id]
		if !s.Maintenance {
			s.Maintenance, s.Reason = true, reason
			c.services[id] = s
			c.did = append(c.did, "set "+id)
		}
		return s.Reason
	})
}

func (c *fakeConsul) LiftMaintenance(ctx context.Context, id, reason string) (bool, error) {
	return order(ctx, c, "lift", func() bool {
		s := c.services[id]
		if !s.Maintenance || s.Reason != reason {
			return false
		}
		s.Maintenance, s.Reason = false, ""
		c.services[id] = s
		c.did = append(c.did, "lift "+id)
		return true
	})
}

// in is the reason of each maintenance, by service.
func (c *fakeConsul) in() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]string{}
	for id, s := range c.services {
		if s.Maintenance {
			out[id] = s.Reason
		}
	}
	return out
}

// done are the orders so far.
func (c *fakeConsul) done() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.did)
}

// called is how often a call was made.
func (c *fakeConsul) called(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[name]
}

// maintain sets a maintenance as someone else would, and "" ends it.
func (c *fakeConsul) maintain(id, reason string) {
	c.with(func() {
		c.services[id] = model.LocalService{ID: id, Name: "web", Maintenance: reason != "", Reason: reason}
	})
}

// store writes a record as the leader does; without a lock where locked is false.
func (c *fakeConsul) store(t *testing.T, r fence.Record, locked bool) {
	t.Helper()
	value, err := r.Encode()
	require.NoError(t, err)
	c.put(keys.Record(r.Key()), value, locked)
}

func (c *fakeConsul) put(key string, value []byte, locked bool) {
	c.with(func() {
		c.change()
		s := model.Stored{Key: key, Value: value, Index: c.index}
		if locked {
			s.Session = "leader"
		}
		c.keys[key] = s
	})
}

func (c *fakeConsul) forget(r fence.Record) {
	c.with(func() { c.change(); delete(c.keys, keys.Record(r.Key())) })
}

// acked are the marks that the node acknowledges, and whether it is present.
func (c *fakeConsul) acked() ([]string, bool) {
	stored, _, _ := c.below(keys.Prefix)
	marks, present := keys.Fencers(stored, "dep")["n1"]
	return marks, present
}

// fakeNomad has one deployment, nil where it knows none.
type fakeNomad struct {
	mu     sync.Mutex
	d      *model.Deployment
	allocs []model.Allocation
	err    error
	take   time.Duration
	asked  int
	paused int
}

func newNomad() *fakeNomad {
	return &fakeNomad{
		d: &model.Deployment{
			ID: "dep", Namespace: "default", JobID: "web", Status: model.DeploymentRunning,
			Groups: []model.DeploymentGroup{{Name: "other"}, {Name: "web", DesiredCanaries: 1}},
		},
		allocs: []model.Allocation{
			{ID: "a", DesiredStatus: model.DesiredRun, ClientStatus: model.ClientRunning},
			{ID: "b", DesiredStatus: model.DesiredRun, ClientStatus: model.ClientRunning},
		},
	}
}

func (n *fakeNomad) with(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
}

// seen is how often it was asked for the deployment, and told to pause it.
func (n *fakeNomad) seen() (asked, paused int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked, n.paused
}

func (n *fakeNomad) Deployment(ctx context.Context, _ model.Key) (*model.Deployment, error) {
	n.mu.Lock()
	n.asked++
	out, take, err := n.d, n.take, n.err
	if out != nil {
		copied := *out
		copied.Groups = slices.Clone(out.Groups)
		out = &copied
	}
	n.mu.Unlock()
	loop.Sleep(ctx, take)
	return out, cmp.Or(err, ctx.Err())
}

func (n *fakeNomad) Allocations(_ context.Context, _, jobID string) ([]model.Allocation, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if jobID != "web" {
		return nil, fmt.Errorf("asked for job %q", jobID)
	}
	return slices.Clone(n.allocs), n.err
}

func (n *fakeNomad) Pause(context.Context, model.Key) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.paused++
		n.d.Status = model.DeploymentPaused
	}
	return n.err
}
