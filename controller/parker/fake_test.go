package parker

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

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

var errRefused = errors.New("connection refused")

// fakeConsul is Consul's KV store with sessions that never end by themselves, and the
// agent of node n1.
type fakeConsul struct {
	mu       sync.Mutex
	index    uint64
	keys     map[string]model.Stored
	made     int
	changed  chan struct{}
	services map[string]model.LocalService
	catalog  []model.Registration
	stands   map[string]model.Placeholder
	// did has each order that changed something; fail has the error of a call by its name.
	did  []string
	fail map[string]error
}

func newConsul() *fakeConsul {
	return &fakeConsul{index: 10, keys: map[string]model.Stored{}, changed: make(chan struct{}), services: map[string]model.LocalService{}, stands: map[string]model.Placeholder{}, fail: map[string]error{}}
}

// with changes what is there, under the lock, and tells who waits.
func (c *fakeConsul) with(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
	c.index++
	close(c.changed)
	c.changed = make(chan struct{})
}

// call is one call: its error, or what it does under the lock.
func (c *fakeConsul) call(ctx context.Context, name string, do func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := cmp.Or(c.fail[name], ctx.Err()); err != nil {
		return err
	}
	do()
	return nil
}

func (c *fakeConsul) AgentName(ctx context.Context) (string, error) {
	return "n1", c.call(ctx, "name", func() {})
}

func (c *fakeConsul) AgentAddress(ctx context.Context) (string, error) {
	return "127.0.0.1", c.call(ctx, "address", func() {})
}

func (c *fakeConsul) OpenPresence(ctx context.Context, _ string, _ time.Duration) (id string, err error) {
	err = c.call(ctx, "open", func() { c.made++; id = fmt.Sprint("session-", c.made) })
	return id, err
}

func (c *fakeConsul) RenewSession(ctx context.Context, _ string) (bool, error) {
	return true, c.call(ctx, "renew", func() {})
}

func (c *fakeConsul) CloseSession(ctx context.Context, id string) error {
	return c.call(ctx, "close", func() {
		maps.DeleteFunc(c.keys, func(_ string, s model.Stored) bool { return s.Session == id })
	})
}

func (c *fakeConsul) TakeLock(ctx context.Context, key string, value []byte, session string) (bool, error) {
	return true, c.call(ctx, "take", func() {
		c.keys[key] = model.Stored{Key: key, Value: value, Session: session, Index: c.index}
	})
}

func (c *fakeConsul) List(ctx context.Context, prefix string, index uint64, wait time.Duration) (out []model.Stored, now uint64, err error) {
	if err := c.await(ctx, index, wait); err != nil {
		return nil, 0, err
	}
	err = c.call(ctx, "list", func() {
		now = c.index
		for _, key := range slices.Sorted(maps.Keys(c.keys)) {
			if strings.HasPrefix(key, prefix) {
				out = append(out, c.keys[key])
			}
		}
	})
	return out, now, err
}

// await is the wait of a blocking question.
func (c *fakeConsul) await(ctx context.Context, index uint64, wait time.Duration) error {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		c.mu.Lock()
		now, changed := c.index, c.changed
		c.mu.Unlock()
		if index == 0 || now > index {
			return nil
		}
		select {
		case <-changed:
		case <-deadline.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *fakeConsul) LocalServices(ctx context.Context) (out []model.LocalService, err error) {
	err = c.call(ctx, "services", func() {
		for _, id := range slices.Sorted(maps.Keys(c.services)) {
			out = append(out, c.services[id])
		}
	})
	return out, err
}

func (c *fakeConsul) SetMaintenance(ctx context.Context, id, reason string) (string, error) {
	return reason, c.call(ctx, "set", func() {
		s := c.services[id]
		s.Maintenance, s.Reason = true, reason
		c.services[id] = s
		c.did = append(c.did, "set "+id+" "+reason)
	})
}

func (c *fakeConsul) LiftMaintenance(ctx context.Context, id, reason string) (lifted bool, err error) {
	err = c.call(ctx, "lift", func() {
		s := c.services[id]
		if lifted = s.Maintenance && s.Reason == reason; lifted {
			s.Maintenance, s.Reason = false, ""
			c.services[id] = s
			c.did = append(c.did, "lift "+id)
		}
	})
	return lifted, err
}

func (c *fakeConsul) RegisterPlaceholder(ctx context.Context, p model.Placeholder) error {
	return c.call(ctx, "register", func() {
		c.services[p.ID] = model.LocalService{ID: p.ID, Name: p.Service, Address: p.HostPort}
		c.stands[p.ID] = p
		c.did = append(c.did, "register "+p.ID)
	})
}

func (c *fakeConsul) Deregister(ctx context.Context, id string) error {
	return c.call(ctx, "deregister", func() {
		delete(c.services, id)
		c.did = append(c.did, "deregister "+id)
	})
}

func (c *fakeConsul) WatchService(ctx context.Context, _ string, index uint64, wait time.Duration) (out []model.Registration, now uint64, err error) {
	if err := c.await(ctx, index, wait); err != nil {
		return nil, 0, err
	}
	err = c.call(ctx, "watch", func() { out, now = slices.Clone(c.catalog), c.index })
	return out, now, err
}

// store writes a record as the leader does.
func (c *fakeConsul) store(t *testing.T, r park.Record) {
	t.Helper()
	value, err := r.Encode()
	require.NoError(t, err)
	c.with(func() {
		c.keys[keys.Record(r.Service)] = model.Stored{Key: keys.Record(r.Service), Value: value, Index: c.index}
	})
}

// said is what the instance says of its lot.
func (c *fakeConsul) said() park.Lot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return keys.ReadParkers(slices.Collect(maps.Values(c.keys)))["n1"].Lots["web"]
}

// done are the orders so far.
func (c *fakeConsul) done() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.did)
}

func (c *fakeConsul) at(id string) model.LocalService {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.services[id]
}
