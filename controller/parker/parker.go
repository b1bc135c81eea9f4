package parker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
	"github.com/draingate/draingate/controller/presence"
)

// Parker carries out the parks of one node. Make one with New, and run it once.
type Parker struct {
	consul  Consul
	garage  *parking.Garage
	options Options

	board    *loop.Board
	presence *presence.Presence
	// due is signalled where a pass is to be made at once.
	due chan struct{}
	// The rest is of whoever makes passes: the loop, and Run after it.
	memory park.NodeMemory
	lots   map[string]*lot
	// figures are those of the lots when they were last looked at, which was at
	// counted.
	figures map[string]parking.Figures
	counted time.Time
	// tails are listeners that are closed but for connections that last, and end ends
	// those.
	tails []*lot
	life  context.Context //nolint:containedctx // the life of what outlives each pass
	end   context.CancelFunc
}

// New returns a Parker that opens its listeners in the garage. It asks nothing.
func New(consul Consul, garage *parking.Garage, options Options) *Parker {
	p := &Parker{
		consul: consul, garage: garage, options: options,
		board: &loop.Board{Of: "parking"}, due: make(chan struct{}, 1), lots: map[string]*lot{},
	}
	p.presence = presence.New(consul, presence.Options{
		TTL: options.TTL, Instance: options.Instance,
		Key:     func(node string) string { return options.Keys.Parker(node, options.Instance) },
		Named:   func(node string) { p.board.Named(node); loop.Signal(p.due) },
		Present: func(time.Time) {},
		Report:  func(ctx context.Context, err error) { p.board.Report(ctx, aboutPresence, err) },
		Said:    func(err error) { options.did(ActSay, err) },
	}, p.says(nil))
	return p
}

// says is the value of the presence. What cannot be written is said by nothing.
func (p *Parker) says(lots map[string]park.Lot) []byte {
	out, err := park.EncodePresence(park.Presence{Instance: p.options.Instance, Lots: lots, Problem: p.board.Problem(aboutLots)})
	if err != nil {
		return nil
	}
	return out
}

// Run carries out the parks of the node until ctx ends, then takes its
// placeholders out of the catalog, answers what it can, and returns nil.
func (p *Parker) Run(ctx context.Context) error {
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	defer p.end()
	var parts sync.WaitGroup
	for _, part := range []func(context.Context){p.loop, p.watch, p.presence.Run} {
		parts.Go(func() { part(ctx) })
	}
	parts.Wait()
	p.leave(ctx)
	p.presence.Close(ctx)
	return nil
}

// loop makes passes until ctx ends.
func (p *Parker) loop(ctx context.Context) {
	pause := loop.NewPause(p.options.TTL)
	for ctx.Err() == nil {
		next, failed := p.guarded(ctx)
		if failed {
			next = min(pause.NextBackOff(), lookIdle)
		} else {
			pause.Reset()
		}
		loop.Sleep(ctx, passGap)
		loop.Wait(ctx, p.due, next-passGap)
	}
}

// watch has a pass made whenever a record changes, until ctx ends. The pass reads
// for itself: an answer here may have waited for long.
func (p *Parker) watch(ctx context.Context) {
	ask := func(ctx context.Context, index uint64, wait time.Duration) ([]model.Stored, uint64, error) {
		return p.consul.List(ctx, p.options.Keys.Records(), index, wait)
	}
	loop.Watch(ctx, p.options.TTL, passGap, ask, model.SameStored, func([]model.Stored) { loop.Signal(p.due) })
}

var errPanic = errors.New("panic in a pass over the parks of this node")

// guarded turns a panic into a failure: what nobody thought of must not end the
// listeners in which requests wait.
func (p *Parker) guarded(ctx context.Context) (next time.Duration, failed bool) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("%w: %v", errPanic, r)
			if p.board.Report(ctx, aboutPass, err) {
				logr.FromContextOrDiscard(ctx).Error(err, "pass over the parks of this node failed", "stack", string(debug.Stack()))
			}
			next, failed = lookSome, true
		}
	}()
	next, failed = p.pass(ctx)
	p.board.Report(ctx, aboutPass, nil)
	return next, failed
}

// pass reads, has decided what to do, and does it.
func (p *Parker) pass(ctx context.Context) (next time.Duration, failed bool) {
	if p.board.Node() == "" {
		return lookIdle, false
	}
	begun := time.Now()
	in := p.read(ctx)
	if ctx.Err() != nil {
		return 0, false
	}
	action, memory := park.Apply(in)
	p.memory = memory
	for service, s := range memory.Seen {
		if l := p.lots[service]; l != nil {
			l.follow(s)
		}
	}
	p.presence.Say(p.says(p.figured(action.Lots)))
	// What was begun is finished when ctx ends.
	orders, cancel := context.WithDeadline(context.WithoutCancel(ctx), begun.Add(passTime))
	defer cancel()
	changed, err := p.apply(ctx, orders, in, action)
	p.board.Report(ctx, aboutLots, err)
	next = lookIdle
	if len(p.lots) > 0 || memory.Busy() {
		next = lookSome
	}
	if changed {
		next = 0
	}
	return next, err != nil || !in.Records.Known() || !in.Locals.Known()
}

// read reads the records, and after them the services of the agent.
func (p *Parker) read(ctx context.Context) park.NodeInput {
	in := park.NodeInput{Node: p.board.Node(), Keys: p.options.Keys, Memory: p.memory, Lots: map[string]park.Open{}}
	begun := time.Now()
	stored, err := loop.Call(ctx, func(ctx context.Context) ([]model.Stored, error) {
		out, _, err := p.consul.List(ctx, p.options.Keys.Prefix, 0, 0)
		return out, err
	})
	in.Records = records(p.options.Keys, stored, begun, err)
	in.Others = p.others(stored)
	begun = time.Now()
	locals, localsErr := loop.Call(ctx, p.consul.LocalServices)
	in.Locals = model.Seen(locals, begun)
	if localsErr != nil {
		in.Locals = model.Unseen[[]model.LocalService](begun, localsErr.Error())
	}
	p.board.Report(ctx, aboutServices, localsErr)
	var problem error
	if !in.Records.Known() {
		problem = errors.New(in.Records.Err)
	}
	p.board.Report(ctx, aboutRecords, problem)
	in.Now = time.Now()
	p.count(in.Now)
	for service, l := range p.lots {
		state := l.state()
		state.Waiting = p.figures[service].Waiting
		in.Lots[service] = state
	}
	return in
}

func records(keys park.Keys, stored []model.Stored, at time.Time, err error) model.Fact[[]park.Record] {
	if err != nil {
		return model.Unseen[[]park.Record](at, err.Error())
	}
	read, err := keys.ReadRecords(stored)
	if err != nil {
		return model.Unseen[[]park.Record](at, err.Error())
	}
	out := make([]park.Record, 0, len(read))
	for _, s := range read {
		out = append(out, s.Record)
	}
	return model.Seen(out, at)
}

// others are the services for which another instance on this node has a lot.
func (p *Parker) others(stored []model.Stored) map[string]bool {
	out := map[string]bool{}
	mine := p.options.Keys.Parker(p.board.Node(), p.options.Instance)
	for _, s := range stored {
		if s.Key == mine {
			continue
		}
		if other, there := p.options.Keys.ReadParkers([]model.Stored{s})[p.board.Node()]; there {
			for service, lot := range other.Lots {
				out[service] = out[service] || lot.State == park.LotIn
			}
		}
	}
	return out
}
