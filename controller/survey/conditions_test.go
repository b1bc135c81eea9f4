package survey

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/judge"
	"github.com/draingate/draingate/controller/model"
)

func deployment(delay time.Duration) model.Snapshot {
	now := time.Now()
	c := newCluster()
	return model.Snapshot{
		Key: model.Key{Namespace: "default", Deployment: "d"}, Job: model.Seen(*web("web", 2, delay), now), Proxies: c.proxies, Load: c.load,
		Allocations: model.Seen([]model.Allocation{{ID: "1", ClientStatus: "running", Job: web("web", 1, delay)}}, now),
	}
}

func TestConditionsFollowWhatTheyRestOn(t *testing.T) {
	c := NewConditions(judge.New(time.Second))
	change := map[string]func(*model.Snapshot){
		"the version":          func(s *model.Snapshot) { s.Job = model.Seen(*web("web", 3, 20*time.Second), s.Job.At) },
		"the job is not known": func(s *model.Snapshot) { s.Job = model.Unseen[model.Job](s.Job.At, "away") },
		"the load":             func(s *model.Snapshot) { s.Load.Value.Took = 10 * time.Millisecond },
		"the load is unknown":  func(s *model.Snapshot) { s.Load = model.Fact[model.Load]{} },
		"the settings":         func(s *model.Snapshot) { s.Proxies.Value[0].Settings.Value.RefreshInterval = time.Second },
		"no settings": func(s *model.Snapshot) {
			s.Proxies.Value[0].Settings = model.Unseen[model.ProxySettings](s.Job.At, "no")
		},
		"the proxies": func(s *model.Snapshot) { s.Proxies = model.Unseen[[]model.Proxy](s.Job.At, "no") },
		"what runs":   func(s *model.Snapshot) { s.Allocations.Value = nil },
	}
	for name, do := range change {
		t.Run(name, func(t *testing.T) {
			s := deployment(0)
			require.Equal(t, judge.ReasonHasErrors, c.Of(s).Reason)
			do(&s)
			require.Equal(t, judge.New(time.Second).Condition(s), c.Of(s))
			require.NotEqual(t, c.Of(deployment(0)), c.Of(s))
		})
	}
}

func TestAPanicOfARuleIsNoPanicOfThePass(t *testing.T) {
	condition := NewConditions(nil).Of(deployment(0))
	require.Equal(t, model.Unknown, condition.Status)
	require.Equal(t, judge.ReasonRulesFailed, condition.Reason)
	s := New(nil, nil, nil)
	require.Contains(t, s.findingsIn(&job{value: web("web", 1, 0)})[0].Message, "the rules could not be applied")
}

// BenchmarkConditions is what a pass costs while nothing changes that the
// condition rests on, behind many proxies.
func BenchmarkConditions(b *testing.B) {
	c, s := NewConditions(judge.New(time.Second)), deployment(0)
	for i := range 9 {
		p := s.Proxies.Value[0]
		p.Name = fmt.Sprint(i)
		s.Proxies.Value = append(s.Proxies.Value, p)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := c.Of(s); got.Reason != judge.ReasonHasErrors {
			b.Fatal(got)
		}
	}
}
