package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/observe"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
	"github.com/draingate/draingate/controller/status"
)

// parks tells how parks stand: the records and presences as they are in Consul,
// and what this instance, where it leads, found in its last pass.
func (a *App) parks() (status.ParkList, error) {
	if a.options.Leader.Off {
		return status.ParkList{Problem: noParks(a.options), Now: time.Now()}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), observe.DefaultPassTimeout)
	defer cancel()
	list, err := readParks(ctx, a.consul, park.KeysUnder(a.options.Leader.Key), a.parked.list())
	list.Problem, list.Now = noParks(a.options), time.Now()
	return list, err
}

// noParks says why an instance with these options begins no park; empty where it
// does.
func noParks(o options.Run) string {
	switch {
	case o.Leader.Off:
		return "it was started with --no-leader, and a park rests on the election"
	case o.DryRun:
		return "it was started with --dry-run, and writes nothing"
	case o.Park.Off:
		return "it was started with --no-park"
	default:
		return ""
	}
}

func readParks(ctx context.Context, from *consul.Client, keys park.Keys, found []Parked) (status.ParkList, error) {
	stored, _, err := from.List(ctx, keys.Prefix, 0, 0)
	if err != nil {
		return status.ParkList{}, err
	}
	records, err := keys.ReadRecords(stored)
	if err != nil {
		return status.ParkList{}, err
	}
	parkers := keys.ReadParkers(stored)
	all := map[string]Parked{}
	for _, f := range found {
		f.Record = nil // what is stored counts
		all[f.Service] = f
	}
	for _, r := range records {
		f := all[r.Service]
		f.Service, f.Record = r.Service, &r.Record
		all[r.Service] = f
	}
	out := status.ParkList{Parkers: parkersOf(keys, stored)}
	for _, service := range slices.Sorted(maps.Keys(all)) {
		if f := all[service]; f.Record != nil || f.Reason != "" && !stale(f.Finding) {
			out.Parks = append(out.Parks, parkOf(f, parkers))
		}
	}
	return out, nil
}

// stale reports whether a finding is about a record, which is gone since.
func stale(f park.Finding) bool {
	return slices.Contains([]model.Reason{park.ReasonParked, park.ReasonPausing, park.ReasonPaused, park.ReasonReleased, park.ReasonExpired, park.ReasonNoSuccessor}, f.Reason)
}

// parkOf is how a park stands. What the record says of why it ends counts before
// what was found in the last pass.
func parkOf(f Parked, parkers map[string]park.Presence) status.Park {
	out := status.Park{Service: f.Service, Namespace: f.Namespace, Job: f.Job, JobVersion: f.Version, Reason: string(f.Reason), Message: f.Message, Since: f.Seen}
	r := f.Record
	if r == nil {
		return out
	}
	out.Namespace, out.Job, out.Group, out.JobVersion = r.Namespace, r.Job, r.Group, r.Version
	out.Step, out.ByHand, out.Owner = string(r.Step), r.ByHand, r.Owner
	out.LongestWait, out.Since, out.Gap, out.Until = status.Seconds(r.Wait), r.Since, r.Gap, r.Until
	switch {
	case r.Step != park.StepParking:
		out.Reason, out.Message = string(cmp.Or(r.Reason, park.ReasonReleased)), r.Message
	case out.Reason == "":
		out.Reason = string(park.ReasonParked)
		if r.ByHand {
			out.Reason = string(park.ReasonPausing)
		}
	}
	for _, node := range r.Nodes {
		out.Nodes = append(out.Nodes, nodeOf(node, *r, parkers))
	}
	for _, t := range r.Fenced {
		out.Fenced = append(out.Fenced, status.ParkedInstance{Node: t.Node, ID: t.Service})
	}
	for _, g := range r.Going {
		out.Going = append(out.Going, status.GoingInstance{Allocation: g.Alloc, Address: g.Address, Until: g.Until})
	}
	return out
}

func nodeOf(node string, r park.Record, parkers map[string]park.Presence) status.ParkNode {
	p, present := parkers[node]
	lot := p.Lots[r.Service]
	f := lot.Figures
	out := status.ParkNode{
		Node: node, Present: present, Address: lot.Address, Waiting: lot.Waiting, Peak: f.Peak, Longest: status.Seconds(f.Longest),
		UnderWay: f.UnderWay, Upgrades: f.Upgrades, Forwarded: f.Forwarded, Released: f.Released,
		Refused: f.Refused, Expired: f.Expired, Gone: f.Gone, Failed: f.Failed,
	}
	if lot.Mark == r.Mark {
		out.State = string(lot.State)
	}
	return out
}

// parkersOf are the instances that say that they are present.
func parkersOf(keys park.Keys, stored []model.Stored) []status.Parker {
	var out []status.Parker
	for _, s := range stored {
		for node, p := range keys.ReadParkers([]model.Stored{s}) {
			instance := cmp.Or(p.Instance, strings.TrimPrefix(s.Key, keys.Parker(node, "")))
			out = append(out, status.Parker{Node: node, Instance: instance, Services: slices.Sorted(maps.Keys(p.Lots)), Problem: p.Problem})
		}
	}
	slices.SortFunc(out, func(a, b status.Parker) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Instance, b.Instance))
	})
	return out
}

// parkFigures is what the metrics ask for the records of parks; nil where this
// instance never parks.
func (a *App) parkFigures(o options.Run) func() (metrics.Parks, error) {
	if !parks(o) {
		return nil
	}
	return func() (metrics.Parks, error) {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		list, err := readParks(ctx, a.consul, park.KeysUnder(o.Leader.Key), nil)
		out := metrics.Parks{Steps: map[string]int{}, Parkers: len(list.Parkers)}
		for _, p := range list.Parks {
			out.Steps[p.Step]++
		}
		return out, err
	}
}

// lotFigures is what the metrics ask for the listeners of this instance; nil where
// it has none.
func (a *App) lotFigures(o options.Run) func() map[string]metrics.ParkedService {
	if !parks(o) {
		return nil
	}
	return func() map[string]metrics.ParkedService {
		out := map[string]metrics.ParkedService{}
		if a.garage == nil {
			return out
		}
		for service, f := range a.garage.Named() {
			out[service] = parkedService(f)
		}
		return out
	}
}

func parkedService(f parking.Figures) metrics.ParkedService {
	out := metrics.ParkedService{
		Waiting: f.Waiting, Peak: f.Peak, Oldest: f.Oldest, Longest: f.Longest, UnderWay: f.UnderWay, Upgrades: f.Upgrades,
		Results: map[string]uint64{
			metrics.ParkForwarded: f.Forwarded, metrics.ParkReleased: f.Released, metrics.ParkGone: f.Gone,
			metrics.ParkUnanswered: f.Failed, metrics.ParkBroken: f.Broken,
		},
		Refused: map[string]uint64{},
	}
	for reason, n := range f.Refused {
		out.Refused[string(reason)] = n
	}
	return out
}

// parkReasons are all that a park can have.
func parkReasons() []model.Reason {
	var out []model.Reason
	for _, e := range park.Explanations() {
		out = append(out, e.Reason)
	}
	return out
}
