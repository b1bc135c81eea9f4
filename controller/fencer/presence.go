package fencer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// presence says that an instance is on its node, for as long as its session
// lives, and what it acknowledges there.
type presence struct {
	consul  Consul
	options Options
	board   *board
	// ready is called when the name of the agent is known.
	ready func()

	changed chan struct{}
	mu      sync.Mutex
	acks    map[string]string
	problem string

	// The rest is of the goroutine of run. session is empty where there is none;
	// said is what was last written with it, nil where that is not known.
	session string
	node    string
	said    []byte
}

// acknowledge takes over what is acknowledged from now on: the mark of each
// record by its deployment; and what keeps the instance from fencing.
func (p *presence) acknowledge(acks map[string]string, problem string) {
	p.mu.Lock()
	same := maps.Equal(p.acks, acks) && p.problem == problem
	p.acks, p.problem = acks, problem
	p.mu.Unlock()
	if !same {
		signal(p.changed)
	}
}

// run keeps the instance present until ctx ends. The session outlives that: it
// is closed after the last lift.
func (p *presence) run(ctx context.Context) {
	pause := newPause(p.options.TTL)
	for ctx.Err() == nil {
		err := p.keep(ctx)
		p.board.report(ctx, aboutPresence, err)
		if err != nil {
			sleep(ctx, pause.NextBackOff())
			continue
		}
		pause.Reset()
		wait(ctx, p.changed, p.options.TTL/4)
	}
}

// keep renews the session, or opens one, and sees that the key says what it is
// to say.
func (p *presence) keep(ctx context.Context) error {
	begun := time.Now()
	if p.session != "" {
		alive, err := call(ctx, func(ctx context.Context) (bool, error) { return p.consul.RenewSession(ctx, p.session) })
		if err != nil {
			return err
		}
		if !alive {
			logr.FromContextOrDiscard(ctx).Info("the session of this instance's presence is gone", "session", model.Short(p.session))
			p.session = ""
			p.board.present(time.Time{})
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
	p.board.present(begun.Add(p.options.TTL))
	return nil
}

// open asks the agent for its name anew with each session: one that was started
// again with another name has ended the last.
func (p *presence) open(ctx context.Context) error {
	node, err := call(ctx, p.consul.AgentName)
	if err != nil {
		return err
	}
	p.node = node
	p.board.named(node)
	p.ready()
	p.session, err = call(ctx, func(ctx context.Context) (string, error) {
		return p.consul.OpenPresence(ctx, "draingate "+p.options.Instance, p.options.TTL)
	})
	p.said = nil
	return err
}

// say writes the presence where it does not say yet what it is to say.
func (p *presence) say(ctx context.Context) error {
	p.mu.Lock()
	acks, problem := p.acks, p.problem
	p.mu.Unlock()
	value, err := fence.EncodePresence(acks, problem)
	if err != nil {
		return err
	}
	key := p.options.Keys.Presence(p.node, strings.ReplaceAll(p.options.Instance, "/", "-"))
	if bytes.Equal(value, p.said) {
		if there, err := p.stands(ctx, key); err != nil || there {
			return err
		}
		logr.FromContextOrDiscard(ctx).Info("the presence of this instance is not what it wrote: it is written again", "key", key)
	}
	// A write that fails may arrive all the same, and after the next one.
	p.said = nil
	taken, err := call(ctx, func(ctx context.Context) (bool, error) { return p.consul.TakeLock(ctx, key, value, p.session) })
	if err == nil && !taken {
		err = fmt.Errorf("lock key %s: %w", key, errHeld)
	}
	p.options.did(ActAcknowledge, err)
	if err == nil {
		p.said = value
	}
	return err
}

var errHeld = errors.New("another session holds it: one of this instance that has not ended yet, or another instance of the same name on the node")

// stands reports whether the key is locked by the session and has the value
// that was written last.
func (p *presence) stands(ctx context.Context, key string) (bool, error) {
	below, err := call(ctx, func(ctx context.Context) ([]model.Stored, error) {
		out, _, err := p.consul.List(ctx, key, 0, 0)
		return out, err
	})
	return slices.ContainsFunc(below, func(s model.Stored) bool {
		return s.Key == key && s.Session == p.session && bytes.Equal(s.Value, p.said)
	}), err
}

// close ends the session and with it the presence. Only after run has returned.
func (p *presence) close(ctx context.Context) {
	p.board.present(time.Time{})
	if p.session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := p.consul.CloseSession(ctx, p.session); err != nil {
		logr.FromContextOrDiscard(ctx).Info("presence left to the TTL of its session", "why", err.Error())
	}
}
