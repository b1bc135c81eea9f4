package metrics_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/metrics"
)

func TestFencesAreCountedAndNotKnownIsNotZero(t *testing.T) {
	now, failed := metrics.Fences{Steps: map[string]int{"armed": 2}, Oldest: 90 * time.Second, Fencers: 3}, error(nil)
	registry := prometheus.NewRegistry()
	_, err := metrics.New(registry, metrics.Options{Fences: func() (metrics.Fences, error) { return now, failed }})
	require.NoError(t, err)
	names := []string{"draingate_fences", "draingate_fence_age_seconds", "draingate_fencers"}
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP draingate_fence_age_seconds Time since the oldest record of a fence that has not ended was written, 0 where there is none.
# TYPE draingate_fence_age_seconds gauge
draingate_fence_age_seconds 90
# HELP draingate_fencers Instances of draingate that are present on a node and can fence there.
# TYPE draingate_fencers gauge
draingate_fencers 3
# HELP draingate_fences Records of fences, by their step; absent while they cannot be read.
# TYPE draingate_fences gauge
draingate_fences{step="armed"} 2
draingate_fences{step="ended"} 0
draingate_fences{step="fencing"} 0
`), names...))
	failed = errors.New("no consul")
	count, err := testutil.GatherAndCount(registry, names...)
	require.NoError(t, err)
	require.Zero(t, count)
}

func TestFenceActionsStandAtZeroFirst(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := metrics.New(registry, metrics.Options{})
	require.NoError(t, err)
	count, err := testutil.GatherAndCount(registry, "draingate_fence_actions_total")
	require.NoError(t, err)
	require.Equal(t, 8, count)
	m.FenceActed(metrics.FenceSet, nil)
	m.FenceActed(metrics.FenceLift, errors.New("denied"))
	m.FenceActed("something else", nil)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP draingate_fence_actions_total What this instance did on its node for fences, by what it was and whether that failed.
# TYPE draingate_fence_actions_total counter
draingate_fence_actions_total{result="done",what="Other"} 1
draingate_fence_actions_total{result="done",what="acknowledge"} 0
draingate_fence_actions_total{result="done",what="lift"} 0
draingate_fence_actions_total{result="done",what="pause"} 0
draingate_fence_actions_total{result="done",what="set"} 1
draingate_fence_actions_total{result="failed",what="acknowledge"} 0
draingate_fence_actions_total{result="failed",what="lift"} 1
draingate_fence_actions_total{result="failed",what="pause"} 0
draingate_fence_actions_total{result="failed",what="set"} 0
`), "draingate_fence_actions_total"))
}
