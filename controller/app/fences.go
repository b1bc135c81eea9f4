package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/observe"
	"github.com/draingate/draingate/controller/status"
)

// fences reads the records of all fences for the status endpoint.
func (a *App) fences() (status.FenceList, error) {
	ctx, cancel := context.WithTimeout(context.Background(), observe.DefaultPassTimeout)
	defer cancel()
	return readFences(ctx, a.consul, fence.KeysUnder(a.options.Leader.Key))
}

func readFences(ctx context.Context, from *consul.Client, keys fence.Keys) (status.FenceList, error) {
	stored, _, err := from.List(ctx, keys.Prefix, 0, 0)
	if err != nil {
		return status.FenceList{}, err
	}
	held, err := keys.Held(stored)
	if err != nil {
		return status.FenceList{}, err
	}
	out := status.FenceList{Fencers: fencers(keys, stored, held)}
	for _, h := range held {
		out.Fences = append(out.Fences, fenceOf(h))
	}
	return out, nil
}

func fenceOf(h fence.Held) status.Fence {
	r := h.Record
	return status.Fence{
		Namespace: r.Namespace, Deployment: r.Deployment, Job: r.Job, Step: string(r.Step), Call: string(r.Call), Owner: r.Owner, Locked: h.Locked,
		Set: fencedInstances(r.Set), Kept: fencedInstances(r.Kept), Pause: r.Pause, Rolling: r.Rolling,
		Reason: string(r.Reason), Message: r.Message, Written: r.Written,
	}
}

func fencedInstances(targets []fence.Target) []status.FencedInstance {
	out := make([]status.FencedInstance, 0, len(targets))
	for _, t := range targets {
		out = append(out, status.FencedInstance{Allocation: t.Alloc, Name: t.Name, Group: t.Group, Node: t.Node, Services: t.Services})
	}
	return out
}

// fencers are the instances that say that they are present, each with the
// deployments whose record, as it stands, it acknowledged.
func fencers(keys fence.Keys, stored []model.Stored, held []fence.Held) []status.Fencer {
	var out []status.Fencer
	for _, s := range stored {
		for node := range keys.Fencers([]model.Stored{s}, "") {
			f := status.Fencer{Node: node, Instance: strings.TrimPrefix(s.Key, keys.Presence(node, ""))}
			for _, h := range held {
				if slices.Contains(keys.Fencers([]model.Stored{s}, h.Record.Deployment)[node], h.Record.Mark) {
					f.Acknowledged = append(f.Acknowledged, h.Record.Deployment)
				}
			}
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b status.Fencer) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Instance, b.Instance))
	})
	return out
}
