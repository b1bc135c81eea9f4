package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// The reasons that only conditions have.
const (
	// ReasonAsExpected: nothing speaks against it.
	ReasonAsExpected model.Reason = "AsExpected"
	// ReasonAbsent: the tags do not ask for it.
	ReasonAbsent model.Reason = "Absent"
	// ReasonPending: it has not come to that yet.
	ReasonPending model.Reason = "Pending"
)

// conditions are all conditions of the deployment, in a fixed order.
func conditions(v *view) []model.Condition {
	chained := slices.Concat(settled, blind, startSide, fenceSide, stopSide)
	out := []model.Condition{
		v.condition(model.CanaryHealthy, chained, "every canary is running and healthy for Nomad"),
		v.condition(model.CatalogPassing, chained, "every canary is passing in Consul's catalog"),
		v.condition(model.ProxyRouting, chained, "every proxy lists every canary in the production pool"),
		v.condition(model.DrainSafe, chained, v.margin()),
		traefikCondition(v, model.TraefikHealth, healthText),
		traefikCondition(v, model.TraefikRetry, retryText),
		settingsAgree(v),
		withinDeadline(v),
		promotedCondition(v),
		v.oldOutOfRotation(),
		v.afterPromotion(model.Drained, drained(v), "every old allocation has ended", plural(len(v.leaving()), "old allocation is", "old allocations are")+" still ending"),
	}
	if v.Policy.Fence == "" {
		return out
	}
	at := slices.IndexFunc(out, func(c model.Condition) bool { return c.Type == model.Promoted })
	return slices.Insert(out, at, v.fenced(chained))
}

// condition is True unless a step of the chain that bears on it finds
// something; a fact that is missing makes it Unknown.
func (v *view) condition(t model.ConditionType, steps []step, good string) model.Condition {
	for _, s := range steps {
		if !slices.Contains(s.of, t) {
			continue
		}
		if message := s.find(v); message != "" {
			return model.Condition{Type: t, Status: s.status, Reason: s.reason, Message: message}
		}
	}
	if len(v.groups) == 0 {
		return model.Condition{Type: t, Status: model.Unknown, Reason: ReasonNoCanaries, Message: "no canaries await promotion"}
	}
	return model.Condition{Type: t, Status: model.True, Reason: ReasonAsExpected, Message: good}
}

// traefikCondition is True where every routed old instance and canary has the
// thing in its tags; it never makes a deployment safe.
func traefikCondition(v *view, t model.ConditionType, describe func(model.TagReading) string) model.Condition {
	out := model.Condition{Type: t, Status: model.Unknown, Reason: ReasonAsExpected, Message: "no routed instance is known"}
	found := map[string]bool{}
	for i := range v.Snapshot.Proxies.Value {
		p := &v.Snapshot.Proxies.Value[i]
		for _, g := range v.groups {
			v.eachRegistration(slices.Concat(g.olds, g.canaries), func(r model.Registration) {
				if reading, ok := p.Tags[r.ServiceID]; ok && reading.Exposed {
					found[describe(reading)] = true
				}
			})
		}
	}
	if len(found) == 0 {
		return out
	}
	texts := slices.Sorted(maps.Keys(found))
	out.Status, out.Message = model.True, strings.Join(texts, "; ")
	if found[noneText] {
		out.Status, out.Reason = model.False, ReasonAbsent
	}
	return out
}

const noneText = "none in the tags"

func healthText(r model.TagReading) string {
	for _, s := range r.Services {
		if h := s.HealthCheck; h != nil {
			return fmt.Sprintf("health check %s every %s, timeout %s: shown only, since each reload of any service marks every server UP until the next check", h.Path, h.Interval, h.Timeout)
		}
	}
	return noneText
}

func retryText(r model.TagReading) string {
	if r.Retry == nil {
		return noneText
	}
	return fmt.Sprintf("retry %s with %d attempts: shown only, since a request that was already written is not tried again", r.Retry.Name, r.Retry.Attempts)
}

func settingsAgree(v *view) model.Condition {
	out := model.Condition{Type: model.SettingsAgree, Status: model.Unknown, Reason: ReasonSettingsUnknown, Message: "no settings are known"}
	var differ []string
	for _, p := range v.Snapshot.Proxies.Value {
		if !p.Settings.Known() {
			continue
		}
		out.Status, out.Reason, out.Message = model.True, ReasonAsExpected, "no source contradicts what is used"
		for _, c := range p.Settings.Value.Contradictions {
			differ = append(differ, p.Name+": "+c)
		}
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		out.Status, out.Reason, out.Message = model.False, ReasonContradiction, strings.Join(differ, "; ")
	}
	return out
}

// afterPromotion is a condition that can only become True once the deployment
// is promoted.
func (v *view) afterPromotion(t model.ConditionType, status model.ConditionStatus, done, pending string) model.Condition {
	out := model.Condition{Type: t, Status: status, Reason: ReasonPending, Message: pending}
	d := v.Snapshot.Deployment
	switch {
	case status == model.True:
		out.Reason, out.Message = ReasonAsExpected, done
	case status == model.Unknown:
		out.Message = "not known"
	case d.Known() && !d.Value.Promoted():
		out.Message = "the deployment is not promoted"
	}
	return out
}

// oldOutOfRotation says, once nobody looks any more, that it was never seen.
func (v *view) oldOutOfRotation() model.Condition {
	out := v.afterPromotion(model.OldOutOfRotation, outOfRotation(v), "no proxy lists an old instance", "a proxy still lists an old instance")
	if out.Status == model.Unknown {
		if why := cmp.Or(proxySetUnknown(v), proxyUnknown(v)); why != "" {
			out.Message += ": " + why
		}
	}
	if out.Status != model.True && drained(v) == model.True && v.lookedLongEnough() {
		out.Message = fmt.Sprintf("it was never seen that every proxy dropped the old instances, and %s after the last of them had ended nobody looks any more: %s", text(MaxLookAfter), out.Message)
	}
	return out
}

func promotedCondition(v *view) model.Condition {
	out := model.Condition{Type: model.Promoted, Status: model.False, Reason: ReasonPending, Message: "not promoted"}
	switch d := v.Snapshot.Deployment; {
	case !d.Known():
		out.Status, out.Reason, out.Message = model.Unknown, ReasonNomadUnknown, d.Err
	case d.Value.Promoted():
		out.Status, out.Reason, out.Message = model.True, ReasonAsExpected, "every group with canaries is promoted"
	}
	return out
}

// Accepted is what a Promote becomes at the moment in which Nomad has accepted
// it: what the next look will find, unless Nomad has ended the deployment by then.
func Accepted(d model.Decision) model.Decision {
	d.Conditions = slices.Clone(d.Conditions)
	for i, c := range d.Conditions {
		if c.Type == model.Promoted {
			d.Conditions[i].Status, d.Conditions[i].Reason, d.Conditions[i].Message = model.True, ReasonAsExpected, "Nomad accepted the promotion"
		}
	}
	d.Verb, d.Reason, d.Message = model.None, ReasonPromoted, "Nomad accepted the promotion; its old allocations are being stopped"
	d.Groups, d.ReadyAt = nil, time.Time{}
	return d
}

// leaving are the old allocations of a promoted deployment that have not ended.
func (v *view) leaving() []model.Allocation {
	d := v.Snapshot.Deployment.Value
	var out []model.Allocation
	for _, a := range v.Snapshot.Allocations.Value {
		old := a.DeploymentID != d.ID || a.ChangedInPlace() && a.DesiredStatus != model.DesiredRun
		if old && !a.ClientTerminal() && !placed(d, a.ID) && gated(d, a.Group) {
			out = append(out, a)
		}
	}
	return out
}

func placed(d model.Deployment, alloc string) bool {
	return slices.ContainsFunc(d.Groups, func(g model.DeploymentGroup) bool { return slices.Contains(g.PlacedCanaries, alloc) })
}

func gated(d model.Deployment, name string) bool {
	return slices.ContainsFunc(d.Groups, func(g model.DeploymentGroup) bool { return g.Name == name && g.DesiredCanaries > 0 })
}

func drained(v *view) model.ConditionStatus {
	switch d := v.Snapshot.Deployment; {
	case !d.Known() || !v.Snapshot.Allocations.Known():
		return model.Unknown
	case !d.Value.Promoted() || len(v.leaving()) > 0:
		return model.False
	default:
		return model.True
	}
}

// outOfRotation is True once no proxy lists an address of an old instance of a
// promoted deployment. The addresses are remembered from before the promotion;
// without that memory only the end of the old allocations tells.
func outOfRotation(v *view) model.ConditionStatus {
	d := v.Snapshot.Deployment
	switch {
	case !d.Known() || !v.Snapshot.Allocations.Known():
		return model.Unknown
	case !d.Value.Promoted():
		return model.False
	case proxySetUnknown(v) != "" || proxyUnknown(v) != "":
		return model.Unknown
	case v.oldListed():
		return model.False
	case len(v.memory.OldAddresses) == 0 && len(v.leaving()) > 0:
		return model.Unknown
	default:
		return model.True
	}
}

func (v *view) oldListed() bool {
	old := map[string]bool{}
	for _, hp := range v.memory.OldAddresses {
		old[hp] = true
	}
	for _, p := range v.Snapshot.Proxies.Value {
		if slices.ContainsFunc(p.Routing.Value.Services, func(s model.ProxyService) bool { return lists(s, old) }) {
			return true
		}
	}
	return false
}
