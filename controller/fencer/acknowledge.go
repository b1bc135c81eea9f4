package fencer

import (
	"context"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/presence"
)

// newPresence makes what says that the instance is on its node, and what it
// acknowledges there. ready is called when the name of the agent is known.
func (f *Fencer) newPresence(ready func()) *presence.Presence {
	nothing, err := fence.EncodePresence(nil, "")
	if err != nil {
		nothing = nil // A presence that says nothing acknowledges nothing.
	}
	return presence.New(f.consul, presence.Options{
		TTL: f.options.TTL, Instance: f.options.Instance,
		Key: func(node string) string {
			return f.options.Keys.Presence(node, strings.ReplaceAll(f.options.Instance, "/", "-"))
		},
		Named:   func(node string) { f.board.Named(node); ready() },
		Present: func(until time.Time) { f.board.present(until) },
		Report:  func(ctx context.Context, err error) { f.board.Report(ctx, aboutPresence, err) },
		Said:    func(err error) { f.options.did(ActAcknowledge, err) },
	}, nothing)
}

// acknowledge takes over what is acknowledged from now on: the mark of each
// record by its deployment; and what keeps the instance from fencing.
func (f *Fencer) acknowledge(ctx context.Context, acks map[string]string, problem string) {
	value, err := fence.EncodePresence(acks, problem)
	f.board.Report(ctx, aboutAcks, err)
	if err == nil {
		f.presence.Say(value)
	}
}
