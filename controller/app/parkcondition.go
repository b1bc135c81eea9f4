package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

const (
	// parkedEvery is how often a deployment is looked at while its job is parked for,
	// so that the figures of the condition are about as old as those of a presence.
	parkedEvery = time.Second
	// notParkedEvery is how often otherwise, while it is under way. Each change is
	// shown at once; this is for one that came before the deployment was known here.
	notParkedEvery = 5 * time.Second
)

// parkedCondition is the condition Parked of a deployment, and when to look at it
// again. It is nil where nothing asks for a park, where a later version of the job
// is parked for, and for a deployment that has ended with nothing to tell.
func (a *App) parkedCondition(d model.Deployment, s model.Snapshot) (*model.Condition, time.Duration) {
	if s.Gone || d.JobID == "" {
		return nil, 0
	}
	var asks []string
	if s.Job.Known() {
		asks = park.Services(&s.Job.Value, s.Overrides.Value)
	}
	c := conditionOf(a.parked.of(s.Key.Namespace, d, asks))
	switch {
	case c == nil:
		return nil, 0
	case c.Status == model.True:
		return c, parkedEvery
	case !d.Terminal():
		return c, notParkedEvery
	case c.Status == model.Unknown || c.Reason == gate.ReasonPending:
		return nil, 0
	default:
		return c, 0
	}
}

// of returns how the services of a deployment's job are parked for, sorted by
// service. Those that its version has a wish for and that nobody has looked at yet
// are among them.
func (b *parkBoard) of(namespace string, d model.Deployment, asks []string) []Parked {
	var out []Parked
	known := map[string]bool{}
	for _, p := range b.list() {
		known[p.Service] = true
		if p.Namespace == namespace && p.Job == d.JobID && p.Version <= d.JobVersion && (p.Asked || p.Record != nil) {
			out = append(out, p)
		}
	}
	for _, service := range asks {
		if !known[service] {
			out = append(out, Parked{Service: service, Unread: "whether it is parked for is not known yet"})
		}
	}
	slices.SortFunc(out, func(x, y Parked) int { return cmp.Compare(x.Service, y.Service) })
	return out
}

// conditionOf is what all services of a job make together: the first of being
// parked, not being known, being in the way and nothing that one of them is; nil for
// none.
func conditionOf(all []Parked) *model.Condition {
	var best *model.Condition
	for _, p := range all {
		c := p.condition()
		switch {
		case best == nil || rank(c) < rank(*best):
			best = &c
		case rank(c) == rank(*best):
			best.Message += "; " + c.Message
		}
	}
	return best
}

func rank(c model.Condition) int {
	switch {
	case c.Status == model.True:
		return 0
	case c.Status == model.Unknown:
		return 1
	case c.Reason != gate.ReasonPending:
		return 2
	default:
		return 3
	}
}

// condition says how the park of one service stands.
func (p Parked) condition() model.Condition {
	out := model.Condition{Type: model.Parked, Status: model.False}
	switch r := p.Record; {
	case p.Unread != "":
		out.Status, out.Reason, out.Message = model.Unknown, park.ReasonUnknown, p.Unread
	case (r == nil || r.Step == park.StepOver) && p.Reason == park.ReasonUnknown:
		out.Status, out.Reason, out.Message = model.Unknown, p.Reason, p.Message
	case (r == nil || r.Step == park.StepOver) && p.Reason != "" && !stale(p.Finding):
		out.Reason, out.Message = p.Reason, p.Message
	case r == nil:
		out.Reason, out.Message = gate.ReasonPending, "no request is to be parked now"
	case r.Step == park.StepParking:
		out.Status, out.Reason, out.Message = model.True, cmp.Or(p.Reason, park.ReasonParked), p.stands()
	default:
		out.Reason, out.Message = cmp.Or(r.Reason, park.ReasonReleased), cmp.Or(r.Message, "placeholders leave")
	}
	out.Message = "service " + p.Service + ": " + strings.TrimPrefix(out.Message, "not parked for: ")
	return out
}

// stands says how a park that is on stands: since when, until when and how many
// requests wait, so that only the last changes by itself.
func (p Parked) stands() string {
	r := p.Record
	switch {
	case p.Reason == park.ReasonPaused:
		return fmt.Sprintf("%s until it is resumed, at %s at the latest", p.waits(), at(r.Until))
	case p.Reason == park.ReasonParked && !r.Gap.IsZero():
		return fmt.Sprintf("no instance since %s: %s, until %s at the latest", at(r.Gap), p.waits(), at(r.Until))
	default:
		return cmp.Or(p.Message, "placeholders come in")
	}
}

// waits says how many requests wait on all nodes, as these last told.
func (p Parked) waits() string {
	n := 0
	for _, presence := range p.Parkers {
		n += presence.Lots[p.Service].Waiting
	}
	if n == 1 {
		return "1 request waits"
	}
	return fmt.Sprintf("%d requests wait", n)
}

func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// showParked has the deployments looked at that another condition than before is to
// be shown of.
func (a *App) showParked(before, now Parked) {
	was, is := before.condition(), now.condition()
	same := before.Namespace == now.Namespace && before.Job == now.Job && before.Version == now.Version && before.Asked == now.Asked
	loop := a.controller.Load()
	if loop == nil || same && was.Status == is.Status && was.Reason == is.Reason {
		return
	}
	for _, p := range []Parked{before, now} {
		if p.Job == "" {
			continue
		}
		for _, key := range a.store.Keys(p.Namespace, p.Job, p.Version) {
			loop.Enqueue(key)
		}
	}
}
