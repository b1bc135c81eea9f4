package gate

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/e2e/jump"
)

// moved is the snapshot as a process reads it whose wall clock is off by that.
func moved(s model.Snapshot, by time.Duration) model.Snapshot {
	shift := func(at *time.Time) {
		if !at.IsZero() {
			*at = jump.Shift(*at, by)
		}
	}
	for _, at := range []*time.Time{&s.Deployment.At, &s.Job.At, &s.Overrides.At, &s.Allocations.At, &s.Proxies.At, &s.Load.At} {
		shift(at)
	}
	s.Catalog = maps.Clone(s.Catalog)
	for name, fact := range s.Catalog {
		shift(&fact.At)
		s.Catalog[name] = fact
	}
	s.Proxies.Value = slices.Clone(s.Proxies.Value)
	for i := range s.Proxies.Value {
		p := &s.Proxies.Value[i]
		for _, at := range []*time.Time{&p.Started.At, &p.Settings.At, &p.Routing.At} {
			shift(at)
		}
	}
	return s
}

// outcome is what a decision amounts to, without its sentences.
type outcome struct {
	Verb       model.Verb
	Reason     model.Reason
	RetryAfter time.Duration
	Conditions map[model.ConditionType]model.ConditionStatus
}

func outcomeOf(d model.Decision) outcome {
	out := outcome{d.Verb, d.Reason, d.RetryAfter, map[model.ConditionType]model.ConditionStatus{}}
	for _, c := range d.Conditions {
		out.Conditions[c.Type] = c.Status
	}
	return out
}

// However the wall clock jumps, between two passes or between the reading of
// the facts and the decision on them, what is decided is what would be without.
func TestPropAJumpOfTheWallClockDecidesNothing(t *testing.T) {
	attacks := hostile()
	names := slices.Sorted(maps.Keys(attacks))
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		offsets := rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour, -time.Hour, -2 * time.Second, 24 * time.Hour})
		var even, jumpy Memory
		now := time.Now()
		for range 25 {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{500, 1500, 2500, 60_000}).Draw(t, "step")) * time.Millisecond)
			s := w.snapshot(now)
			failing10m(&s.Job.Value)
			if rapid.IntRange(0, 5).Draw(t, "bad") == 0 {
				attacks[rapid.SampledFrom(names).Draw(t, "attack")](t, &s)
			}
			if rapid.Bool().Draw(t, "refused") {
				refuseTags(&s)
			}
			var want, got model.Decision
			want, even = Evaluate(Input{Snapshot: s, Memory: even, Policy: policy, Now: now})
			read, decided := offsets.Draw(t, "read"), offsets.Draw(t, "decided")
			got, jumpy = Evaluate(Input{Snapshot: moved(s, read), Memory: jumpy, Policy: policy, Now: jump.Shift(now, decided)})
			if diff := cmp.Diff(outcomeOf(want), outcomeOf(got)); diff != "" {
				t.Fatalf("a clock that is off by %s at the reading and by %s at the decision (-even +jumpy):\n%s\n%s\n%s", read, decided, diff, want.Message, got.Message)
			}
		}
	})
}

// refuseTags holds a deployment without a step back of anything else.
func refuseTags(s *model.Snapshot) {
	for i := range s.Proxies.Value {
		for id := range s.Proxies.Value[i].Tags {
			s.Proxies.Value[i].Tags[id] = model.TagReading{Err: "unknown key"}
		}
	}
}

// The dates of a hold deadline are shown by the clock that people now see.
func TestTheDeadlineIsShownByTheClockOfNow(t *testing.T) {
	w, now := ready(), time.Now()
	hold := newJob(failing10m)
	_, m := evaluate(w, Memory{}, now, hold, refused)
	later := jump.Shift(now.Add(time.Minute), time.Hour)
	d, _ := evaluate(w, m, later, hold, refused)
	within := condition(d, model.WithinDeadline)
	require.Equal(t, model.True, within.Status, within.Message)
	layout := "2006-01-02 15:04:05Z"
	require.Contains(t, within.Message, "waits since "+now.Add(time.Hour).UTC().Format(layout))
	require.Contains(t, within.Message, "ends at "+now.Add(time.Hour+10*time.Minute).UTC().Format(layout))
	require.Equal(t, model.Hold, d.Verb, d.Message)

	d, _ = evaluate(w, m, jump.Shift(now.Add(10*time.Minute), -time.Hour), hold, refused)
	require.Equal(t, model.Fail, d.Verb, "ten minutes are over, whatever the clock says: %s", d.Message)
	require.Contains(t, d.Message, "since "+now.Add(-time.Hour).UTC().Format(layout))
}
