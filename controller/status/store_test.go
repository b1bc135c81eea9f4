package status_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func record(id string, change ...func(*model.Record)) model.Record {
	r := model.Record{
		Key:        model.Key{Namespace: "default", Deployment: id},
		JobID:      "web",
		JobVersion: 7,
		Status:     model.DeploymentRunning,
		Observed:   at(0),
		Decision: model.Decision{
			Verb: model.Hold, Reason: "DrainTooShort", Mode: model.ModeEnforce,
			Conditions: []model.Condition{{Type: model.DrainSafe, Status: model.False}},
		},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func at(seconds int) time.Time {
	return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func observed(seconds int) func(*model.Record) {
	return func(r *model.Record) { r.Observed = at(seconds) }
}

func TestStoreDatesWhatChanges(t *testing.T) {
	tests := map[string]struct {
		change        func(*model.Record)
		wantSince     time.Time
		wantCondition time.Time
	}{
		"nothing changes, so the first dates stay":      {func(*model.Record) {}, at(0), at(0)},
		"another message is not another decision":       {func(r *model.Record) { r.Decision.Message = "S is 1s" }, at(0), at(0)},
		"another verb dates the decision anew":          {func(r *model.Record) { r.Decision.Verb = model.Promote }, at(5), at(0)},
		"another reason dates the decision anew":        {func(r *model.Record) { r.Decision.Reason = "ProxyUnknown" }, at(5), at(0)},
		"another status dates the condition anew":       {func(r *model.Record) { r.Decision.Conditions[0].Status = model.True }, at(0), at(5)},
		"another type of condition is a new condition":  {func(r *model.Record) { r.Decision.Conditions[0].Type = model.Promoted }, at(0), at(5)},
		"what the caller says of dates does not matter": {func(r *model.Record) { r.Since, r.Decision.Conditions[0].Since = at(9), at(9) }, at(0), at(0)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := status.NewStore()
			s.Record(record("a"))
			s.Record(record("a", observed(5), tt.change))
			got := s.Records()
			require.Len(t, got, 1)
			require.Equal(t, tt.wantSince, got[0].Since, "decision")
			require.Equal(t, tt.wantCondition, got[0].Decision.Conditions[0].Since, "condition")
			require.Equal(t, at(5), got[0].Observed)
		})
	}
}

func TestStoreDatesConditionsOfTheSameTypeApart(t *testing.T) {
	s := status.NewStore()
	two := func(first, second model.ConditionStatus) func(*model.Record) {
		return func(r *model.Record) {
			r.Decision.Conditions = []model.Condition{
				{Type: model.ProxyRouting, Status: first}, {Type: model.ProxyRouting, Status: second},
			}
		}
	}
	s.Record(record("a", two(model.True, model.False)))
	s.Record(record("a", observed(5), two(model.True, model.True)))
	got := s.Records()[0].Decision.Conditions
	require.Equal(t, at(0), got[0].Since)
	require.Equal(t, at(5), got[1].Since)
}

func TestStoreRemembersAPromotion(t *testing.T) {
	s := status.NewStore()
	s.Record(record("a", func(r *model.Record) { r.PromotedAt = at(1) }))
	s.Record(record("a", observed(5)))
	require.Equal(t, at(1), s.Records()[0].PromotedAt)
}

func TestStoreForgets(t *testing.T) {
	s := status.NewStore()
	s.Record(record("a"))
	s.Record(record("b"))
	s.Forget(record("a").Key)
	require.Equal(t, []string{"b"}, ids(s.Records()))
}

func TestStoreSorts(t *testing.T) {
	s := status.NewStore()
	for _, r := range []model.Record{
		record("1", func(r *model.Record) { r.JobID = "web"; r.JobVersion = 1 }),
		record("2", func(r *model.Record) { r.JobID = "web"; r.JobVersion = 10 }),
		record("3", func(r *model.Record) { r.JobID = "api" }),
		record("4", func(r *model.Record) { r.Key.Namespace = "a" }),
	} {
		s.Record(r)
	}
	require.Equal(t, []string{"4", "3", "2", "1"}, ids(s.Records()))
}

func TestStoreHandsOutCopies(t *testing.T) {
	s := status.NewStore()
	in := record("a", func(r *model.Record) {
		r.Decision.Windows = []model.Window{{STerms: []model.Term{{Name: "delay"}}}}
	})
	s.Record(in)
	want := s.Records()
	in.Decision.Conditions[0].Status = model.True
	in.Decision.Windows[0].STerms[0].Name = "changed by the caller"
	out := s.Records()
	out[0].Decision.Conditions[0].Status = model.Unknown
	out[0].Decision.Windows[0].STerms[0].Name = "changed by a reader"
	if diff := cmp.Diff(want, s.Records()); diff != "" {
		t.Errorf("the store changed with its callers' values (-want +got):\n%s", diff)
	}
}

func TestStoreBoundsWhatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := status.NewStore()
		ended := func(r *model.Record) { r.Status = model.DeploymentSuccessful }
		for i := range status.MaxTerminal + 50 {
			s.Record(record(fmt.Sprintf("done-%03d", i), ended))
			s.Record(record(fmt.Sprintf("live-%03d", i)))
			time.Sleep(time.Second)
		}
		got := ids(s.Records())
		require.Len(t, got, status.MaxTerminal+status.MaxTerminal+50)
		require.NotContains(t, got, "done-049", "the oldest go first")
		require.Contains(t, got, "done-050")

		time.Sleep(status.MaxTerminalAge / 2)
		s.Record(record("done-149", ended))
		time.Sleep(status.MaxTerminalAge / 2)
		got = ids(s.Records())
		require.Len(t, got, status.MaxTerminal+50, "a day after its end a deployment is gone, however often it was seen since")
		require.Contains(t, got, "live-000", "one that still runs is kept")
	})
}

func TestStoreDatesByTheClockWithoutAnObservation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := status.NewStore()
		s.Record(record("a", func(r *model.Record) { r.Observed = time.Time{} }))
		require.Equal(t, time.Now(), s.Records()[0].Observed)
		require.Equal(t, time.Now(), s.Records()[0].Since)
	})
}

func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	s := status.NewStore()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 100 {
				s.Record(record(fmt.Sprint(i), observed(n)))
				s.Records()
				s.Forget(record(fmt.Sprint(i - 1)).Key)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, len(s.Records()), 8)
}

func ids(records []model.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, r.Key.Deployment)
	}
	return out
}

// A deployment that Nomad has collected still says what it was of.
func TestStoreKeepsTheNameOfWhatIsGone(t *testing.T) {
	s := status.NewStore()
	key := model.Key{Namespace: "default", Deployment: "d1"}
	s.Record(model.Record{Key: key, JobID: "web", JobVersion: 3, Status: model.DeploymentSuccessful})
	s.Record(model.Record{Key: key, Decision: model.Decision{Verb: model.None, Reason: "DeploymentGone"}})
	got := s.Records()
	require.Len(t, got, 1)
	require.Equal(t, "web", got[0].JobID)
	require.Equal(t, uint64(3), got[0].JobVersion)
	require.Equal(t, model.Reason("DeploymentGone"), got[0].Decision.Reason)
}

func TestKeysAreThoseOfAJobFromAVersionOn(t *testing.T) {
	s := status.NewStore()
	for _, r := range []model.Record{
		{Key: model.Key{Namespace: "default", Deployment: "b"}, JobID: "db", JobVersion: 3},
		{Key: model.Key{Namespace: "default", Deployment: "a"}, JobID: "db", JobVersion: 2},
		{Key: model.Key{Namespace: "default", Deployment: "c"}, JobID: "db", JobVersion: 1},
		{Key: model.Key{Namespace: "default", Deployment: "d"}, JobID: "web", JobVersion: 2},
		{Key: model.Key{Namespace: "team", Deployment: "e"}, JobID: "db", JobVersion: 2},
	} {
		s.Record(r)
	}
	require.Equal(t, []model.Key{{Namespace: "default", Deployment: "a"}, {Namespace: "default", Deployment: "b"}}, s.Keys("default", "db", 2))
	require.Empty(t, s.Keys("default", "none", 0))
}
