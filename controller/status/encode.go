package status

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// EncodeDeployment turns a record into what the list shows of it. Dates are by
// the clock of the last observation, so that they do not lie in its future
// where the clock was set back since.
func EncodeDeployment(r model.Record) Deployment {
	d := r.Decision
	return Deployment{
		ID:         r.Key.Deployment,
		Namespace:  r.Key.Namespace,
		Job:        r.JobID,
		JobVersion: r.JobVersion,
		Status:     r.Status,
		Mode:       string(d.Mode),
		Decision:   string(d.Verb),
		Reason:     string(d.Reason),
		Message:    scrub(d.Message),
		Since:      model.OnClock(r.Observed, r.Since).UTC(),
		Observed:   r.Observed.UTC(),
		DryRun:     r.DryRun,
		Problem:    scrub(r.Problem),
		PromotedAt: utc(model.OnClock(r.Observed, r.PromotedAt)),
		Groups:     each(r.Groups, encodeGroup),
		Conditions: each(d.Conditions, func(c model.Condition) Condition { return encodeCondition(c, r.Observed) }),
	}
}

// EncodeDetail turns a record into what is shown of it alone.
func EncodeDetail(r model.Record) Detail {
	return Detail{Deployment: EncodeDeployment(r), Windows: each(r.Decision.Windows, encodeWindow)}
}

// EncodeProxies turns a known proxy set into what is shown of it, sorted by
// name and URL.
func EncodeProxies(set model.Fact[[]model.Proxy]) []Proxy {
	out := each(set.Value, encodeProxy)
	for i := range out {
		out[i].Observed = set.At.UTC()
	}
	slices.SortStableFunc(out, func(a, b Proxy) int {
		return strings.Compare(a.Name+" "+a.URL, b.Name+" "+b.URL)
	})
	return out
}

func encodeGroup(g model.DeploymentGroup) Group {
	return Group{
		Name:            g.Name,
		Promoted:        g.Promoted,
		DesiredTotal:    g.DesiredTotal,
		DesiredCanaries: g.DesiredCanaries,
		PlacedCanaries:  each(g.PlacedCanaries, func(id string) string { return id }),
		PlacedAllocs:    g.PlacedAllocs,
		HealthyAllocs:   g.HealthyAllocs,
		UnhealthyAllocs: g.UnhealthyAllocs,
	}
}

func encodeCondition(c model.Condition, now time.Time) Condition {
	return Condition{
		Type:    string(c.Type),
		Status:  string(c.Status),
		Reason:  string(c.Reason),
		Message: scrub(c.Message),
		Since:   model.OnClock(now, c.Since).UTC(),
	}
}

func encodeWindow(w model.Window) Window {
	return Window{
		Proxy:          w.Proxy,
		Group:          w.Group,
		Service:        w.Service,
		Allocation:     w.Allocation,
		Servable:       encodeSum(w.S, w.STerms, w.Verdict),
		StopRouting:    encodeSum(w.T, w.TTerms, w.Verdict),
		LongestRequest: encodeDuration(w.L),
		Margin:         encodeDuration(w.Margin),
		Verdict:        string(w.Verdict),
		Why:            scrub(w.Why),
		Cure:           encodeCure(w.Cure),
	}
}

func encodeCure(c model.Cure) *Cure {
	if c.Level == "" {
		return nil
	}
	return &Cure{Level: c.Level, ShutdownDelay: encodeDuration(c.Delay)}
}

// encodeSum returns nil for a sum that nothing is known of: a zero there would
// read as a figure.
func encodeSum(total time.Duration, terms []model.Term, v model.Verdict) *Sum {
	if v == model.VerdictUnknown && total == 0 && len(terms) == 0 {
		return nil
	}
	return &Sum{Duration: encodeDuration(total), Terms: each(terms, encodeTerm)}
}

func encodeTerm(t model.Term) Term {
	return Term{Name: t.Name, Duration: encodeDuration(t.Value), Source: scrub(t.Source), Declared: t.Declared}
}

// encodeDuration rounds to the millisecond, finer than anything measured here.
func encodeDuration(d time.Duration) Duration {
	d = d.Round(time.Millisecond)
	return Duration{Seconds: d.Seconds(), Text: d.String()}
}

func encodeProxy(p model.Proxy) Proxy {
	out := Proxy{
		Name:       p.Name,
		URL:        scrub(p.URL),
		Allocation: p.AllocID,
		Version:    p.Version,
		Problem:    scrub(proxyProblem(p)),
	}
	if p.Started.Known() {
		out.Started = utc(p.Started.Value)
	}
	if p.Settings.Known() {
		out.Settings = encodeSettings(p.Settings.Value)
	}
	if p.Routing.Known() {
		routers, services := len(p.Routing.Value.Routers), len(p.Routing.Value.Services)
		out.Routers, out.Services = &routers, &services
	}
	return out
}

func encodeSettings(s model.ProxySettings) *Settings {
	return &Settings{
		Source:           scrub(s.Source),
		Contradictions:   each(s.Contradictions, scrub),
		ConsulCatalog:    s.ConsulCatalog,
		RefreshInterval:  encodeDuration(s.RefreshInterval),
		Throttle:         encodeDuration(s.Throttle),
		Watch:            s.Watch,
		Stale:            s.Stale,
		Cache:            s.Cache,
		StrictChecks:     each(s.StrictChecks, scrub),
		ExposedByDefault: s.ExposedByDefault,
		Prefix:           s.Prefix,
		Constraints:      s.Constraints,
	}
}

// proxyProblem joins what keeps a proxy from being known. A reason that stands
// for several things is said once, after their names.
func proxyProblem(p model.Proxy) string {
	whats := []string{"identity", "start date", "settings", "routing"}
	whys := []string{p.Ambiguous, unread(p.Started), unread(p.Settings), unread(p.Routing)}
	var out []string
	for i, why := range whys {
		if why == "" || slices.Contains(whys[:i], why) {
			continue
		}
		var names []string
		for j, other := range whys {
			if other == why {
				names = append(names, whats[j])
			}
		}
		out = append(out, strings.Join(names, ", ")+": "+why)
	}
	return strings.Join(out, "; ")
}

func unread[T any](f model.Fact[T]) string {
	if f.Err == "" && f.At.IsZero() {
		return "not read yet"
	}
	return f.Err
}

// userinfo matches the credentials of a URL anywhere in a text.
var userinfo = regexp.MustCompile(`(://)[^/?#\s"'<>]*@`)

// scrub removes the credentials of every URL in the text.
func scrub(text string) string { return userinfo.ReplaceAllString(text, "$1") }

// utc keeps a zero time zero, so that it is left out.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// each maps a slice and never returns nil, so that JSON has [] and not null.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, a := range in {
		out = append(out, f(a))
	}
	return out
}
