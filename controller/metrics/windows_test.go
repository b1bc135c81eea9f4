package metrics_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
)

func window(proxy string, s, t, l time.Duration) model.Window {
	return model.Window{Proxy: proxy, Group: "web", Service: "web", Allocation: "a1", S: s, T: t, L: l, Verdict: model.VerdictSafe}
}

// histograms returns, for each value of the label proxy, how often a histogram
// was observed and the sum of what was.
func histograms(t *testing.T, registry *prometheus.Registry, name string) map[string][2]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	out := map[string][2]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			out[m.GetLabel()[0].GetValue()] = [2]float64{float64(m.GetHistogram().GetSampleCount()), m.GetHistogram().GetSampleSum()}
		}
	}
	return out
}

func TestArithmeticIsCountedOnceAndWhenItChanges(t *testing.T) {
	m, registry := setUp(t, metrics.Options{})
	first, second := model.Key{Deployment: "d1"}, model.Key{Deployment: "d2"}
	short := model.Decision{Windows: []model.Window{window("10.0.0.1:8080", 5*time.Second, 19*time.Second, time.Second)}}
	for range 10 {
		m.Judged(first, short)
	}
	require.Equal(t, map[string][2]float64{"10.0.0.1:8080": {1, 5}}, histograms(t, registry, "draingate_servable_seconds"))
	require.Equal(t, map[string][2]float64{"10.0.0.1:8080": {1, 19}}, histograms(t, registry, "draingate_stop_routing_seconds"))
	require.Equal(t, map[string][2]float64{"10.0.0.1:8080": {1, -15}}, histograms(t, registry, "draingate_drain_slack_seconds"))

	m.Judged(first, model.Decision{Windows: []model.Window{window("10.0.0.1:8080", 5*time.Second, 20*time.Second, time.Second)}})
	m.Judged(second, short)
	require.Equal(t, map[string][2]float64{"10.0.0.1:8080": {3, -46}}, histograms(t, registry, "draingate_drain_slack_seconds"))
}

func TestWhatIsNotKnownIsNotCounted(t *testing.T) {
	m, registry := setUp(t, metrics.Options{})
	w := window("10.0.0.1:8080", 5*time.Second, 0, 0)
	w.Verdict = model.VerdictUnknown
	m.Judged(model.Key{Deployment: "d1"}, model.Decision{Windows: []model.Window{w}})
	require.Empty(t, histograms(t, registry, "draingate_servable_seconds"))
}

func TestProxiesCannotMakeTheSeriesGrow(t *testing.T) {
	m, registry := setUp(t, metrics.Options{})
	for i := range metrics.MaxProxies + 10 {
		key := model.Key{Deployment: fmt.Sprint(i)}
		m.Judged(key, model.Decision{Windows: []model.Window{window(fmt.Sprintf("10.0.0.1:%d", i), time.Second, time.Second, 0)}})
	}
	found := histograms(t, registry, "draingate_servable_seconds")
	require.Len(t, found, metrics.MaxProxies+1)
	require.Equal(t, [2]float64{10, 10}, found[metrics.Other])
}

func TestTheAgeOfTheOldestDecisionIsTold(t *testing.T) {
	hold := model.Decision{Verb: model.Hold, Reason: "ProxyUnknown"}
	records := []model.Record{
		{Decision: hold, Since: time.Now().Add(-time.Minute)}, {Decision: hold, Since: time.Now().Add(-time.Hour)},
	}
	_, registry := setUp(t, metrics.Options{Deployments: func() []model.Record { return records }})
	families, err := registry.Gather()
	require.NoError(t, err)
	ages := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "draingate_decision_age_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			ages[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	require.InDelta(t, 3600, ages["ProxyUnknown"], 60)
	require.Zero(t, ages["Safe"])
	require.Len(t, ages, 3)
}
