package leader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// fakeConsul keeps one lock as Consul does: a session ends once it was not
// renewed for patience times its TTL, or is destroyed; its lock is then free,
// and cannot be taken for the lock delay.
type fakeConsul struct {
	patience float64

	mu       sync.Mutex
	sessions map[string]*fakeSession
	made     int
	lock     model.Lock
	locked   time.Time // until when the lock delay lasts
	changed  chan struct{}
}

type fakeSession struct {
	ttl, lockDelay time.Duration
	expiry         *time.Timer
}

func newConsul(patience float64) *fakeConsul {
	return &fakeConsul{patience: patience, sessions: map[string]*fakeSession{}, lock: model.Lock{Index: 1}, changed: make(chan struct{})}
}

func (f *fakeConsul) change() {
	f.lock.Index++
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeConsul) open(ttl, lockDelay time.Duration) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	id := fmt.Sprintf("session-%d", f.made)
	s := &fakeSession{ttl: ttl, lockDelay: lockDelay}
	s.expiry = time.AfterFunc(f.lasts(s), func() { f.end(id) })
	f.sessions[id] = s
	return id
}

func (f *fakeConsul) lasts(s *fakeSession) time.Duration {
	return time.Duration(float64(s.ttl) * f.patience)
}

func (f *fakeConsul) renew(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, alive := f.sessions[id]
	if alive {
		s.expiry.Reset(f.lasts(s))
	}
	return alive
}

func (f *fakeConsul) end(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, alive := f.sessions[id]
	if !alive {
		return
	}
	s.expiry.Stop()
	delete(f.sessions, id)
	if f.lock.Session == id {
		f.lock.Session = ""
		f.locked = time.Now().Add(s.lockDelay)
		f.change()
	}
}

func (f *fakeConsul) take(value []byte, session string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sessions[session] == nil {
		return false, errors.New("invalid session")
	}
	if time.Now().Before(f.locked) || (f.lock.Session != "" && f.lock.Session != session) {
		return false, nil
	}
	f.lock.Session, f.lock.Value = session, value
	f.change()
	return true, nil
}

func (f *fakeConsul) leave(session string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock.Session != session {
		return false
	}
	f.lock.Session = ""
	f.change()
	return true
}

func (f *fakeConsul) read() (model.Lock, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lock, f.changed
}

// trip is what befalls one call: the time to the server and back, a stop of
// the whole process before it sees the answer, and a loss of the answer.
type trip struct {
	There, Back, Stop time.Duration
	Lost              bool
}

// link is one instance's way to Consul.
type link struct {
	consul *fakeConsul

	mu      sync.Mutex
	trips   []trip
	calls   int
	cut     bool
	deny    error
	calling sync.WaitGroup
}

func (l *link) next() (trip, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if len(l.trips) == 0 {
		return trip{}, l.cut, l.deny
	}
	return l.trips[l.calls%len(l.trips)], l.cut, l.deny
}

func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
}

func (l *link) refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deny = err
}

var errLost = errors.New("no answer")

// over makes one call. What was sent arrives also where nobody waits for the
// answer any more.
func over[T any](ctx context.Context, l *link, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	t, cut, deny := l.next()
	var none T
	if deny != nil {
		return none, deny
	}
	answers := make(chan answer, 1)
	l.calling.Go(func() {
		time.Sleep(t.There)
		if cut {
			return
		}
		v, err := do()
		time.Sleep(t.Back)
		if !t.Lost {
			answers <- answer{v, err}
		}
	})
	defer time.Sleep(t.Stop)
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		return none, errLost
	}
}

func (l *link) OpenSession(ctx context.Context, _ string, ttl, lockDelay time.Duration) (string, error) {
	return over(ctx, l, func() (string, error) { return l.consul.open(ttl, lockDelay), nil })
}

func (l *link) RenewSession(ctx context.Context, id string) (bool, error) {
	return over(ctx, l, func() (bool, error) { return l.consul.renew(id), nil })
}

func (l *link) CloseSession(ctx context.Context, id string) error {
	_, err := over(ctx, l, func() (bool, error) { l.consul.end(id); return true, nil })
	return err
}

func (l *link) TakeLock(ctx context.Context, _ string, value []byte, session string) (bool, error) {
	return over(ctx, l, func() (bool, error) { return l.consul.take(value, session) })
}

func (l *link) LeaveLock(ctx context.Context, _ string, _ []byte, session string) (bool, error) {
	return over(ctx, l, func() (bool, error) { return l.consul.leave(session), nil })
}

func (l *link) Lock(ctx context.Context, _ string, index uint64, wait time.Duration) (model.Lock, error) {
	return over(ctx, l, func() (model.Lock, error) {
		deadline := time.NewTimer(wait)
		defer deadline.Stop()
		for {
			lock, changed := l.consul.read()
			if lock.Index > index {
				return lock, nil
			}
			select {
			case <-changed:
			case <-deadline.C:
				return lock, nil
			}
		}
	})
}
