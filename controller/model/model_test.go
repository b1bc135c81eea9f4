package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFact(t *testing.T) {
	now := time.Unix(1000, 0)
	cases := map[string]struct {
		fact  Fact[int]
		known bool
		fresh bool
	}{
		"just read":              {Seen(1, now), true, true},
		"as old as it may be":    {Seen(1, now.Add(-2*time.Second)), true, true},
		"older":                  {Seen(1, now.Add(-2*time.Second-1)), true, false},
		"from the future":        {Seen(1, now.Add(1)), true, false},
		"failed":                 {Unseen[int](now, "refused"), false, false},
		"failed without a word":  {Unseen[int](now, ""), false, false},
		"never read":             {Fact[int]{}, false, false},
		"without a time of read": {Fact[int]{Value: 1}, false, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.known, c.fact.Known())
			require.Equal(t, c.fresh, c.fact.Fresh(now, 2*time.Second))
			require.Equal(t, c.fresh, c.fact.Problem(now, 2*time.Second) == "", "Problem and Fresh must agree: %q", c.fact.Problem(now, 2*time.Second))
		})
	}
}

func TestDeploymentPromoted(t *testing.T) {
	group := func(canaries int, promoted bool) DeploymentGroup {
		return DeploymentGroup{DesiredCanaries: canaries, Promoted: promoted}
	}
	cases := map[string]struct {
		groups   []DeploymentGroup
		awaiting int
		promoted bool
	}{
		"no groups":                           {nil, 0, false},
		"no canaries":                         {[]DeploymentGroup{group(0, false)}, 0, false},
		"one awaits":                          {[]DeploymentGroup{group(1, false)}, 1, false},
		"one of two awaits":                   {[]DeploymentGroup{group(1, true), group(2, false)}, 1, false},
		"all promoted":                        {[]DeploymentGroup{group(1, true), group(2, true)}, 0, true},
		"one without canaries does not count": {[]DeploymentGroup{group(1, true), group(0, false)}, 0, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := Deployment{Groups: c.groups}
			require.Len(t, d.AwaitingPromotion(), c.awaiting)
			require.Equal(t, c.promoted, d.Promoted())
		})
	}
}

func TestChangedInPlace(t *testing.T) {
	require.True(t, Allocation{CreateIndex: 5}.ChangedInPlace(), "an unknown job may be another than the one it started with")
	require.True(t, Allocation{CreateIndex: 5, Job: &Job{ModifyIndex: 6}}.ChangedInPlace())
	require.False(t, Allocation{CreateIndex: 5, Job: &Job{ModifyIndex: 4}}.ChangedInPlace())
}
