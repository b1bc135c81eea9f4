package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
)

// failing asks for a Fail after ten minutes.
func failing10m(j *model.Job) {
	j.Meta[MetaHoldDeadline], j.Meta[MetaOnDeadline] = "10m", model.OnDeadlineFail
}

// refused keeps the canary out of the pools, as a mistyped tag does.
func refused(s *model.Snapshot) {
	for i := range s.Proxies.Value {
		unlist(s, i, firstCanary(s))
		id := registrationOf(s, firstCanary(s)).ServiceID
		s.Proxies.Value[i].Tags[id] = model.TagReading{Err: "unknown key"}
	}
}

// afterTenMinutes is the decision at the end of a hold of which only the first
// passes are evaluated.
func afterTenMinutes(w world, changes ...change) (model.Decision, Memory) {
	changes = append([]change{newJob(failing10m)}, changes...)
	_, m := run(w, 10*time.Second, changes...)
	return rerun(w, m, start.Add(10*time.Minute), 0, changes...)
}

func condition(d model.Decision, t model.ConditionType) model.Condition {
	for _, c := range d.Conditions {
		if c.Type == t {
			return c
		}
	}
	return model.Condition{}
}

func TestAHoldBeyondItsDeadlineFailsOnlyWhereNothingIsLost(t *testing.T) {
	noDelay := func(j *model.Job) { j.Groups[0].ShutdownDelay = 0 }
	cases := map[string]struct {
		changes []change
		verb    model.Verb
		reason  model.Reason
		late    string
	}{
		"the old group is healthy and the canaries can leave": {
			changes: []change{refused}, verb: model.Fail, reason: ReasonHoldDeadlinePassed,
		},
		"hold is the cautious choice": {
			changes: []change{refused, newJob(func(j *model.Job) { j.Meta[MetaOnDeadline] = model.OnDeadlineHold })},
			verb:    model.Hold, reason: ReasonTagsRefused, late: "on_deadline = hold",
		},
		"one group that says hold is enough": {
			changes: []change{refused, newJob(func(j *model.Job) {
				j.Groups = append(j.Groups, model.Group{Name: "other", Meta: map[string]string{MetaOnDeadline: model.OnDeadlineHold}})
			})},
			verb: model.Hold, reason: ReasonTagsRefused, late: "on_deadline = hold",
		},
		"a freeze is waited for": {
			changes: []change{refused, override("web", "freeze", "audit")},
			verb:    model.Hold, reason: ReasonFrozen, late: "a person that says to hold",
		},
		"a pause is waited for": {
			changes: []change{refused, dep(func(d *model.Deployment) { d.Status = model.DeploymentPaused })},
			verb:    model.Hold, reason: ReasonDeploymentPaused, late: "a person that says to hold",
		},
		"a proxy that cannot be seen may route to the canary alone": {
			changes: []change{refused, proxy(0, func(p *model.Proxy) { p.Routing = model.Unseen[model.Routing](start, "refused") })},
			verb:    model.Hold, reason: ReasonProxyUnknown, late: "not failed, since that may drop requests: ",
		},
		"an old instance that does not run": {
			changes: []change{refused, func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientUnknown }},
			verb:    model.Hold, reason: ReasonSetNotPredictable, late: "0 of 1 old allocations running",
		},
		"an old instance that is being moved": {
			changes: []change{refused, func(s *model.Snapshot) { firstOld(s).Migrating = true }},
			verb:    model.Hold, reason: ReasonSetNotPredictable, late: "0 of 1 old allocations running",
		},
		"more instances are wanted than there are old ones": {
			changes: []change{refused, dep(func(d *model.Deployment) { d.Groups[0].DesiredTotal = 2 })},
			verb:    model.Hold, reason: ReasonTagsRefused, late: "1 of 2 old allocations running",
		},
		"an old instance that is critical": {
			changes: []change{refused, func(s *model.Snapshot) { registrationOf(s, firstOld(s)).Status = "critical" }},
			verb:    model.Hold, reason: ReasonTagsRefused, late: "is critical in Consul",
		},
		"an old instance that one proxy does not list": {
			changes: []change{refused, func(s *model.Snapshot) { unlist(s, 1, firstOld(s)) }},
			verb:    model.Hold, reason: ReasonOldNotListed, late: "lists no old instance",
		},
		"an old instance that is not registered": {
			changes: []change{refused, func(s *model.Snapshot) { unregister(s, firstOld(s)) }},
			verb:    model.Hold, reason: ReasonOldNotRegistered, late: "not in Consul's catalog",
		},
		"no proxy that is known routes to it, so others may": {
			changes: []change{func(s *model.Snapshot) {
				for i := range s.Proxies.Value {
					s.Proxies.Value[i].Routing.Value = model.Routing{}
					for id := range s.Proxies.Value[i].Tags {
						s.Proxies.Value[i].Tags[id] = model.TagReading{Excluded: "another prefix"}
					}
				}
			}, func(s *model.Snapshot) { noDelay(firstCanary(s).Job) }},
			verb: model.Hold, reason: ReasonNotRouted, late: "it is not known what does",
		},
		"a canary that would leave too soon, listed or not": {
			changes: []change{refused, func(s *model.Snapshot) { noDelay(firstCanary(s).Job) }},
			verb:    model.Hold, reason: ReasonTagsRefused, late: "would be stopped at once and serves S = 0s",
		},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			d, _ := afterTenMinutes(ready(), tt.changes...)
			require.Equal(t, tt.verb, d.Verb, d.Message)
			require.Equal(t, tt.reason, d.Reason, d.Message)
			within := condition(d, model.WithinDeadline)
			if tt.verb == model.Fail {
				require.True(t, Acts(d))
				require.Contains(t, d.Message, "TagsRefused")
				require.Contains(t, d.Message, "old group is proven healthy")
				return
			}
			require.False(t, Acts(d))
			require.Equal(t, model.False, within.Status)
			require.Equal(t, ReasonHoldDeadlinePassed, within.Reason)
			require.Contains(t, within.Message, tt.late)
		})
	}
}

// A deployment that has changed another group already is not failed: that group
// would be left between two versions.
func TestADeploymentThatChangedAnotherGroupIsNotFailed(t *testing.T) {
	cases := map[string]struct {
		change change
		verb   model.Verb
		late   string
	}{
		"a group that is changed in place can stay": {inPlace, model.Fail, ""},
		"a group that Nomad replaces as it goes":    {rolling, model.Hold, "replaces a group without canaries in the same deployment: group1"},
		"a group that a person promoted on its own": {dep(func(d *model.Deployment) { d.Groups[1].Promoted = true }), model.Hold, `group "group1" of the deployment is promoted already`},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			d, _ := afterTenMinutes(twoGroups(), refused, tt.change)
			require.Equal(t, tt.verb, d.Verb, d.Message)
			require.Contains(t, condition(d, model.WithinDeadline).Message, tt.late)
		})
	}
}

func TestOneOldInstanceOfSeveralThatIsNotListedKeepsFromFailing(t *testing.T) {
	w := ready()
	w.olds = 2
	d, _ := afterTenMinutes(w, refused, func(s *model.Snapshot) { unlist(s, 0, firstOld(s)) })
	require.Equal(t, model.Hold, d.Verb, d.Message)
	require.Contains(t, condition(d, model.WithinDeadline).Message, "does not list old allocation")
}

func TestTheDeadlineRunsFromTheMomentTheCanariesAreHealthy(t *testing.T) {
	young := func(s *model.Snapshot) { firstCanary(s).Health = model.HealthUnset }
	changes := []change{newJob(failing10m), refused}
	d, m := run(ready(), time.Minute, append(changes, young)...)
	require.Equal(t, ReasonPending, condition(d, model.WithinDeadline).Reason)
	_, m = rerun(ready(), m, start.Add(20*time.Minute), 0, changes...)
	d, m = rerun(ready(), m, start.Add(30*time.Minute-time.Millisecond), 0, changes...)
	require.Equal(t, model.Hold, d.Verb, d.Message)
	require.Contains(t, condition(d, model.WithinDeadline).Message, "ends at 2026-03-01 12:30:00Z")
	// A canary that falters in between does not make the wait begin anew.
	_, m = rerun(ready(), m, start.Add(30*time.Minute-time.Millisecond), 0, append(changes, young)...)
	d, _ = rerun(ready(), m, start.Add(30*time.Minute), 0, changes...)
	require.Equal(t, model.Fail, d.Verb, d.Message)
}

func TestWithoutADeadlineAHoldLastsForever(t *testing.T) {
	_, m := run(ready(), 10*time.Second, refused)
	d, _ := rerun(ready(), m, start.Add(1000*time.Hour), 0, refused)
	require.Equal(t, model.Hold, d.Verb)
	require.Equal(t, model.True, condition(d, model.WithinDeadline).Status)
}

func TestWhatCanBePromotedIsPromotedHoweverLate(t *testing.T) {
	_, m := afterTenMinutes(ready(), refused)
	d, _ := rerun(ready(), m, start.Add(11*time.Minute), 10*time.Second, newJob(failing10m))
	require.Equal(t, model.Promote, d.Verb, d.Message)
	require.Equal(t, model.True, condition(d, model.WithinDeadline).Status)
}

func TestTheShortestDeadlineCountsAndAnOverrideWins(t *testing.T) {
	several := newJob(func(j *model.Job) {
		j.Meta[MetaHoldDeadline] = "1h"
		j.Groups = append(j.Groups, model.Group{Name: "other", Meta: map[string]string{MetaHoldDeadline: "20m"}})
	})
	message := func(changes ...change) string {
		d, _ := run(ready(), 10*time.Second, append(changes, refused)...)
		return condition(d, model.WithinDeadline).Message
	}
	require.Contains(t, message(several), "hold deadline of 20m ")
	require.Contains(t, message(several, override("web", "hold_deadline", "3h")), "hold deadline of 3h ")
}

func TestAModeThatIsOffIsLookedAtNowAndThen(t *testing.T) {
	off := newJob(func(j *model.Job) { j.Meta[MetaMode] = "off" })
	d, _ := run(ready(), 0, off)
	require.Equal(t, idle*policy.Poll, d.RetryAfter, "somebody may override it")
	d, _ = run(ready(), 0, off, dep(func(d *model.Deployment) { d.Status = model.DeploymentFailed }))
	require.Zero(t, d.RetryAfter)
}

// One fact that is missing, old, contradictory or against the old group, or that
// is a person's word, is enough: never Fail. What is wrong with a canary alone, or
// with how long old instances serve, is what a deployment may be failed for.
func TestPropOneHostileFactNeverFails(t *testing.T) {
	attacks := hostile()
	var names []string
	for name := range attacks {
		if !strings.HasPrefix(name, "canary") && !slices.Contains([]string{"old delay too short", "old drain mistyped", "old L mistyped"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		_, m := run(w, time.Second, newJob(failing10m))
		at := start.Add(10*time.Minute + time.Second)
		sick := func(s *model.Snapshot) {
			registrationOf(s, firstCanary(s)).Status = "critical"
			for i := range s.Proxies.Value {
				unlist(s, i, firstCanary(s))
			}
		}
		d, _ := evaluate(w, m, at, newJob(failing10m), sick)
		if d.Verb != model.Fail {
			t.Fatalf("the sick world is not failed: %s %s: %s", d.Reason, d.Message, condition(d, model.WithinDeadline).Message)
		}
		name := rapid.SampledFrom(names).Draw(t, "attack")
		d, _ = evaluate(w, m, at, newJob(failing10m), sick, func(s *model.Snapshot) { attacks[name](t, s) })
		if d.Verb == model.Fail {
			t.Fatalf("failed in spite of %q: %s", name, d.Message)
		}
	})
}
