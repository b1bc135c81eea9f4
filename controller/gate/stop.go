package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

func drainUnknown(v *view) string {
	w := v.worst(model.VerdictUnknown)
	if w == nil {
		return ""
	}
	return fmt.Sprintf("how long old allocation %s must go on serving behind proxy %s cannot be predicted: %s", v.called(w.Allocation, w.Group), w.Proxy, w.Why)
}

func drainMasked(v *view) string {
	w := v.worst(model.VerdictMasked)
	if w == nil {
		return ""
	}
	return v.shortfall(w) + " " + strings.TrimSpace(w.Why[strings.Index(w.Why, ";")+1:]) + ", which is not enough to promise that none is lost"
}

func drainUnsafe(v *view) string {
	w := v.worst(model.VerdictUnsafe)
	if w == nil {
		return ""
	}
	return v.shortfall(w)
}

// worst is the window with this verdict that misses the most, or nil.
func (v *view) worst(verdict model.Verdict) *model.Window {
	var out *model.Window
	for i, w := range v.windows {
		if w.Verdict == verdict && (out == nil || drain.Missing(w) > drain.Missing(*out)) {
			out = &v.windows[i]
		}
	}
	return out
}

// shortfall says what S and T are and the smallest change that would do.
func (v *view) shortfall(w *model.Window) string {
	message := fmt.Sprintf("old allocation %s serves S = %s after service %q leaves the catalog (%s), but proxy %s may route to it for T = %s (%s); S must be at least T + L %s + margin %s = %s.",
		v.called(w.Allocation, w.Group), text(w.S), w.Service, terms(w.STerms), w.Proxy, text(w.T), terms(w.TTerms), text(w.L), text(w.Margin), text(w.T+w.L+w.Margin))
	if a, svc := v.old(w); a != nil {
		delay, level := drain.Cure(*w, *a, svc)
		level = v.within(level, a.Group)
		message += fmt.Sprintf(" Cure: %ssubmit the running version with %s shutdown_delay = %q and nothing else changed (Nomad changes running allocations in place), then this version again with the same delay.", v.takeOut(w), level, text(delay))
	}
	return message
}

// within names the group of a level of the cure where the job has several.
func (v *view) within(level, group string) string {
	switch {
	case len(v.Snapshot.Job.Value.Groups) < 2:
		return level
	case level == "group":
		return fmt.Sprintf("group %q", group)
	default:
		return fmt.Sprintf("%s of group %q", level, group)
	}
}

// takeOut is what must be done first where canaries already take traffic and
// would lose as much as the old instances when a newer submission stops them.
func (v *view) takeOut(w *model.Window) string {
	ids := v.stranded()
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf("the canaries are routed and serve no longer than that either, so first take them out (on their node: consul maint -enable -service=%s) and wait %s; then ", strings.Join(ids, ", -service="), text(w.T+w.L))
}

// stranded are the service IDs of canaries that a proxy routes to and that
// would be stopped before it stops doing so.
func (v *view) stranded() []string {
	var out []string
	for _, g := range v.groups {
		for _, p := range g.pools {
			for _, a := range g.canaries {
				out = append(out, v.strandedAt(p, a)...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v *view) strandedAt(p pool, a model.Allocation) []string {
	if len(p.services) == 0 || v.unlisted(p, a) != "" {
		return nil
	}
	var out []string
	for _, w := range v.allocWindows(p.proxy, a) {
		if r := v.registration(a, w.Service); r != nil && w.Verdict != model.VerdictSafe {
			out = append(out, r.ServiceID)
		}
	}
	return out
}

func (v *view) old(w *model.Window) (*model.Allocation, model.Service) {
	a := v.Snapshot.Allocation(w.Allocation)
	if a == nil {
		return nil, model.Service{}
	}
	for _, s := range a.Job.Group(a.Group).AllServices() {
		if s.Name == w.Service {
			return a, s
		}
	}
	return nil, model.Service{}
}

// terms prints what adds up, leaving out what is zero.
func terms(list []model.Term) string {
	var out []string
	for _, t := range list {
		if t.Value == 0 {
			continue
		}
		part := t.Name + " " + text(t.Value)
		if t.Declared {
			part += " (declared)"
		}
		out = append(out, part)
	}
	if len(out) == 0 {
		return "no delay, no drain"
	}
	return strings.Join(out, " + ")
}

// text prints a duration to the millisecond, without the trailing zero units
// of package time ("1m0s").
func text(d time.Duration) string {
	s := d.Round(time.Millisecond).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func promoteMessage(v *view) string {
	canaries := 0
	for _, g := range v.groups {
		canaries += len(g.canaries)
	}
	return fmt.Sprintf("%s healthy, passing and routed by %s for %s; %s",
		plural(canaries, "canary", "canaries"), plural(len(v.Snapshot.Proxies.Value), "proxy", "proxies"), text(v.window()), v.margin()) + v.notGated()
}

// notGated names the groups that a promotion has no bearing on.
func (v *view) notGated() string {
	names := v.ungated()
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; without canaries, and replaced by Nomad without asking: group %s", strings.Join(names, ", "))
}

// margin says how much the tightest window has in hand.
func (v *view) margin() string {
	tightest := v.tightest()
	if tightest == nil {
		return "no old instance is routed"
	}
	return fmt.Sprintf("S = %s ≥ T = %s + L %s + margin %s at proxy %s", text(tightest.S), text(tightest.T), text(tightest.L), text(tightest.Margin), tightest.Proxy)
}

func (v *view) tightest() *model.Window {
	var out *model.Window
	for i, w := range v.windows {
		if out == nil || drain.Missing(w) > drain.Missing(*out) {
			out = &v.windows[i]
		}
	}
	return out
}
