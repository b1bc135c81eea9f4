package gate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// fencingPolicy is the policy of a process that fences where a job does not say
// otherwise.
func fencingPolicy() Policy {
	p := policy
	p.Fence = model.FenceAuto
	return p
}

// judge evaluates the world every 500 ms for ten seconds under a policy, with a
// draingate on the only node, and returns the last decision.
func judge(w world, p Policy, changes ...change) model.Decision {
	d, _ := remember(w, p, Memory{}, start, changes...)
	return d
}

func remember(w world, p Policy, m Memory, from time.Time, changes ...change) (model.Decision, Memory) {
	var d model.Decision
	for now := from; now.Sub(from) <= 10*time.Second; now = now.Add(p.Poll) {
		s := w.snapshot(now)
		s.Fence = model.Seen(model.FenceFacts{Fencers: map[string][]string{"n1": nil}}, now)
		for _, c := range changes {
			c(&s)
		}
		d, m = Evaluate(Input{Snapshot: s, Memory: m, Policy: p, Now: now})
	}
	return d, m
}

// hard is a world whose old instances end at once.
func hard() world {
	w := ready()
	w.delay = 0
	return w
}

func asks(value string) change { return newJob(func(j *model.Job) { j.Meta[MetaFence] = value }) }

func TestTheFenceIsDecidedOnAfterTheStartSide(t *testing.T) {
	t.Parallel()
	strict := func(status string) change {
		return proxy(1, func(p *model.Proxy) { p.Settings.Value.StrictChecks = []string{"passing", status} })
	}
	three := world{groups: 1, olds: 3, canaries: 1, proxies: 1, refresh: 15 * time.Second}
	cases := map[string]struct {
		world   world
		changes []change
		verb    model.Verb
		reason  model.Reason
		says    string
	}{
		"a drain that is not safe is fenced":         {hard(), nil, model.Fence, fence.ReasonFencing, "take web.group0[0] out of rotation"},
		"one that is safe is promoted":               {ready(), nil, model.Promote, ReasonPredictedSafe, ""},
		"not where the job always wants a fence":     {ready(), []change{asks("always")}, model.Fence, fence.ReasonFencing, "take web.group0[0]"},
		"never is never":                             {hard(), []change{asks("never")}, model.Hold, ReasonDrainUnsafe, "Cure"},
		"a word that means nothing holds":            {hard(), []change{asks("sometimes")}, model.Hold, ReasonSettingInvalid, "it must be auto, always or never"},
		"a drain that cannot be predicted is fenced": {hard(), []change{proxy(0, func(p *model.Proxy) { p.Settings.Value.Watch = true })}, model.Fence, fence.ReasonFencing, ""},
		"fewer canaries, batch by batch":             {three, nil, model.Fence, fence.ReasonFencing, "2 old instances are left after that"},
		"the start side comes first":                 {hard(), []change{func(s *model.Snapshot) { unlist(s, 1, firstCanary(s)) }}, model.Hold, ReasonCanaryNotListed, ""},
		"a person's pause comes first":               {hard(), []change{dep(func(d *model.Deployment) { d.Status = model.DeploymentPaused })}, model.Hold, ReasonDeploymentPaused, ""},
		"a proxy that takes what is in maintenance":  {hard(), []change{strict("Maintenance")}, model.Hold, ReasonFenceIneffective, "accepts instances in maintenance"},
		"or anything":                                {hard(), []change{strict("any")}, model.Hold, ReasonFenceIneffective, "accepts instances in maintenance"},
		"a proxy with stale reads":                   {hard(), []change{proxy(0, func(p *model.Proxy) { p.Settings.Value.Stale = true })}, model.Hold, ReasonFenceIneffective, "stale = true"},
		"a proxy with cached reads":                  {hard(), []change{proxy(0, func(p *model.Proxy) { p.Settings.Value.Cache = true })}, model.Hold, ReasonFenceIneffective, "cache = true"},
		"an old one that migrates":                   {hard(), []change{func(s *model.Snapshot) { firstOld(s).Migrating = true }}, model.Hold, ReasonSetNotPredictable, "is about to be moved"},
		"an old one that is unknown":                 {hard(), []change{func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientUnknown }}, model.Hold, ReasonSetNotPredictable, "does not answer Nomad"},
		"an old one that failed and may come back":   {three, []change{func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientFailed }}, model.Hold, ReasonSetNotPredictable, "may be replaced"},
		"an old one that is being restarted":         {hard(), []change{func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientPending }}, model.Hold, ReasonSetNotPredictable, "is pending, not running. Without a fence"},
		"an old one that was changed in place":       {hard(), []change{func(s *model.Snapshot) { firstOld(s).DeploymentID = s.Key.Deployment }}, model.Hold, ReasonSetNotPredictable, "of the new version and no canary"},
		"too few that are good":                      {three, []change{func(s *model.Snapshot) { bad(s, 1); bad(s, 2) }}, model.Hold, fence.ReasonCapacityTooLow, "would have 1 instances"},
		"nobody on the node":                         {hard(), []change{func(s *model.Snapshot) { s.Fence.Value.Fencers = map[string][]string{"n2": nil} }}, model.Hold, fence.ReasonNoFencerOnNode, "Without a fence: old allocation"},
		"it is not known who is":                     {hard(), []change{func(s *model.Snapshot) { s.Fence = model.Fact[model.FenceFacts]{} }}, model.Hold, fence.ReasonNoFencerOnNode, ""},
		"one attempt":                                {hard(), []change{func(s *model.Snapshot) { s.Fence.Value.Record = ended("a canary turned critical.") }}, model.Hold, fence.ReasonFenceAborted, "a canary turned critical. Without a fence"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := judge(c.world, fencingPolicy(), c.changes...)
			require.Equal(t, c.reason, d.Reason, d.Message)
			require.Equal(t, c.verb, d.Verb)
			require.Contains(t, d.Message, c.says)
			require.False(t, Acts(d) && d.Verb == model.Fence, "nothing carries out a fence yet")
		})
	}
}

// bad makes the nth old allocation fail its check.
func bad(s *model.Snapshot, n int) {
	registrationOf(s, &s.Allocations.Value[n]).Status = model.StatusCritical
}

func TestWhoDoesNotFenceDecidesAsBefore(t *testing.T) {
	t.Parallel()
	for _, meta := range []string{"auto", "always", "never", "sometimes"} {
		d := judge(hard(), policy, asks(meta))
		require.Equal(t, ReasonDrainUnsafe, d.Reason, meta)
		for _, c := range d.Conditions {
			require.NotEqual(t, model.Fenced, c.Type)
		}
	}
}

// What makes a promotion unpredictable makes a fence so, in the same words.
func TestWhatHoldsAPromotionHoldsAFence(t *testing.T) {
	t.Parallel()
	cases := map[string]change{
		"a canary that is about to be moved":   func(s *model.Snapshot) { firstCanary(s).Migrating = true },
		"an old one that is about to be moved": func(s *model.Snapshot) { firstOld(s).Migrating = true },
		"one on a node that does not answer":   func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientUnknown },
		"one that has not started": func(s *model.Snapshot) {
			firstOld(s).ClientStatus = model.ClientPending
			unregister(s, firstOld(s))
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := hard().snapshot(start)
			change(&s)
			v := newView(Input{Snapshot: s, Policy: fencingPolicy(), Now: start})
			require.NotEmpty(t, setNotPredictable(v))
			_, why := fence.Predict(v.fenceWorld())
			require.Contains(t, why, v.unsettled(unsettledOne(v)))
		})
	}
	v := newView(Input{Snapshot: hard().snapshot(start), Policy: fencingPolicy(), Now: start})
	_, why := fence.Predict(v.fenceWorld())
	require.Empty(t, setNotPredictable(v)+why)
}

// unsettledOne is the one allocation that is not settled.
func unsettledOne(v *view) model.Allocation {
	for _, a := range v.Snapshot.Allocations.Value {
		if v.unsettled(a) != "" {
			return a
		}
	}
	return model.Allocation{}
}

// fencedOld takes the old allocation out of rotation as an instance on its node
// does, and out of the pools of every proxy.
func fencedOld(s *model.Snapshot) {
	a := firstOld(s)
	r := registrationOf(s, a)
	for i := range s.Proxies.Value {
		unlist(s, i, a)
	}
	r.Status = model.StatusMaintenance
	r.Checks = append(r.Checks, model.CheckStatus{ID: model.ServiceMaintenance + r.ServiceID, ServiceID: r.ServiceID, Status: model.StatusCritical,
		Notes: fence.Keys{}.Reason(s.Key.Deployment), ModifyIndex: 12})
}

func TestAFenceDoesNotHideTheProductionPool(t *testing.T) {
	t.Parallel()
	_, m := remember(hard(), fencingPolicy(), Memory{}, start)
	later := start.Add(10500 * time.Millisecond)
	d, _ := remember(hard(), fencingPolicy(), m, later, fencedOld)
	require.Equal(t, fence.ReasonFencing, d.Reason, d.Message)
	d, _ = remember(hard(), fencingPolicy(), m, later, fencedOld, func(s *model.Snapshot) { unlist(s, 1, firstCanary(s)) })
	require.Equal(t, ReasonCanaryNotListed, d.Reason, "the canary is still looked for: %s", d.Message)
	d, _ = remember(hard(), fencingPolicy(), m, later, fencedOld, func(s *model.Snapshot) {
		r := registrationOf(s, firstOld(s))
		r.Checks[len(r.Checks)-1].Notes = "disk is full"
	})
	require.NotEqual(t, model.Fence, d.Verb, "a pool that somebody else emptied is not known")
}

func TestWhatAFenceSeesOfTheWorld(t *testing.T) {
	t.Parallel()
	s := hard().snapshot(start)
	fencedOld(&s)
	v := newView(Input{Snapshot: s, Policy: fencingPolicy(), Now: start})
	w := v.fenceWorld()
	require.Len(t, w.Instances, 2)
	old, canary := w.Instances[0], w.Instances[1]
	require.True(t, old.Out && old.Ours && !old.Good && !old.New)
	require.Contains(t, old.Sign, " 12")
	require.Equal(t, "n1", old.Node)
	require.Equal(t, []string{"_nomad-task-" + old.Alloc + "-group-group0"}, old.Services)
	require.Empty(t, old.RoutedBy)
	require.True(t, canary.New && canary.Canary && !canary.Out)
	require.NotEmpty(t, canary.RoutedBy)

	s = hard().snapshot(start)
	for i := range s.Proxies.Value[1].Routing.Value.Services[0].Servers {
		s.Proxies.Value[1].Routing.Value.Services[0].Servers[i].Status = "DOWN"
	}
	s.Proxies.Value[0].Routing.Value.Services = nil
	w = newView(Input{Snapshot: s, Policy: fencingPolicy(), Now: start}).fenceWorld()
	require.Equal(t, s.Proxies.Value[1].Name, w.Instances[0].RoutedBy, "DOWN is not out of the pool")
}

// ended is the stored record of a fence that came to nothing.
func ended(why string) *model.Stored {
	r := fence.Record{Format: fence.Format, Namespace: "default", Deployment: "d1", Mark: "m", Step: fence.StepEnded, Reason: fence.ReasonFenceAborted, Message: why}
	text, err := r.Encode()
	if err != nil {
		panic(err)
	}
	return &model.Stored{Key: "draingate/fences/default/d1", Value: text, Index: 1}
}

func TestAJobAsksForAFenceOfItself(t *testing.T) {
	enforce := map[string]string{MetaMode: "enforce"}
	with := func(key, value string) map[string]string { return map[string]string{MetaMode: "enforce", key: value} }
	for name, test := range map[string]struct {
		meta   map[string]string
		policy Policy
		want   string
	}{
		"the policy speaks for it":           {enforce, Policy{Fence: "auto"}, "auto"},
		"it speaks for itself":               {with(MetaFence, "always"), Policy{Fence: "never"}, "always"},
		"it wants none":                      {with(MetaFence, "never"), Policy{Fence: "always"}, "never"},
		"the process has none":               {with(MetaFence, "always"), Policy{}, "never"},
		"it is observed":                     {nil, Policy{Fence: "always", DefaultMode: model.ModeObserve}, "never"},
		"it is gated as all are":             {nil, Policy{Fence: "always", DefaultMode: model.ModeEnforce}, "always"},
		"what it says of a fence is no word": {with(MetaFence, "perhaps"), Policy{Fence: "always"}, "never"},
		"its deadline means nothing":         {with(MetaHoldDeadline, "soon"), Policy{Fence: "always"}, "never"},
	} {
		t.Run(name, func(t *testing.T) {
			job := &model.Job{Meta: test.meta, Groups: []model.Group{{Name: "web"}}}
			require.Equal(t, test.want, Fencing(job, test.policy))
		})
	}
}
