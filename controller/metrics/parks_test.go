package metrics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
)

func TestParksAreCountedAndNotKnownIsNotZero(t *testing.T) {
	now, failed := metrics.Parks{Steps: map[string]int{"parking": 2}, Parkers: 3}, error(nil)
	registry := prometheus.NewRegistry()
	_, err := metrics.New(registry, metrics.Options{Parks: func() (metrics.Parks, error) { return now, failed }})
	require.NoError(t, err)
	names := []string{"draingate_parks", "draingate_parkers"}
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP draingate_parkers Instances of draingate that are present on a node and can park there.
# TYPE draingate_parkers gauge
draingate_parkers 3
# HELP draingate_parks Records of parks, by their step; absent while they cannot be read.
# TYPE draingate_parks gauge
draingate_parks{step="leaving"} 0
draingate_parks{step="out"} 0
draingate_parks{step="over"} 0
draingate_parks{step="parking"} 2
`), names...))
	failed = errors.New("no consul")
	count, err := testutil.GatherAndCount(registry, names...)
	require.NoError(t, err)
	require.Zero(t, count)
}

func TestWhatAListenerDidHasSeriesByItsService(t *testing.T) {
	all := map[string]metrics.ParkedService{"web": {
		Waiting: 4, Peak: 9, Oldest: 500 * time.Millisecond, Longest: 3 * time.Second, UnderWay: 2, Upgrades: 1,
		Results: map[string]uint64{metrics.ParkReleased: 7}, Refused: map[string]uint64{"requests": 5},
	}}
	registry := prometheus.NewRegistry()
	_, err := metrics.New(registry, metrics.Options{ParkedServices: func() map[string]metrics.ParkedService { return all }})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"draingate_park_waiting": `{service="web"} 4`, "draingate_park_waiting_peak": `{service="web"} 9`,
		"draingate_park_oldest_wait_seconds": `{service="web"} 0.5`, "draingate_park_longest_wait_seconds": `{service="web"} 3`,
		"draingate_park_under_way": `{service="web"} 2`, "draingate_park_upgrades": `{service="web"} 1`,
		"draingate_park_requests_total": `{result="released",service="web"} 7`, "draingate_park_refused_total": `{reason="requests",service="web"} 5`,
	} {
		text, err := testutil.CollectAndFormat(registry, expfmt.TypeTextPlain, name)
		require.NoError(t, err)
		require.Contains(t, string(text), name+want+"\n")
	}
}

func TestTheNumberOfServicesIsBounded(t *testing.T) {
	all := map[string]metrics.ParkedService{}
	for i := range metrics.MaxParked + 2 {
		all[fmt.Sprintf("s%03d", i)] = metrics.ParkedService{Waiting: 1, Peak: i, Results: map[string]uint64{metrics.ParkGone: 1}, Refused: map[string]uint64{"time": 2}}
	}
	registry := prometheus.NewRegistry()
	_, err := metrics.New(registry, metrics.Options{ParkedServices: func() map[string]metrics.ParkedService { return all }})
	require.NoError(t, err)
	count, err := testutil.GatherAndCount(registry, "draingate_park_waiting")
	require.NoError(t, err)
	require.Equal(t, metrics.MaxParked+1, count)
	text, err := testutil.CollectAndFormat(registry, expfmt.TypeTextPlain, "draingate_park_waiting", "draingate_park_waiting_peak", "draingate_park_refused_total", "draingate_park_requests_total")
	require.NoError(t, err)
	for _, want := range []string{
		`draingate_park_waiting{service="Other"} 2`, `draingate_park_waiting_peak{service="Other"} 101`,
		`draingate_park_refused_total{reason="time",service="Other"} 4`, `draingate_park_requests_total{result="gone",service="Other"} 2`,
	} {
		require.Contains(t, string(text), want+"\n")
	}
}

func TestWhatIsDoneForParksStandsAtZeroFirst(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := metrics.New(registry, metrics.Options{ParkReasons: []model.Reason{"ParkExpired", "Released"}})
	require.NoError(t, err)
	for name, want := range map[string]int{
		"draingate_park_actions_total": 10, "draingate_park_writes_total": 4, "draingate_park_ends_total": 2, "draingate_park_refusals_total": 2,
	} {
		count, err := testutil.GatherAndCount(registry, name)
		require.NoError(t, err)
		require.Equal(t, want, count, name)
	}
	m.ParkActed(metrics.ParkRegister, nil)
	m.ParkActed(metrics.ParkSay, errors.New("denied"))
	m.ParkWrote(metrics.ParkStore, errors.New("denied"))
	m.ParkEnded("ParkExpired")
	m.ParkRefused("WithoutBound")
	text, err := testutil.CollectAndFormat(registry, expfmt.TypeTextPlain, "draingate_park_actions_total", "draingate_park_writes_total", "draingate_park_ends_total", "draingate_park_refusals_total")
	require.NoError(t, err)
	for _, want := range []string{
		`draingate_park_actions_total{result="done",what="register"} 1`, `draingate_park_actions_total{result="failed",what="say"} 1`,
		`draingate_park_writes_total{result="failed",what="Store"} 1`, `draingate_park_ends_total{reason="ParkExpired"} 1`,
		`draingate_park_refusals_total{reason="Other"} 1`,
	} {
		require.Contains(t, string(text), want+"\n")
	}
}
