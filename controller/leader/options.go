package leader

import (
	"context"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Store keeps sessions and the locks that they hold, as Consul does: the locks
// of a session that ended can be taken by nobody for the lock delay.
type Store interface {
	OpenSession(ctx context.Context, name string, ttl, lockDelay time.Duration) (string, error)
	// RenewSession returns false where the session is no more.
	RenewSession(ctx context.Context, id string) (bool, error)
	CloseSession(ctx context.Context, id string) error
	// TakeLock returns false where the lock cannot be had now.
	TakeLock(ctx context.Context, key string, value []byte, session string) (bool, error)
	// LeaveLock gives the lock back without the lock delay.
	LeaveLock(ctx context.Context, key string, value []byte, session string) (bool, error)
	// Lock reads the lock, with an index once it changed from there or the time
	// is over.
	Lock(ctx context.Context, key string, index uint64, wait time.Duration) (model.Lock, error)
}

// Options are the choices of an Elector.
type Options struct {
	// Key is the key of the lock.
	Key string
	// TTL is that of the session, and its lock delay: whatever ends the session,
	// nobody else gets the lock before the last lease on it is over.
	TTL time.Duration
	// Name and Address are what the others are told of this instance.
	Name, Address string
	// Hopeless says of an error that no waiting cures it; Run returns it where
	// it is the first that happens. May be nil.
	Hopeless func(error) bool
	// Changed is told of every change, by the goroutine of Run. May be nil.
	Changed func(model.Leadership)
}
