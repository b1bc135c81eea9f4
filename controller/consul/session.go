package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/model"
)

// OpenSession makes a session on the agent's node that ends when it is not
// renewed for the TTL, though Consul may take twice as long to notice
// (SessionTTLMultiplier, agent/structs/structs.go, v1.22.3). When it ends, its
// locks are released, and nobody can take them for the lock delay, 60 s at
// most. It rests on no health check: its holder's silence is all that ends it
// before its time, and someone who destroys it or its node.
func (c *Client) OpenSession(ctx context.Context, name string, ttl, lockDelay time.Duration) (string, error) {
	entry := &consulapi.SessionEntry{Name: name, TTL: ttl.String(), LockDelay: lockDelay, Behavior: consulapi.SessionBehaviorRelease}
	id, _, err := c.api.Session().CreateNoChecks(entry, c.write(ctx))
	if err != nil {
		return "", fmt.Errorf("open a session with a TTL of %s at %s: %w", ttl, c.address, classifyLock(err, `session_prefix "" { policy = "write" }`))
	}
	return id, nil
}

// OpenPresence makes a session like OpenSession does, but one that takes the keys
// that it has locked with it when it ends, and that leaves no lock delay to speak of:
// what says that an instance is there must be gone with it.
func (c *Client) OpenPresence(ctx context.Context, name string, ttl time.Duration) (string, error) {
	// Zero would mean the default of 15 s.
	entry := &consulapi.SessionEntry{Name: name, TTL: ttl.String(), LockDelay: time.Millisecond, Behavior: consulapi.SessionBehaviorDelete}
	id, _, err := c.api.Session().CreateNoChecks(entry, c.write(ctx))
	if err != nil {
		return "", fmt.Errorf("open a session for the presence of this instance at %s: %w", c.address, classifyLock(err, `session_prefix "" { policy = "write" }`))
	}
	return id, nil
}

// RenewSession starts the TTL of a session anew. It returns false where the
// session is no more.
func (c *Client) RenewSession(ctx context.Context, id string) (bool, error) {
	entry, _, err := c.api.Session().Renew(id, c.write(ctx))
	if err != nil {
		return false, fmt.Errorf("renew session %s at %s: %w", model.Short(id), c.address, classify(err))
	}
	return entry != nil, nil
}

// CloseSession ends a session. One that has ended is no error. Locks that it
// still holds are released with the lock delay.
func (c *Client) CloseSession(ctx context.Context, id string) error {
	if _, err := c.api.Session().Destroy(id, c.write(ctx)); err != nil {
		return fmt.Errorf("close session %s at %s: %w", model.Short(id), c.address, classify(err))
	}
	return nil
}

// TakeLock takes a lock for a session and writes the value. It returns false
// where another session holds it, or its lock delay is not over.
func (c *Client) TakeLock(ctx context.Context, key string, value []byte, session string) (bool, error) {
	taken, _, err := c.api.KV().Acquire(&consulapi.KVPair{Key: key, Value: value, Session: session}, c.write(ctx))
	if err != nil {
		return false, fmt.Errorf("lock key %s at %s: %w", key, c.address, classifyLock(err, fmt.Sprintf("key %q { policy = \"write\" }", key)))
	}
	return taken, nil
}

// LeaveLock gives a lock back at once, without the lock delay, and keeps its
// value. It returns false where the session does not hold it.
func (c *Client) LeaveLock(ctx context.Context, key string, value []byte, session string) (bool, error) {
	left, _, err := c.api.KV().Release(&consulapi.KVPair{Key: key, Value: value, Session: session}, c.write(ctx))
	if err != nil {
		return false, fmt.Errorf("release key %s at %s: %w", key, c.address, classify(err))
	}
	return left, nil
}

// Lock reads a lock. With an index it waits until the key changes from that
// index on or the time is over; without one it is a consistent read, for which
// Consul's leader makes sure that it still leads.
func (c *Client) Lock(ctx context.Context, key string, index uint64, wait time.Duration) (model.Lock, error) {
	options := c.consistentQuery(ctx)
	options.WaitIndex, options.WaitTime = index, wait
	pair, meta, err := c.api.KV().Get(key, options)
	if err != nil {
		return model.Lock{}, fmt.Errorf("read key %s at %s: %w", key, c.address, classifyLock(err, fmt.Sprintf("key %q { policy = \"write\" }", key)))
	}
	if !meta.KnownLeader {
		return model.Lock{}, fmt.Errorf("read key %s at %s: %w", key, c.address, ErrNoLeader)
	}
	lock := model.Lock{Index: meta.LastIndex}
	if pair != nil {
		lock.Session, lock.Value = pair.Session, append([]byte{}, pair.Value...)
	}
	return lock, nil
}

func (c *Client) write(ctx context.Context) *consulapi.WriteOptions {
	return (&consulapi.WriteOptions{Datacenter: c.datacenter}).WithContext(ctx)
}

// classifyLock names the rule that a token lacks for sessions and locks.
func classifyLock(err error, rule string) error {
	if status, ok := errors.AsType[consulapi.StatusError](err); ok && status.Code == http.StatusForbidden {
		return fmt.Errorf("%w: the token is not valid or lacks %s", ErrForbidden, rule)
	}
	return classify(err)
}
