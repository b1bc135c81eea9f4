// Package presence keeps one key in Consul's KV store that says that an instance
// of draingate is there, with something to say, for as long as it lives: the key goes
// with its session. It does not know what it says.
package presence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

// Consul is what is asked of the Consul agent of the instance's node. The Client
// of package consul is one.
type Consul interface {
	// AgentName is the name of the agent, which others know the node by.
	AgentName(ctx context.Context) (string, error)
	// OpenPresence makes a session that takes its keys with it when it ends.
	OpenPresence(ctx context.Context, name string, ttl time.Duration) (string, error)
	// RenewSession returns false where the session is no more.
	RenewSession(ctx context.Context, id string) (bool, error)
	CloseSession(ctx context.Context, id string) error
	// TakeLock returns false where another session holds the key.
	TakeLock(ctx context.Context, key string, value []byte, session string) (bool, error)
	// List reads the keys below a prefix: all of them or none. With an index it
	// waits until one changes from there on, or the time is over.
	List(ctx context.Context, prefix string, index uint64, wait time.Duration) ([]model.Stored, uint64, error)
}

// closeTime bounds the end of the session.
const closeTime = 2 * time.Second

// Options are the choices of a Presence. Its functions are called by the goroutine
// of Run and must not block.
type Options struct {
	// TTL is that of the session.
	TTL time.Duration
	// Instance is the name of this process.
	Instance string
	// Key is where it says so, by the name of the agent.
	Key func(node string) string
	// Named is told the name of the agent each time that it was asked.
	Named func(node string)
	// Present is told until when others are sure to see it, the zero time for no
	// more.
	Present func(until time.Time)
	// Report is told what went wrong with each try, nil where nothing did.
	Report func(ctx context.Context, err error)
	// Said is told of each write and its error.
	Said func(err error)
}

// Presence says that an instance is on its node, for as long as its session
// lives. Make one with New.
type Presence struct {
	consul  Consul
	options Options

	changed chan struct{}
	mu      sync.Mutex
	value   []byte

	// The rest is of the goroutine of Run. session is empty where there is none;
	// said is what was last written with it, nil where that is not known.
	session string
	node    string
	said    []byte
}

// New returns a presence that says value once it runs.
func New(consul Consul, options Options, value []byte) *Presence {
	return &Presence{consul: consul, options: options, changed: make(chan struct{}, 1), value: value}
}

// Say changes what is said from now on.
func (p *Presence) Say(value []byte) {
	p.mu.Lock()
	same := bytes.Equal(p.value, value)
	p.value = value
	p.mu.Unlock()
	if !same {
		loop.Signal(p.changed)
	}
}

// Run keeps the instance present until ctx ends. The session outlives that: see
// Close.
func (p *Presence) Run(ctx context.Context) {
	pause := loop.NewPause(p.options.TTL)
	for ctx.Err() == nil {
		err := p.keep(ctx)
		p.options.Report(ctx, err)
		if err != nil {
			loop.Sleep(ctx, pause.NextBackOff())
			continue
		}
		pause.Reset()
		loop.Wait(ctx, p.changed, p.options.TTL/4)
	}
}

// keep renews the session, or opens one, and sees that the key says what it is
// to say.
func (p *Presence) keep(ctx context.Context) error {
	begun := time.Now()
	if p.session != "" {
		alive, err := loop.Call(ctx, func(ctx context.Context) (bool, error) { return p.consul.RenewSession(ctx, p.session) })
		if err != nil {
			return err
		}
		if !alive {
			logr.FromContextOrDiscard(ctx).Info("the session of this instance's presence is gone", "session", model.Short(p.session))
			p.session = ""
			p.options.Present(time.Time{})
		}
	}
	if p.session == "" {
		if err := p.open(ctx); err != nil {
			return err
		}
	}
	if err := p.say(ctx); err != nil {
		return err
	}
	p.options.Present(begun.Add(p.options.TTL))
	return nil
}

// open asks the agent for its name anew with each session: one that was started
// again with another name has ended the last.
func (p *Presence) open(ctx context.Context) error {
	node, err := loop.Call(ctx, p.consul.AgentName)
	if err != nil {
		return err
	}
	p.node = node
	p.options.Named(node)
	p.session, err = loop.Call(ctx, func(ctx context.Context) (string, error) {
		return p.consul.OpenPresence(ctx, "draingate "+p.options.Instance, p.options.TTL)
	})
	p.said = nil
	return err
}

// say writes the presence where it does not say yet what it is to say.
func (p *Presence) say(ctx context.Context) error {
	p.mu.Lock()
	value := p.value
	p.mu.Unlock()
	key := p.options.Key(p.node)
	if p.said != nil && bytes.Equal(value, p.said) {
		if there, err := p.stands(ctx, key); err != nil || there {
			return err
		}
		logr.FromContextOrDiscard(ctx).Info("the presence of this instance is not what it wrote: it is written again", "key", key)
	}
	// A write that fails may arrive all the same, and after the next one.
	p.said = nil
	taken, err := loop.Call(ctx, func(ctx context.Context) (bool, error) { return p.consul.TakeLock(ctx, key, value, p.session) })
	if err == nil && !taken {
		err = fmt.Errorf("lock key %s: %w", key, errHeld)
	}
	p.options.Said(err)
	if err == nil {
		p.said = value
	}
	return err
}

var errHeld = errors.New("another session holds it: one of this instance that has not ended yet, or another instance of the same name on the node")

// stands reports whether the key is locked by the session and has the value
// that was written last.
func (p *Presence) stands(ctx context.Context, key string) (bool, error) {
	below, err := loop.Call(ctx, func(ctx context.Context) ([]model.Stored, error) {
		out, _, err := p.consul.List(ctx, key, 0, 0)
		return out, err
	})
	return slices.ContainsFunc(below, func(s model.Stored) bool {
		return s.Key == key && s.Session == p.session && bytes.Equal(s.Value, p.said)
	}), err
}

// Close ends the session and with it the presence. Only after Run has returned.
func (p *Presence) Close(ctx context.Context) {
	p.options.Present(time.Time{})
	if p.session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := p.consul.CloseSession(ctx, p.session); err != nil {
		logr.FromContextOrDiscard(ctx).Info("presence left to the TTL of its session", "why", err.Error())
	}
}
