package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/status"
)

func TestOnlyAFenceThatHasNotEndedGrowsOld(t *testing.T) {
	now := time.Unix(1000, 0)
	list := status.FenceList{
		Fences: []status.Fence{
			{Step: "ended", Written: now.Add(-time.Hour)}, {Step: "fencing", Written: now.Add(-time.Minute)}, {Step: "armed", Written: now.Add(-2 * time.Minute)}, {Step: "fencing", Written: now},
		},
		Fencers: make([]status.Fencer, 3),
	}
	require.Equal(t, metrics.Fences{Steps: map[string]int{"ended": 1, "fencing": 2, "armed": 1}, Oldest: 2 * time.Minute, Fencers: 3}, figuresOf(list, now))
	require.Equal(t, metrics.Fences{Steps: map[string]int{}}, figuresOf(status.FenceList{}, now))
}

func TestWhoNeverFencesDoesNotReadRecordsAtEachScrape(t *testing.T) {
	o := options.Default()
	a := &App{options: o, consul: keyValues(t)}
	read := a.fenceFigures(o)
	require.NotNil(t, read)
	got, err := read()
	require.NoError(t, err)
	require.Equal(t, metrics.Fences{Steps: map[string]int{}}, got)
	o.Fence = options.FenceOff
	require.Nil(t, a.fenceFigures(o))
	o = options.Default()
	o.Leader.Off = true
	require.Nil(t, a.fenceFigures(o))
}
