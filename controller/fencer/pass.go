package fencer

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

// pass reads, has decided what to do, and does it.
func (f *Fencer) pass(ctx context.Context) outcome {
	// Without its name nothing tells which records are about this node.
	if f.board.Node() == "" {
		return outcome{look: lookIdle}
	}
	begun := time.Now()
	in := f.read(ctx)
	if ctx.Err() != nil {
		return outcome{}
	}
	return f.apply(ctx, in, begun)
}

// lastPass takes each record as if it had lost its lock: this instance will see
// to it no more.
func (f *Fencer) lastPass(ctx context.Context) outcome {
	if f.board.Node() == "" {
		return outcome{}
	}
	begun := time.Now()
	in := f.read(ctx)
	for i := range in.Records.Value {
		in.Records.Value[i].Locked = false
	}
	in.Memory.Records = slices.Clone(in.Memory.Records)
	for i := range in.Memory.Records {
		in.Memory.Records[i].Locked = false
	}
	return f.apply(ctx, in, begun)
}

// read reads the records, and after them the services: what is then seen in
// maintenance is so while the record stands.
func (f *Fencer) read(ctx context.Context) fence.NodeInput {
	in := fence.NodeInput{Node: f.board.Node(), Keys: f.options.Keys, TTL: f.options.TTL, Memory: f.memory}
	in.Records = f.readRecords(ctx)
	in.Locals = f.readLocals(ctx)
	in.Standings = f.standings.all()
	in.Now = time.Now()
	return in
}

func (f *Fencer) readRecords(ctx context.Context) model.Fact[[]fence.Held] {
	begun := time.Now()
	stored, err := loop.Call(ctx, func(ctx context.Context) ([]model.Stored, error) {
		out, _, err := f.consul.List(ctx, f.options.Keys.Records(), 0, 0)
		return out, err
	})
	var held []fence.Held
	if err == nil {
		held, err = f.options.Keys.Held(stored)
	}
	f.board.Report(ctx, aboutRecords, err)
	if err != nil {
		return model.Unseen[[]fence.Held](begun, err.Error())
	}
	f.options.records(slices.Clone(held))
	return model.Seen(held, begun)
}

func (f *Fencer) readLocals(ctx context.Context) model.Fact[[]fence.Local] {
	begun := time.Now()
	services, err := loop.Call(ctx, f.consul.LocalServices)
	f.board.Report(ctx, aboutServices, err)
	if err != nil {
		return model.Unseen[[]fence.Local](begun, err.Error())
	}
	out := make([]fence.Local, 0, len(services))
	var fenced []string
	for _, s := range services {
		out = append(out, fence.Local{ID: s.ID, Maintenance: s.Maintenance, Reason: s.Reason})
		if _, ours := f.options.Keys.Ours(s.Reason); ours && s.Maintenance {
			fenced = append(fenced, s.ID)
		}
	}
	f.board.fenced(fenced)
	return model.Seen(out, begun)
}

// apply carries out what fence.Apply says.
func (f *Fencer) apply(ctx context.Context, in fence.NodeInput, begun time.Time) outcome {
	action, memory := fence.Apply(in)
	f.memory = memory
	f.acknowledge(ctx, action.Acks, f.board.Problem(aboutMaintenance))
	f.standings.want(asked(memory, action.Ask), action.Pause)
	// What was begun is finished when ctx ends: an order whose answer nobody
	// waits for may arrive after the last lift.
	orders, cancel := context.WithDeadline(context.WithoutCancel(ctx), begun.Add(passTime))
	defer cancel()
	lifted, liftErr := f.lift(orders, in.Locals.Value, action.Lift)
	set, setErr := f.set(ctx, orders, action.Set)
	f.board.Report(ctx, aboutMaintenance, liftErr, setErr)
	f.acknowledge(ctx, action.Acks, f.board.Problem(aboutMaintenance))
	return outcome{
		again:  lifted || set,
		failed: liftErr != nil || setErr != nil || !in.Records.Known() || !in.Locals.Known(),
		look:   look(in),
	}
}

// asked are the records of the deployments that are asked for.
func asked(m fence.NodeMemory, keys []model.Key) []fence.Record {
	var out []fence.Record
	for _, s := range m.Records {
		if slices.Contains(keys, s.Record.Key()) {
			out = append(out, s.Record)
		}
	}
	return out
}

// lift ends maintenances, before any is set: so there are never fewer in rotation
// than there need be. Each by the reason that was read, lest it be another's by now.
func (f *Fencer) lift(ctx context.Context, locals []fence.Local, services []string) (changed bool, err error) {
	var problems []error
	for _, id := range services {
		i := slices.IndexFunc(locals, func(l fence.Local) bool { return l.ID == id })
		lifted, failed := f.consul.LiftMaintenance(ctx, id, locals[i].Reason)
		problems = append(problems, failed)
		changed = changed || lifted
		if lifted || failed != nil {
			f.options.did(ActLift, failed)
		}
		if lifted {
			deployment, _ := f.options.Keys.Ours(locals[i].Reason)
			logr.FromContextOrDiscard(ctx).Info("fence lifted", "service", id, "deployment", deployment)
		}
	}
	return changed, loop.Summary(problems)
}

// set sets maintenances until ctx ends; the orders have a context of their own.
func (f *Fencer) set(ctx, orders context.Context, reasons map[string]string) (changed bool, err error) {
	var problems []error
	for _, id := range slices.Sorted(maps.Keys(reasons)) {
		if ctx.Err() != nil {
			break
		}
		is, failed := f.consul.SetMaintenance(orders, id, reasons[id])
		problems = append(problems, failed)
		if failed == nil && is == "" {
			continue // It has ended since it was read.
		}
		f.options.did(ActSet, failed)
		if failed == nil {
			changed = true
			logr.FromContextOrDiscard(ctx).Info("fence set", "service", id, "reason", is, "foreign", is != reasons[id])
		}
	}
	return changed, loop.Summary(problems)
}

// look is how soon to look again where nothing tells of a change.
func look(in fence.NodeInput) time.Duration {
	out := lookIdle
	if slices.ContainsFunc(in.Locals.Value, func(l fence.Local) bool { _, ours := in.Keys.Ours(l.Reason); return ours }) {
		out = lookSome
	}
	for _, h := range in.Records.Value {
		out = min(out, lookSome)
		if h.Record.Step != fence.StepEnded && slices.ContainsFunc(h.Record.Set, func(t fence.Target) bool { return t.Node == in.Node }) {
			out = lookFenced
		}
	}
	return out
}
