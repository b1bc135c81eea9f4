package gate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

const leaderSession = "s1"

// fenced plays the part of Consul, Nomad and the proxies around one deployment
// that is fenced: it does at once what an action asks for.
type fenced struct {
	world  world
	now    time.Time
	memory Memory
	record *fence.Record
	// holder has the lock of the record.
	holder string
	// out are the old allocations in maintenance; acked is the mark that the
	// node has acknowledged. slow keeps the proxies from noticing.
	out    map[string]bool
	acked  string
	slow   bool
	paused bool
	change change
	did    []fence.Do
}

func newFenced(w world) *fenced {
	return &fenced{world: w, now: start, out: map[string]bool{}, change: func(*model.Snapshot) {}}
}

func (f *fenced) snapshot() model.Snapshot {
	s := f.world.snapshot(f.now)
	facts := model.FenceFacts{Fencers: map[string][]string{"n1": {f.acked}}}
	if f.record != nil {
		text, err := f.record.Encode()
		if err != nil {
			panic(err)
		}
		facts.Record = &model.Stored{Key: "k", Value: text, Session: f.holder, Index: f.record.Seq}
	}
	s.Fence = model.Seen(facts, f.now)
	if f.paused {
		s.Deployment.Value.Status = model.DeploymentPaused
	}
	for i := range s.Allocations.Value {
		a := &s.Allocations.Value[i]
		if !f.out[a.ID] {
			continue
		}
		r := registrationOf(&s, a)
		r.Status = model.StatusMaintenance
		r.Checks = append(r.Checks, model.CheckStatus{ID: model.ServiceMaintenance + r.ServiceID, Status: model.StatusCritical, Notes: fence.Keys{}.Reason(s.Key.Deployment)})
		if !f.slow {
			for n := range s.Proxies.Value {
				unlist(&s, n, a)
			}
		}
	}
	f.change(&s)
	return s
}

// pass decides once and does what is asked.
func (f *fenced) pass() Outcome {
	o := Decide(Input{Snapshot: f.snapshot(), Memory: f.memory, Policy: f.policy(), Fencer: Fencer{Session: leaderSession, Self: "me", Mark: f.now.Format(time.RFC3339Nano)}, Now: f.now})
	f.memory = o.Memory
	if o.Action.Record != nil {
		f.record, f.holder = o.Action.Record, leaderSession
		f.out = map[string]bool{}
		for _, t := range f.record.Set {
			f.out[t.Alloc] = true
		}
		f.acked = f.record.Mark
	}
	f.paused = o.Action.Do == fence.DoPause || f.paused && o.Action.Do != fence.DoResume
	if o.Action.Do != fence.DoNothing && (len(f.did) == 0 || f.did[len(f.did)-1] != o.Action.Do) {
		f.did = append(f.did, o.Action.Do)
	}
	f.now = f.now.Add(fencePoll)
	return o
}

func (f *fenced) policy() Policy {
	p := fencingPolicy()
	p.FencePatience = time.Minute
	return p
}

// until passes until an action, and fails the test where it does not come.
func (f *fenced) until(t *testing.T, do fence.Do) Outcome {
	t.Helper()
	for range 1000 {
		if o := f.pass(); o.Action.Do == do {
			return o
		}
	}
	require.Fail(t, "it did not come to "+string(do), "%v", f.did)
	return Outcome{}
}

func TestAFenceFromItsBeginningToThePromotion(t *testing.T) {
	t.Parallel()
	f := newFenced(hard())
	o := f.until(t, fence.DoFence)
	require.Equal(t, model.Fence, o.Decision.Verb)
	require.GreaterOrEqual(t, f.now.Sub(start), MinWindow, "not before the window is over")
	o = f.until(t, fence.DoPromote)
	require.Equal(t, []fence.Do{fence.DoFence, fence.DoWait, fence.DoArm, fence.DoPromote}, f.did)
	require.Equal(t, ReasonFencedOut, o.Decision.Reason)
	require.True(t, Acts(o.Decision))
	require.Equal(t, []string{"group0"}, o.Decision.Groups)
	require.Contains(t, o.Decision.Message, "web.group0[0]")
	require.False(t, o.Action.Until.IsZero())
	for _, c := range o.Decision.Conditions {
		if c.Type == model.Fenced {
			require.Equal(t, model.True, c.Status)
		}
	}
}

func TestFewerCanariesPauseBeforeThePromotion(t *testing.T) {
	t.Parallel()
	f := newFenced(world{groups: 1, olds: 3, canaries: 1, proxies: 1, refresh: 15 * time.Second})
	o := f.until(t, fence.DoPromote)
	require.Equal(t, []fence.Do{fence.DoFence, fence.DoWait, fence.DoAnnounce, fence.DoPause, fence.DoArm, fence.DoPromote}, f.did)
	require.True(t, Acts(o.Decision), "%+v", o.Decision)
}

func TestNobodyFencesWhoMayNotWrite(t *testing.T) {
	t.Parallel()
	f := newFenced(hard())
	var o Outcome
	for range 100 {
		o = Decide(Input{Snapshot: f.snapshot(), Memory: f.memory, Policy: f.policy(), Now: f.now})
		f.memory, f.now = o.Memory, f.now.Add(fencePoll)
	}
	require.Equal(t, fence.ReasonFencing, o.Decision.Reason)
	require.Equal(t, fence.DoNothing, o.Action.Do)
}

func TestWhatEndsAFence(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change change
		reason model.Reason
		says   string
	}{
		"a canary that turns critical": {func(s *model.Snapshot) { registrationOf(s, firstCanary(s)).Status = model.StatusCritical }, ReasonCanaryNotPassing, "is critical in Consul"},
		"a proxy that loses it":        {func(s *model.Snapshot) { unlist(s, 0, firstCanary(s)) }, ReasonCanaryNotListed, "does not list canary"},
		"a freeze":                     {func(s *model.Snapshot) { s.Overrides.Value.Frozen = map[string]string{"p": "no"} }, ReasonFrozen, "frozen"},
		"a mode":                       {newJob(func(j *model.Job) { j.Meta[MetaMode] = "observe" }), fence.ReasonFenceAborted, "the mode is observe"},
		"a person's pause":             {dep(func(d *model.Deployment) { d.Status = model.DeploymentPaused }), ReasonDeploymentPaused, "somebody paused the deployment"},
		"a newer version":              {dep(func(d *model.Deployment) { d.Status = model.DeploymentCancelled }), ReasonDeploymentEnded, "the deployment is cancelled"},
		"an instance that moves":       {func(s *model.Snapshot) { firstOld(s).Migrating = true }, ReasonSetNotPredictable, "about to be moved"},
		"a proxy that is replaced by one that takes what is in maintenance": {proxy(0, func(p *model.Proxy) { p.Settings.Value.StrictChecks = []string{"any"} }), fence.ReasonFenceAborted, "accepts instances in maintenance"},
		"nobody on the node": {func(s *model.Snapshot) { s.Fence.Value.Fencers = nil }, fence.ReasonFenceAborted, "no instance of draingate is present"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFenced(hard())
			f.until(t, fence.DoFence)
			f.change = c.change
			o := f.pass()
			require.Equal(t, fence.DoLift, o.Action.Do, "%+v", o.Decision)
			require.Equal(t, fence.StepEnded, f.record.Step)
			require.Contains(t, f.record.Message, c.says)
			require.False(t, Acts(o.Decision))
			require.Equal(t, model.Fence, o.Decision.Verb)
			f.pass()
			o = f.pass()
			require.Equal(t, c.reason, o.Decision.Reason, o.Decision.Message)
			require.False(t, Acts(o.Decision))
			f.change = func(*model.Snapshot) {}
			for range 200 {
				o = f.pass()
			}
			require.Equal(t, fence.ReasonFenceAborted, o.Decision.Reason, "there is one attempt")
			require.Equal(t, f.policy().Poll, o.Decision.RetryAfter)
			require.Equal(t, model.Hold, o.Decision.Verb)
		})
	}
}

// A short blindness is borne: the fence stays, and the proof begins anew.
func TestAFenceBearsAShortBlindness(t *testing.T) {
	t.Parallel()
	f := newFenced(hard())
	f.slow = true
	f.until(t, fence.DoFence)
	f.change = func(s *model.Snapshot) {
		s.Catalog["group0"] = model.Unseen[[]model.Registration](s.Deployment.At, "no answer")
	}
	for range 20 {
		require.False(t, f.pass().Action.Writes())
	}
	f.change, f.slow = func(*model.Snapshot) {}, false
	f.until(t, fence.DoPromote)
}

func TestAFenceThatNoProxyHeedsIsLiftedInTime(t *testing.T) {
	t.Parallel()
	f := newFenced(hard())
	f.slow = true
	f.until(t, fence.DoFence)
	began := f.now
	f.until(t, fence.DoLift)
	require.InDelta(t, time.Minute.Seconds(), f.now.Sub(began).Seconds(), 1)
	require.Contains(t, f.record.Message, "still lists old allocation web.group0[0]")
}

func TestARecordThatIsNotUnderstoodHoldsThePromotion(t *testing.T) {
	t.Parallel()
	d := judge(ready(), fencingPolicy(), func(s *model.Snapshot) { s.Fence.Value.Record = &model.Stored{Key: "k", Value: []byte(`{"format":9}`)} })
	require.Equal(t, fence.ReasonRecordUnknown, d.Reason)
	require.Equal(t, model.Hold, d.Verb)
	require.Contains(t, d.Message, "another version of draingate")
}

// A record outlives its deployment by as long as it takes to delete it.
func TestARecordThatIsLeftIsLookedAfter(t *testing.T) {
	t.Parallel()
	f := newFenced(hard())
	f.until(t, fence.DoFence)
	f.change = dep(func(d *model.Deployment) { d.Status = model.DeploymentFailed })
	f.until(t, fence.DoLift)
	o := f.until(t, fence.DoForget)
	require.Equal(t, ReasonDeploymentEnded, o.Decision.Reason)
	require.Equal(t, f.policy().Poll, o.Decision.RetryAfter)
}

// A request may take as long as the job says, also where the time that a proxy
// needs cannot be predicted: that is what a fence is for.
func TestAFenceWaitsForTheLongestRequest(t *testing.T) {
	t.Parallel()
	declares := func(value string) change {
		return func(s *model.Snapshot) { firstOld(s).Job.Meta["draingate_max_request"] = value }
	}
	for name, more := range map[string]change{
		"behind proxies that poll":       func(*model.Snapshot) {},
		"behind proxies that watch":      func(s *model.Snapshot) { watching(s, 0); watching(s, 1) },
		"where no load was measured":     func(s *model.Snapshot) { s.Load = model.Unseen[model.Load](start, "refused") },
		"where nothing is seen to serve": func(s *model.Snapshot) { firstOld(s).Job.Groups[0].Tasks = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFenced(hard())
			f.change = func(s *model.Snapshot) { declares("4s")(s); more(s) }
			f.until(t, fence.DoFence)
			began := f.now
			f.until(t, fence.DoArm)
			require.GreaterOrEqual(t, f.now.Sub(began), 4*time.Second, "from the maintenance to the order to stop")
		})
	}
	f := newFenced(hard())
	f.change = declares("soon")
	for range 100 {
		o := f.pass()
		require.Equal(t, model.Hold, o.Decision.Verb, o.Decision.Message)
	}
	o := f.pass()
	require.Equal(t, ReasonDrainUnknown, o.Decision.Reason)
	require.Contains(t, o.Decision.Message, `"soon"`)
}

func watching(s *model.Snapshot, n int) { s.Proxies.Value[n].Settings.Value.Watch = true }

// A maintenance that is set again counts from then for as long as a proxy may go
// by what it read in between.
func TestAFenceThatIsSetAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		load model.Fact[model.Load]
		want time.Duration
	}{
		"with the load as it was measured": {model.Seen(model.Load{Services: 2, Took: 700 * time.Millisecond}, start), 3200*time.Millisecond + fence.Switch},
		"where it was not":                 {model.Unseen[model.Load](start, "refused"), 4500*time.Millisecond + fence.Switch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, sign := newFenced(hard()), uint64(1)
			f.change = func(s *model.Snapshot) {
				s.Load = test.load
				s.Load.At = f.now
				for i := range s.Proxies.Value {
					s.Proxies.Value[i].Settings.Value.Throttle = 2 * time.Second
				}
				checks := registrationOf(s, firstOld(s)).Checks
				checks[len(checks)-1].ModifyIndex = sign
			}
			f.until(t, fence.DoFence)
			f.pass()
			sign, f.did = 2, nil
			again := f.now
			f.until(t, fence.DoArm)
			require.InDelta(t, test.want, f.now.Sub(again), float64(2*fencePoll), "from the second maintenance to the order to stop")
		})
	}
}

// What no proxy had dropped when it was first seen in maintenance needs no more time
// than the proxies do; of what one had dropped it is not known what that read since.
func TestAFenceThatIsSeenLate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		late         bool
		least, below time.Duration
	}{
		"while every proxy lists it": {false, fence.Switch, time.Second + 2*fencePoll},
		"once one has dropped it":    {true, 3200*time.Millisecond + fence.Switch, 3200*time.Millisecond + fence.Switch + 2*fencePoll},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFenced(hard())
			f.slow = !test.late
			f.change = func(s *model.Snapshot) {
				s.Load = model.Seen(model.Load{Services: 2, Took: 700 * time.Millisecond}, f.now)
				for i := range s.Proxies.Value {
					s.Proxies.Value[i].Settings.Value.Throttle = 2 * time.Second
				}
			}
			f.until(t, fence.DoFence)
			seen := f.now
			f.pass()
			f.slow = false
			f.until(t, fence.DoArm)
			lasted := f.now.Add(-fencePoll).Sub(seen)
			require.GreaterOrEqual(t, lasted, test.least)
			require.Less(t, lasted, test.below)
		})
	}
}

// What was fenced says so also once the record of it is deleted.
func TestAFinishedDeploymentSaysThatItWasFenced(t *testing.T) {
	t.Parallel()
	f := newFenced(hard())
	f.until(t, fence.DoPromote)
	f.change = func(s *model.Snapshot) {
		s.Deployment.Value.Groups[0].Promoted = true
		s.Deployment.Value.Status = model.DeploymentSuccessful
		firstOld(s).DesiredStatus, firstOld(s).ClientStatus = model.DesiredStop, model.ClientComplete
	}
	f.until(t, fence.DoForget)
	f.record = nil
	o := f.pass()
	require.Equal(t, ReasonDeploymentEnded, o.Decision.Reason)
	for _, c := range o.Decision.Conditions {
		if c.Type == model.Fenced {
			require.Equal(t, model.True, c.Status, c.Message)
		}
	}
}
