package gate

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// Conditions show everything at once; the reason of the decision is only the
// first of what they show.
func TestConditions(t *testing.T) {
	type status = map[model.ConditionType]model.ConditionStatus
	all := status{model.CanaryHealthy: model.True, model.CatalogPassing: model.True, model.ProxyRouting: model.True, model.DrainSafe: model.True,
		model.TraefikHealth: model.False, model.TraefikRetry: model.False, model.SettingsAgree: model.True, model.WithinDeadline: model.True,
		model.Promoted: model.False, model.OldOutOfRotation: model.False, model.Drained: model.False}
	but := func(other status) status {
		out := maps.Clone(all)
		maps.Copy(out, other)
		return out
	}
	noDelay := oldJob(func(j *model.Job) { j.Groups[0].ShutdownDelay = 0 })
	cases := map[string]struct {
		changes []change
		want    status
	}{
		"ready to be promoted": {nil, all},
		"not healthy, and the drain unsafe as well": {
			[]change{func(s *model.Snapshot) { firstCanary(s).Health = model.HealthUnset }, noDelay},
			but(status{model.CanaryHealthy: model.False, model.DrainSafe: model.False}),
		},
		"a catalog that cannot be read hides what rests on it": {
			[]change{func(s *model.Snapshot) {
				s.Catalog["group0"] = model.Unseen[[]model.Registration](s.Job.At, "no leader")
			}},
			but(status{model.CatalogPassing: model.Unknown, model.ProxyRouting: model.Unknown, model.DrainSafe: model.Unknown,
				model.TraefikHealth: model.Unknown, model.TraefikRetry: model.Unknown}),
		},
		"a proxy that cannot be read hides the routing": {
			[]change{proxy(0, func(p *model.Proxy) { p.Started = model.Unseen[time.Time](p.Started.At, "refused") })},
			but(status{model.ProxyRouting: model.Unknown, model.DrainSafe: model.Unknown}),
		},
		"settings that another source contradicts": {
			[]change{proxy(0, func(p *model.Proxy) {
				p.Settings.Value.Contradictions = []string{"refreshInterval: the process says 15s, the file 2s"}
			})},
			but(status{model.SettingsAgree: model.False}),
		},
		"retry and a health check in the tags of every instance": {
			[]change{func(s *model.Snapshot) {
				for _, p := range s.Proxies.Value {
					for id, r := range p.Tags {
						r.Retry = &model.Retry{Name: "again", Attempts: 4}
						r.Services[0].HealthCheck = &model.HealthCheck{Path: "/readyz", Interval: time.Second}
						p.Tags[id] = r
					}
				}
			}},
			but(status{model.TraefikHealth: model.True, model.TraefikRetry: model.True}),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, _ := run(ready(), 10*time.Second, c.changes...)
			got := status{}
			for _, condition := range d.Conditions {
				got[condition.Type] = condition.Status
				require.NotEmpty(t, condition.Message)
				require.NotEmpty(t, condition.Reason)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// After the promotion: the old instances leave the catalog, then the proxies,
// and in the end they are gone.
func TestConditionsAfterPromotion(t *testing.T) {
	promotedNow := dep(func(d *model.Deployment) { d.Groups[0].Promoted = true })
	leftCatalog := func(s *model.Snapshot) { unregister(s, firstOld(s)) }
	leftProxies := func(s *model.Snapshot) {
		for i := range s.Proxies.Value {
			unlist(s, i, firstOld(s))
		}
	}
	ended := func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientComplete }
	_, m := run(ready(), 6*time.Second)
	steps := []struct {
		what    string
		changes []change
		out     model.ConditionStatus
		drained model.ConditionStatus
		again   bool
	}{
		{"just promoted", []change{promotedNow}, model.False, model.False, true},
		{"out of the catalog", []change{promotedNow, leftCatalog}, model.False, model.False, true},
		{"out of the proxies", []change{promotedNow, leftProxies, leftCatalog}, model.True, model.False, true},
		{"ended", []change{promotedNow, leftProxies, leftCatalog, ended}, model.True, model.True, false},
	}
	now := start.Add(7 * time.Second)
	for _, step := range steps {
		var d model.Decision
		d, m = evaluate(ready(), m, now, step.changes...)
		now = now.Add(time.Second)
		require.Equal(t, ReasonPromoted, d.Reason)
		for _, c := range d.Conditions {
			switch c.Type {
			case model.OldOutOfRotation:
				require.Equal(t, step.out, c.Status, step.what)
			case model.Drained:
				require.Equal(t, step.drained, c.Status, step.what)
			case model.Promoted:
				require.Equal(t, model.True, c.Status, step.what)
			default: // the others are of the time before
			}
		}
		require.Equal(t, step.again, d.RetryAfter > 0, "%s: look again", step.what)
	}
}

// oldRotation is the condition of a decision.
func oldRotation(t *testing.T, d model.Decision) model.Condition {
	t.Helper()
	for _, c := range d.Conditions {
		if c.Type == model.OldOutOfRotation {
			return c
		}
	}
	t.Fatal("the decision has no condition " + model.OldOutOfRotation)
	return model.Condition{}
}

// A proxy that cannot be read in the very pass in which the last old
// allocation has ended is asked again, for a bounded time.
func TestProxiesAreAskedAfterTheEnd(t *testing.T) {
	over := func(s *model.Snapshot) {
		s.Deployment.Value.Groups[0].Promoted = true
		s.Deployment.Value.Status = model.DeploymentSuccessful
		firstOld(s).ClientStatus = model.ClientComplete
		for i := range s.Proxies.Value {
			unlist(s, i, firstOld(s))
		}
		unregister(s, firstOld(s))
	}
	unread := func(s *model.Snapshot) { s.Proxies.Value[1].Routing = model.Unseen[model.Routing](start, "timeout") }
	noSet := func(s *model.Snapshot) { s.Proxies = model.Unseen[[]model.Proxy](start, "no leader") }
	_, before := run(ready(), 6*time.Second)
	ended := start.Add(7 * time.Second)

	for name, blind := range map[string]change{"a proxy is not read": unread, "the set is not read": noSet} {
		t.Run(name+", then it is", func(t *testing.T) {
			d, m := evaluate(ready(), before, ended, over, blind)
			require.Equal(t, model.Unknown, oldRotation(t, d).Status)
			require.Contains(t, oldRotation(t, d).Message, "not known: ")
			require.Equal(t, idle*policy.Poll, d.RetryAfter)
			d, _ = evaluate(ready(), m, ended.Add(time.Minute), over)
			require.Equal(t, model.True, oldRotation(t, d).Status)
			require.Zero(t, d.RetryAfter)
		})
		t.Run(name+" for good", func(t *testing.T) {
			_, m := evaluate(ready(), before, ended, over, blind)
			d, m := evaluate(ready(), m, ended.Add(MaxLookAfter-time.Second), over, blind)
			require.Positive(t, d.RetryAfter)
			require.NotContains(t, oldRotation(t, d).Message, "never seen")
			d, _ = evaluate(ready(), m, ended.Add(MaxLookAfter), over, blind)
			require.Zero(t, d.RetryAfter)
			require.Equal(t, model.Unknown, oldRotation(t, d).Status)
			require.Contains(t, oldRotation(t, d).Message, "never seen that every proxy dropped the old instances, and 5m")
		})
	}
	t.Run("a proxy that still lists one is asked again", func(t *testing.T) {
		listed := func(s *model.Snapshot) {
			s.Deployment.Value.Groups[0].Promoted = true
			firstOld(s).ClientStatus = model.ClientComplete
		}
		d, m := evaluate(ready(), before, ended, listed)
		require.Equal(t, model.False, oldRotation(t, d).Status)
		require.Positive(t, d.RetryAfter)
		d, _ = evaluate(ready(), m, ended.Add(MaxLookAfter), listed)
		require.Zero(t, d.RetryAfter)
		require.Contains(t, oldRotation(t, d).Message, "a proxy still lists an old instance")
	})
	t.Run("a clock that goes backwards begins the time anew", func(t *testing.T) {
		_, m := evaluate(ready(), before, ended.Add(time.Hour), over, unread)
		d, m := evaluate(ready(), m, ended, over, unread)
		require.Positive(t, d.RetryAfter)
		d, _ = evaluate(ready(), m, ended.Add(MaxLookAfter), over, unread)
		require.Zero(t, d.RetryAfter)
	})
}
