package app

import (
	"context"
	"slices"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/fencer"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/observe"
	"github.com/draingate/draingate/controller/reconcile"
)

// judgesFences reports whether decisions are to be made with a fence in mind. A
// fence rests on the lock of the leader, so that there is none without an
// election; a dry run says what one would do.
func judgesFences(o options.Run) bool { return !o.Leader.Off && o.Fence != options.FenceOff }

// fences reports whether this process takes part in fences.
func fences(o options.Run) bool { return elects(o) && judgesFences(o) }

// storedFences reads about fences in Consul's KV store.
type storedFences struct {
	consul *consul.Client
	keys   fence.Keys
}

// FenceFacts reads the record of the deployment and all presences in one answer.
func (s storedFences) FenceFacts(ctx context.Context, key model.Key) (model.FenceFacts, error) {
	stored, _, err := s.consul.List(ctx, s.keys.Prefix, 0, 0)
	if err != nil {
		return model.FenceFacts{}, err
	}
	out := model.FenceFacts{Fencers: s.keys.Fencers(stored, key.Deployment), Problems: s.keys.Problems(stored)}
	if at := slices.IndexFunc(stored, func(r model.Stored) bool { return r.Key == s.keys.Record(key) }); at >= 0 {
		out.Record = &stored[at]
	}
	return out, nil
}

// observedFences is nil where nothing is to be known about fences.
func observedFences(c *consul.Client, o options.Run) observe.Fences {
	if !judgesFences(o) {
		return nil
	}
	return storedFences{c, fence.KeysUnder(o.Leader.Key)}
}

// newFencer makes what carries out fences on this node; nil where nothing does.
func (a *App) newFencer(o options.Run) *fencer.Fencer {
	if a.elector == nil || !fences(o) {
		return nil
	}
	return fencer.New(a.consul, a.nomad, fencer.Options{
		Keys: fence.KeysUnder(o.Leader.Key), TTL: o.Leader.TTL, Instance: a.elector.State().Self.ID, Records: a.lookAfter, Did: a.metrics.FenceActed,
	})
}

// lookAfter has the loop look at each deployment that a record is about, also
// where the watch of deployments has nothing to tell of it: Nomad may not know it
// any more, or another instance may have begun its fence.
func (a *App) lookAfter(all []fence.Held) {
	c := a.controller.Load()
	if c == nil {
		return
	}
	for _, h := range all {
		c.Enqueue(h.Record.Key())
	}
}

// fencing is what the loop writes fences with; nil where it does not.
func (a *App) fencing() *reconcile.Fencing {
	if a.elector == nil || !fences(a.options) {
		return nil
	}
	return &reconcile.Fencing{Records: a.consul, Keys: fence.KeysUnder(a.options.Leader.Key), Self: instanceName(), Guard: a.elector.Guard}
}
