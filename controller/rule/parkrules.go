package rule

import (
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// parkRules are about requests that wait while a service that cannot overlap is
// replaced, and about the copies of its data.
func parkRules() []Rule {
	return []Rule{parkRefused(), parkWithoutNotice(), parkNotInForce(), parkNotKnown(), replicatorStopsEarly(), replicatorOverlaps()}
}

// parkedPlace is a routed service whose requests are to be parked.
type parkedPlace struct {
	place
	longest time.Duration
	// meta is the entry that asks for it.
	meta model.Path
}

// eachParked applies a finder to each service that is reached through a proxy and
// whose group asks for a park.
func eachParked(find func(Input, parkedPlace) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		var out []Finding
		for _, p := range served(in) {
			longest, parked, _ := park.Longest(in.Job, p.group.Name)
			if parked {
				out = append(out, find(in, parkedPlace{p, longest, metaPlace(p.group, metaPark)})...)
			}
		}
		return out
	}
}

// metaPlace is where the group gets the key from.
func metaPlace(g *model.Group, key string) model.Path {
	if _, own := g.Meta[key]; own {
		return model.GroupPath(g.Name).Meta(key)
	}
	return model.JobPath.Meta(key)
}

func (p parkedPlace) fit(in Input) park.Fitness {
	return park.Fit(in.Job, levelled(p.place), p.longest, []park.View{{Settings: in.Settings, Tags: p.tags.Stable}})
}

func parkRefused() Rule {
	return Rule{
		ID: "DG701", Name: "park-refused", Severity: Error,
		Summary: "Requests are to be parked, and something in the job or in Traefik's settings does not let them wait.",
		Why: "A placeholder with the service's own tags stands in Traefik's pool while there is no instance. Some settings make Traefik take it out, ask it what it cannot answer, or end a request that waits: " +
			"a health check on a port of its own, a passive one, a circuitBreaker or inFlightReq on the router, a responseHeaderTimeout, writeTimeout or readTimeout (a body is not read before the release) that is not above draingate_park " +
			"(Traefik v3.6.12, pkg/healthcheck/healthcheck.go, pkg/server/service/transport.go, pkg/server/server_entrypoint_tcp.go). draingate then parks nothing, and the deploy is an outage.",
		Find: eachParked(findParkRefused),
	}
}

func findParkRefused(in Input, p parkedPlace) []Finding {
	var out []Finding
	for _, r := range p.fit(in).Refusals {
		f := Finding{Path: p.where(in, r), Message: fmt.Sprintf("%s = %q and no request will be parked (%s): %s", metaPark, figure(p.longest), r.Reason, inline(r.Message))}
		switch {
		case r.Reason == park.ReasonTagsUnknown || r.Reason == park.ReasonNotRouted:
			continue // The rules about tags say so.
		case r.Setting != "" && in.Assumed:
			f.Severity = Unknown
			f.Message += assumed(in)
		}
		out = append(out, f)
	}
	return out
}

// where is the place of what a finding is about.
func (p parkedPlace) where(in Input, f park.Finding) model.Path {
	switch {
	case f.Attribute != "":
		return p.path.Child(f.Attribute)
	case f.Tag != "":
		return in.sides(p.place)[0].under(f.Tag)
	default:
		return p.meta
	}
}

// under is the path of the first tag with the key below the prefix, or with one that
// goes on after it; the list where there is none.
func (s side) under(key string) model.Path {
	want := strings.ToLower(s.in.Settings.Prefix + "." + key)
	for i, tag := range s.list {
		written, _, ok := strings.Cut(strings.ToLower(tag), "=")
		if ok && (written == want || strings.HasPrefix(written, want+".")) {
			return s.at(i)
		}
	}
	return s.all()
}

func parkNotKnown() Rule {
	return Rule{
		ID: "DG704", Name: "park-not-known", Severity: Unknown,
		Summary: "Whether requests can wait depends on something that cannot be seen.",
		Why: "A serversTransport and the middlewares of other providers are in no job and not in Traefik's static settings; a responseHeaderTimeout or an inFlightReq there ends requests that wait " +
			"(Traefik v3.6.12, pkg/config/dynamic/http_config.go). draingate looks at what a running Traefik says of its middlewares, and at a transport nobody can look from outside.",
		Find: eachParked(findParkNotKnown),
	}
}

func findParkNotKnown(in Input, p parkedPlace) []Finding {
	var out []Finding
	for _, u := range p.fit(in).Unread {
		if u.Reason != park.ReasonNoticeUnknown { // DG501 says so.
			out = append(out, found(p.where(in, u), inline(u.Message), "")...)
		}
	}
	return out
}

func parkWithoutNotice() Rule {
	return Rule{
		ID: "DG702", Name: "park-without-notice", Severity: Warning,
		Summary: "The last instance leaves the catalog before Traefik has the placeholder.",
		Why: "What gives a park its advance notice is that a task-level service stays in the catalog for the whole shutdown_delay of its group, while a group-level one leaves it at once " +
			"(Nomad v1.11.3, client/allocrunner/group_service_hook.go, taskrunner/service_hook.go). Without notice, or with less than the time to see the stop, to register and to be routed to (T), " +
			"a refresh of Traefik can see neither the instance nor the placeholder: 404 until the next one. After that the task's shutdown_delay covers those that still ask the old instance (DG101). " +
			"Measured with 6s at both levels and T = 4.5s: 4,000 of 4,000 answered; without a park 75.9 %.",
		Fixes: "sets the group's shutdown_delay to the smallest that is long enough, where the service stands in its task",
		Find:  eachParked(findParkWithoutNotice),
	}
}

func findParkWithoutNotice(in Input, p parkedPlace) []Finding {
	if drain.NotPredictable(in.Settings) != "" || p.service.Provider != model.ProviderConsul || p.service.Connect {
		return nil // DG501 and DG701 say so.
	}
	a := park.Foresee(in.Settings, in.Load, *p.group, levelled(p.place), in.Margin)
	if a.Reason == "" {
		return nil
	}
	at := model.GroupPath(p.group.Name).Child("shutdown_delay")
	f := Finding{Path: at, Message: fmt.Sprintf("%s (%s)%s", a.Message, sumOf(a.Terms), assumed(in))}
	if a.Reason == park.ReasonNoNotice {
		f.Path = p.path
		return []Finding{f.notFixed("a service is not moved into a task without asking")}
	}
	return []Finding{f.fixed(at, a.Delay)}
}

func parkNotInForce() Rule {
	return Rule{
		ID: "DG703", Name: "park-not-in-force", Severity: Warning,
		Summary: "A park is asked for that will not be there.",
		Why: "draingate parks for jobs that it may act on, up to ten minutes a request, and begins when every passing instance of a service was told to stop. " +
			"With draingate_mode = \"observe\" or \"off\" it watches, or does not even that; with canaries, or while other instances of a rolling update serve, no deploy comes to that, though a node drain of the only node still may.",
		Find: eachGroup(findParkNotInForce),
	}
}

func findParkNotInForce(g placedGroup) []Finding {
	text, there := g.in.Job.MetaFor(g.group.Name, metaPark)
	_, parked, err := park.Longest(g.in.Job, g.group.Name)
	f := Finding{Path: metaPlace(g.group, metaPark)}
	u, mode := g.group.Update, ""
	if m, ok := g.in.Job.MetaFor(g.group.Name, metaMode); ok {
		mode = m
	}
	switch {
	case !there || len(g.routed) == 0:
		return nil
	case err != nil:
		if d, bad := time.ParseDuration(text); bad != nil || d < 0 {
			return nil // DG305 says so.
		}
		f.Message = fmt.Sprintf("%s; no request is parked", err)
		f.Remedy = assign(metaPark, park.MaxWait)
	case !parked:
		return nil
	case mode == string(model.ModeObserve) || mode == string(model.ModeOff):
		f.Message = fmt.Sprintf("%s = %q and %s = %q: nothing is parked for a job that is not to be acted on", metaPark, text, metaMode, mode)
		f.Remedy = fmt.Sprintf("%s = %q", metaMode, model.ModeEnforce)
	case g.canaried():
		f.Severity = Notice
		f.Message = fmt.Sprintf("group %q has canary = %d: a new version starts beside the old one, so no deploy has anything to park for; a service that cannot overlap has canary = 0", g.group.Name, u.Canary)
	case u.MaxParallel > 0 && u.MaxParallel < g.group.Count:
		f.Severity = Notice
		f.Message = fmt.Sprintf("group %q replaces %d of %d instances at a time: a park begins only when all that pass were told to stop, so no deploy has anything to park for", g.group.Name, u.MaxParallel, g.group.Count)
	default:
		return nil
	}
	return []Finding{f}
}
