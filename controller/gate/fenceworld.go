package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// storedFence decodes the record of the deployment's fence.
func storedFence(f model.FenceFacts) (*fence.Record, string) {
	if f.Record == nil {
		return nil, ""
	}
	r, err := fence.Decode(f.Record.Value)
	if err != nil {
		return nil, "key " + f.Record.Key + ": " + err.Error()
	}
	return &r, ""
}

// fenceWorld is the snapshot as a fence sees it.
func (v *view) fenceWorld() fence.World {
	d := v.Snapshot.Deployment
	w := fence.World{Gone: v.Snapshot.Gone, Status: d.Value.Status, Read: d.At, Fencers: v.Snapshot.Fence.Value.Fencers, Problems: v.Snapshot.Fence.Value.Problems, Blind: v.fenceBlind(), ProgressBy: v.progressBy()}
	w.Wanted, w.Unwanted = v.wanted()
	if found, message := first(v, against); found != nil {
		w.Against = fence.Finding{Reason: found.reason, Message: message}
	}
	for _, state := range d.Value.Groups {
		g := fence.Group{Name: state.Name, Canaries: state.DesiredCanaries, Promoted: state.Promoted, Total: state.DesiredTotal, Placed: state.PlacedAllocs, HealthyOnes: state.HealthyAllocs}
		if spec := v.Snapshot.Job.Value.Group(state.Name); spec != nil {
			g.Count, g.MaxParallel = spec.Count, spec.Update.MaxParallel
		}
		w.Groups = append(w.Groups, g)
	}
	for _, g := range v.groups {
		for _, a := range v.Snapshot.Allocations.Value {
			if a.Group == g.state.Name {
				w.Instances = append(w.Instances, v.fenceInstance(g, a))
			}
		}
	}
	longest, unknown := v.longest()
	w.Longest, w.Reload = longest, v.reload()
	if unknown != "" && w.Against == (fence.Finding{}) {
		w.Against = fence.Finding{Reason: ReasonDrainUnknown, Message: unknown}
	}
	return w
}

// reload is how long a proxy of the job may go on to put into force what it read
// of the catalog before. Where the load was not measured the time that a fact
// stays one stands for it: a snapshot makes the same calls within that.
func (v *view) reload() time.Duration {
	load := v.load()
	if !load.Known() {
		load.Value.Took = MaxAge
	}
	var out time.Duration
	for _, g := range v.groups {
		for _, p := range g.pools {
			out = max(out, drain.TimeUnderWay(p.proxy.Settings.Value, load.Value))
		}
	}
	return out
}

// longest is L, the longest request that may be under way to an old instance, or
// says why it is not known. The windows do not tell: those of a proxy that cannot
// be predicted have no L, and it is such a one that a fence is for.
func (v *view) longest() (longest time.Duration, unknown string) {
	for _, g := range v.groups {
		for _, a := range g.olds {
			l, err := drain.LongestRequest(a)
			if a.Job.Group(a.Group) == nil {
				err = errors.New("the job that it runs is not known")
			}
			if err != nil {
				return 0, fmt.Sprintf("how long a request to old allocation %s may take is not known, so that it cannot be taken out of rotation: %v", v.called(a.ID, a.Group), err)
			}
			longest = max(longest, l)
		}
	}
	return longest, ""
}

// fenceBlind says what is not known of all that a fence rests on. A deployment
// that is known to be gone is known.
func (v *view) fenceBlind() string {
	if v.Snapshot.Gone {
		return ""
	}
	if _, message := first(v, blind); message != "" {
		return message
	}
	if problem := v.Snapshot.Fence.Problem(v.Now, MaxAge); problem != "" {
		return "it is not known what is stored about fences: " + problem
	}
	return ""
}

// wanted reports whether the deployment is to be fenced, or says why it is not.
func (v *view) wanted() (bool, string) {
	switch {
	case v.mode != model.ModeEnforce:
		return false, fmt.Sprintf("the mode is %s", v.mode)
	case v.fence == model.FenceNever:
		return false, MetaFence + " is never"
	case !v.fences():
		return false, "every old instance outlives its routes"
	default:
		return true, ""
	}
}

// progressBy is when Nomad fails the promoted deployment for want of progress.
// Before its promotion it waits for as long as its canaries are healthy (Nomad
// v1.11.3, nomad/deploymentwatcher/deployment_watcher.go, shouldFail).
func (v *view) progressBy() time.Time {
	var out time.Time
	for _, g := range v.Snapshot.Deployment.Value.Groups {
		counts := g.DesiredCanaries > 0 && g.Promoted && g.HealthyAllocs < g.DesiredTotal && !g.ProgressBy.IsZero()
		if counts && (out.IsZero() || g.ProgressBy.Before(out)) {
			out = g.ProgressBy
		}
	}
	return out
}

func (v *view) fenceInstance(g group, a model.Allocation) fence.Instance {
	d := v.Snapshot.Deployment.Value
	out := fence.Instance{
		New: a.DeploymentID == d.ID || slices.Contains(g.state.PlacedCanaries, a.ID), Canary: slices.Contains(g.state.PlacedCanaries, a.ID),
		Stopping: a.DesiredStatus != model.DesiredRun && !a.ClientTerminal(), Ended: a.DesiredStatus != model.DesiredRun && a.ClientTerminal(),
		Unsure: v.unsure(a), Target: fence.Target{Alloc: a.ID, Name: a.Name, Group: a.Group},
	}
	if a.Job != nil {
		out.Version = a.Job.Version
	}
	routed := v.routedServices(a)
	for _, r := range routed {
		out.Services = append(out.Services, r.ServiceID)
	}
	out.Node = oneNode(routed)
	out.Out, out.Ours, out.Sign = maintenance(routed)
	out.Listed, out.RoutedBy = v.listed(g, a), v.routedBy(a)
	out.Good = out.Listed && passing(a, routed)
	return out
}

// unsure says why it is not known what Nomad will do with an allocation: all that
// holds a promotion, and what besides decides which ones Nomad stops.
func (v *view) unsure(a model.Allocation) string {
	if a.DesiredStatus != model.DesiredRun {
		return ""
	}
	if why := v.unsettled(a); why != "" {
		return why
	}
	switch {
	case a.ClientTerminal():
		return "is " + a.ClientStatus + " and may be replaced at any time"
	case a.ClientStatus != model.ClientRunning:
		return "is " + a.ClientStatus + ", not running"
	default:
		return ""
	}
}

// routedServices are the registrations of the allocation that any proxy may
// route to, sorted by service ID.
func (v *view) routedServices(a model.Allocation) []model.Registration {
	var out []model.Registration
	for _, r := range v.byAlloc[a.ID] {
		if v.routedAnywhere(a, model.Service{Name: r.ServiceName}) {
			out = append(out, r)
		}
	}
	return out
}

// oneNode is the agent that all of them are registered with, empty where there
// is no such one.
func oneNode(regs []model.Registration) string {
	node := ""
	for i, r := range regs {
		if i > 0 && r.Node != node {
			return ""
		}
		node = r.Node
	}
	return node
}

// maintenance reports whether each of them is in maintenance, whether one is so
// because of draingate, and what changes with each change of that.
func maintenance(regs []model.Registration) (out, ours bool, sign string) {
	out = true
	var signs []string
	for _, r := range regs {
		in := false
		for _, c := range r.Checks {
			if c.ID == model.ServiceMaintenance+r.ServiceID || c.ID == model.NodeMaintenance {
				_, mine := fence.Deployment(c.Notes)
				in, ours = true, ours || mine
				signs = append(signs, fmt.Sprintf("%s %s %d", r.ServiceID, c.ID, c.ModifyIndex))
			}
		}
		out = out && in && r.Status == model.StatusMaintenance
	}
	return out, ours, strings.Join(signs, ",")
}

// passing reports whether the allocation runs, and each of its routed services is
// passing.
func passing(a model.Allocation, routed []model.Registration) bool {
	if a.ClientStatus != model.ClientRunning || a.DesiredStatus != model.DesiredRun || len(routed) == 0 {
		return false
	}
	for _, r := range routed {
		if r.Status != model.StatusPassing {
			return false
		}
	}
	return true
}

// listed reports whether every proxy lists the allocation in all of its pools.
func (v *view) listed(g group, a model.Allocation) bool {
	for _, p := range g.pools {
		if p.exposed && (len(p.services) == 0 || v.unlisted(p, a) != "") {
			return false
		}
	}
	return true
}

// emptied reports whether a service of the proxy is one of those that listed the
// group's old instances until our own fence took these out of it: it is the
// production pool all the same.
func (v *view) emptied(p *model.Proxy, g group, service string) bool {
	if v.Policy.Fence == "" || !slices.Contains(v.Memory.Pools[poolKey(g, pool{proxy: p})], "service "+service) {
		return false
	}
	return slices.ContainsFunc(g.olds, func(a model.Allocation) bool {
		return slices.ContainsFunc(v.byAlloc[a.ID], v.fencedByUs)
	})
}

// fencedByUs reports whether the instance is in the maintenance of this
// deployment's fence.
func (v *view) fencedByUs(r model.Registration) bool {
	return slices.ContainsFunc(r.Checks, func(c model.CheckStatus) bool {
		of, ours := fence.Deployment(c.Notes)
		return c.ID == model.ServiceMaintenance+r.ServiceID && ours && of == v.Snapshot.Key.Deployment
	})
}

// routedBy is a proxy that lists an address of the allocation, in whatever
// service and in whatever state; empty where none does.
func (v *view) routedBy(a model.Allocation) string {
	for i := range v.Snapshot.Proxies.Value {
		p := &v.Snapshot.Proxies.Value[i]
		mine := v.hostPorts(p, []model.Allocation{a})
		if slices.ContainsFunc(p.Routing.Value.Services, func(s model.ProxyService) bool { return lists(s, mine) }) {
			return p.Name
		}
	}
	return ""
}
