package forecast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
)

// Input is one routed service of a job, as the next deploy of it will find it.
type Input struct {
	// Job is the version that is deployed, Group the name of one of its groups.
	Job   *model.Job
	Group string
	// Service is a service of that group, with the task that it stands in.
	Service model.Service
	Tags    model.ServiceTags
	// Old is the version that runs now, and OldTags how its tags are read; nil
	// where it is one like the new.
	Old     *model.Job
	OldTags model.ServiceTags
	// Settings are those of the proxy, Load its measured time of one load.
	Settings model.ProxySettings
	Load     model.Load
	// Margin is what S must have in hand.
	Margin time.Duration
	// WarmUp is how long a new instance needs from the start of its task until it
	// is ready; 0 where nothing is known of it.
	WarmUp time.Duration
}

// deploy is the deploy of the input, or why it cannot be modelled.
func (in Input) deploy() (Deploy, string) {
	g := in.Job.Group(in.Group)
	if g == nil {
		return Deploy{}, fmt.Sprintf("the job has no group %q", in.Group)
	}
	if why := in.unmodelled(); why != "" {
		return Deploy{}, why
	}
	served, terms, err := drain.ServableTime(in.leaving(), in.oldService())
	if err != nil {
		return Deploy{}, cause(err.Error())
	}
	request, err := drain.LongestRequest(in.leaving())
	if err != nil {
		return Deploy{}, cause(err.Error())
	}
	d := Deploy{
		Count: g.Count, Canary: g.Update.Canary, MaxParallel: g.Update.MaxParallel, MinHealthyTime: g.Update.MinHealthyTime,
		CheckInterval: slowest(in.Service.Checks), Blind: len(asked(g, in.Service.Checks)) == 0, Others: in.others(g), Listed: in.listing(), Apart: in.apart(), WarmUp: in.WarmUp,
		Served: served, Drain: declared(terms), Lead: in.lead(), Request: request,
		Proxy: in.proxy(), Window: in.startWindow(g),
	}
	if err := d.Check(); err != nil {
		return Deploy{}, err.Error()
	}
	return d, ""
}

func (in Input) proxy() Proxy {
	s := in.Settings
	p := Proxy{RefreshInterval: max(s.RefreshInterval, in.Load.Took), Throttle: s.Throttle, Load: in.Load.Took, Apply: drain.Apply}
	if s.Watch {
		p.RefreshInterval = 0
	}
	if h := healthCheck(in.Tags.Stable); h != nil {
		p.CheckEvery, p.RecheckEvery = h.Interval, h.UnhealthyInterval
	}
	if r := in.Tags.Stable.Retry; r != nil {
		p.Attempts = r.Attempts
	}
	return p
}

// old is the version whose instances are stopped.
func (in Input) old() *model.Job {
	if in.Old != nil {
		return in.Old
	}
	return in.Job
}

// leaving is an allocation of the old version that was not changed in place.
func (in Input) leaving() model.Allocation {
	return model.Allocation{Group: in.Group, CreateIndex: in.old().ModifyIndex, Job: in.old()}
}

// oldService is the service as the old version has it, which may stand at
// another level or be of another port, or the zero Service where it has none.
func (in Input) oldService() model.Service {
	var out model.Service
	for _, s := range in.old().Group(in.Group).AllServices() {
		switch {
		case s.Name != in.Service.Name:
		case s.PortLabel == in.Service.PortLabel:
			return s
		case out.Name == "":
			out = s
		}
	}
	return out
}

func (in Input) lead() time.Duration {
	if g := in.old().Group(in.Group); g != nil && in.oldService().Task != "" {
		return g.ShutdownDelay
	}
	return 0
}

// window is the arithmetic of the stop side.
func (in Input) window() model.Window {
	read := time.Unix(1, 0)
	return drain.Window(drain.Input{
		Settings: model.Seen(in.Settings, read), Load: model.Seen(in.Load, read),
		Allocation: in.leaving(), Service: in.oldService(), Tags: in.Tags.Stable, Margin: in.Margin,
	})
}

// startWindow is how long the gate watches the start side: gate.MinWindow, or
// two intervals of the slowest check of the group.
func (in Input) startWindow(g *model.Group) time.Duration {
	out := gate.MinWindow
	for _, s := range g.AllServices() {
		out = max(out, 2*slowest(s.Checks))
	}
	return out
}

// slowest is the longest interval of some checks, 0 without any. A check that
// the application reports itself has none.
func slowest(checks []model.Check) time.Duration {
	var out time.Duration
	for _, c := range checks {
		out = max(out, c.Interval, time.Millisecond)
	}
	return out
}

// asked are the checks that Nomad's health waits for, which are those of all
// services of a group.
func asked(g *model.Group, checks []model.Check) []model.Check {
	if g.Update.HealthCheck == "task_states" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(checks), func(c model.Check) bool { return c.OnUpdate == "ignore" })
}

// others is the interval of the slowest check of another service that Nomad's
// health waits for.
func (in Input) others(g *model.Group) time.Duration {
	var out time.Duration
	for _, s := range g.AllServices() {
		if s.Name != in.Service.Name || s.PortLabel != in.Service.PortLabel || s.Task != in.Service.Task {
			out = max(out, slowest(asked(g, s.Checks)))
		}
	}
	return out
}

// listing is when the proxy takes in a new instance.
func (in Input) listing() Listing {
	accepted := in.Settings.StrictChecks
	if len(accepted) == 0 {
		accepted = []string{model.StatusPassing, model.StatusWarning}
	}
	takes := func(status string) bool {
		return slices.ContainsFunc(accepted, func(s string) bool { return strings.EqualFold(s, status) || strings.EqualFold(s, "any") })
	}
	late := func(c model.Check) bool { return !takes(cmp.Or(c.InitialStatus, model.StatusCritical)) }
	switch {
	case len(in.Service.Checks) == 0 || takes(model.StatusCritical):
		return ListedAlways
	case slices.ContainsFunc(in.Service.Checks, late):
		return ListedPassing
	default:
		return ListedFirst
	}
}

// apart reports whether a canary is in no pool that the old instances are in.
func (in Input) apart() bool {
	return !share(in.Tags.Stable, in.Tags.Canary)
}

// share reports whether two readings have a load balancer in common.
func share(a, b model.TagReading) bool {
	return slices.ContainsFunc(a.Services, func(s model.TagService) bool {
		return slices.ContainsFunc(b.Services, func(other model.TagService) bool { return s.Name == other.Name })
	})
}

// declared is the part of S after the stop signal.
func declared(terms []model.Term) time.Duration {
	var d time.Duration
	for _, t := range terms {
		if t.Declared {
			d += t.Value
		}
	}
	return d
}

func healthCheck(r model.TagReading) *model.HealthCheck {
	for _, s := range r.Services {
		if s.HealthCheck != nil {
			return s.HealthCheck
		}
	}
	return nil
}

// cause is a reason without the allocation that there is not yet.
func cause(why string) string { return strings.TrimPrefix(why, "allocation : ") }
