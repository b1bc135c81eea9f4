package metrics_test

import (
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/metrics"
	draingate "github.com/draingate/draingate/controller/model"
)

const monitoring = "../../charts/monitoring/"

// series are the names of all series that a process exposes, with the values
// of each of their labels.
func series(t *testing.T) map[string]map[string][]string {
	t.Helper()
	reasons := map[draingate.Verb][]draingate.Reason{}
	for _, r := range gate.Reasons() {
		reasons[r.Verb] = append(reasons[r.Verb], r.Reason)
	}
	registry := prometheus.NewRegistry()
	zero := func() int { return 0 }
	m, err := metrics.New(registry, metrics.Options{
		Reasons: reasons, Deployments: func() []draingate.Record { return nil }, QueueDepth: zero, WebhookDepth: zero, EventStreams: zero, Leads: func() bool { return true },
		Fences: func() (metrics.Fences, error) { return metrics.Fences{}, nil },
		Parks:  func() (metrics.Parks, error) { return metrics.Parks{}, nil },
		ParkedServices: func() map[string]metrics.ParkedService {
			return map[string]metrics.ParkedService{"web": {Results: map[string]uint64{metrics.ParkUnanswered: 0}, Refused: map[string]uint64{"requests": 0}}}
		},
		ParkReasons: []draingate.Reason{"ParkExpired", "Released", "NoParker"},
		WatchAges:   map[string]func() time.Duration{"deployments": func() time.Duration { return 0 }}, Version: "v1",
	})
	require.NoError(t, err)
	m.Judged(draingate.Key{}, draingate.Decision{Windows: []draingate.Window{window("a", 1, 1, 1)}})
	families, err := registry.Gather()
	require.NoError(t, err)
	out := map[string]map[string][]string{}
	for _, f := range families {
		labels := map[string][]string{"instance": nil}
		for _, one := range f.GetMetric() {
			for _, l := range one.GetLabel() {
				labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
			}
		}
		out[f.GetName()] = labels
		if f.GetMetric()[0].GetHistogram() != nil {
			bucket := map[string][]string{"le": nil}
			maps.Copy(bucket, labels)
			out[f.GetName()+"_bucket"], out[f.GetName()+"_sum"], out[f.GetName()+"_count"] = bucket, labels, labels
		}
	}
	return out
}

// requireThere requires that everything an expression selects is exposed: the
// metric, its labels, and some value that each matcher takes.
func requireThere(t *testing.T, there map[string]map[string][]string, expr string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		labels, is := there[selector.Name]
		require.True(t, is, "%s: there is no metric %s", expr, selector.Name)
		for _, m := range selector.LabelMatchers {
			if m.Name == "__name__" {
				continue
			}
			require.True(t, slices.ContainsFunc(labels[m.Name], m.Matches), "%s: nothing of %s has %s", expr, selector.Name, m)
		}
		return nil
	})
}

func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, problems := rulefmt.ParseFile(monitoring+"alerts.yml", false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	require.Empty(t, problems)
	out := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			out[r.Alert] = r
		}
	}
	return out
}

// Each alert fires on what it is for and is silent on what is near it. The data
// is in the notation of promtool's tests, a sample a minute.
func TestAlerts(t *testing.T) {
	tests := map[string]struct{ fires, silent string }{
		"DraingateNobodyLeads": {`draingate_leader{instance="a"} 0x60`, "draingate_leader{instance=\"a\"} 0x60\ndraingate_leader{instance=\"b\"} 1x60"},
		"DraingateAbsent":      {``, `draingate_build_info 1x60`},
		"DraingateHoldsTooLong": {
			`draingate_deployments_overdue{instance="a"} 0x59 1`,
			`draingate_deployments_overdue{instance="a"} 1x59 0`,
		},
		"DraingateFailNotTaken": {
			`draingate_failures_total{result="unanswered"} 0x50 1x10`,
			`draingate_failures_total{result="accepted"} 0+1x60`,
		},
		"DraingateCannotSee": {
			`draingate_deployments{verb="Hold",reason="ConsulUnknown"} 1x60`,
			`draingate_deployments{verb="Hold",reason="DrainTooShort"} 1x60`,
		},
		"DraingateWatchIsStale": {
			`draingate_watch_age_seconds{watch="deployments",instance="a"} 0+60x60`,
			`draingate_watch_age_seconds{watch="deployments",instance="a"} 15x60`,
		},
		"DraingateRequestsFail": {
			"draingate_api_requests_total{system=\"nomad\",code=\"2xx\"} 0+8x60\n  draingate_api_requests_total{system=\"nomad\",code=\"5xx\"} 0+2x60",
			"draingate_api_requests_total{system=\"nomad\",code=\"2xx\"} 0+98x60\n  draingate_api_requests_total{system=\"nomad\",code=\"5xx\"} 0+2x60",
		},
		"DraingatePromotionNotTaken": {
			`draingate_promotions_total{result="refused"} 0x50 1x10`,
			`draingate_promotions_total{result="accepted"} 0+1x60`,
		},
		"DraingatePanics": {
			`draingate_reconcile_total{result="panic"} 0x50 1x10`,
			`draingate_reconcile_total{result="error"} 0+1x60`,
		},
		"DraingateFenceStays": {
			"draingate_fence_age_seconds{instance=\"a\"} 0+60x60\n  draingate_fence_age_seconds{instance=\"b\"} 0x60",
			`draingate_fence_age_seconds{instance="a"} 0+15x60`,
		},
		"DraingateNoFencer": {
			`draingate_deployments{verb="Hold",reason="NoFencerOnNode"} 1x60`,
			"draingate_deployments{verb=\"Hold\",reason=\"NoFencerOnNode\"} 0x60\n  draingate_deployments{verb=\"Hold\",reason=\"CapacityTooLow\"} 1x60",
		},
		"DraingateFenceFails": {
			`draingate_fence_actions_total{what="set",result="failed"} 0x50 1x10`,
			`draingate_fence_actions_total{what="set",result="done"} 0+1x60`,
		},
		"DraingateParkExpired": {
			`draingate_park_ends_total{reason="ParkExpired"} 0x50 1x10`,
			`draingate_park_ends_total{reason="Released"} 0+1x60`,
		},
		"DraingateNotParked": {
			`draingate_park_refusals_total{reason="NoParker"} 0x50 1x10`,
			`draingate_park_refusals_total{reason="NoParker"} 0x10 1x50`,
		},
		"DraingateParkRefuses": {
			`draingate_park_refused_total{service="web",reason="requests"} _x55 7x5`,
			`draingate_park_refused_total{service="web",reason="requests"} 0x5 7x55`,
		},
		"DraingateParkUnanswered": {
			`draingate_park_requests_total{service="web",result="unanswered"} 0x50 3x10`,
			`draingate_park_requests_total{service="web",result="released"} 0+9x60`,
		},
		"DraingateParkFails": {
			`draingate_park_actions_total{what="register",result="failed"} 0x50 1x10`,
			"draingate_park_actions_total{what=\"register\",result=\"done\"} 0+1x60\ndraingate_park_writes_total{what=\"Store\",result=\"done\"} 0+1x60",
		},
		"DraingateFallsBehind": {
			`draingate_queue_depth{instance="a"} 11x60`,
			`draingate_queue_depth{instance="a"} 11x55 0 11x4`,
		},
	}
	there, rules := series(t), alerts(t)
	require.Len(t, rules, len(tests), "each alert has a case")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rule, is := rules[name]
			require.True(t, is, "there is such an alert")
			requireThere(t, there, rule.Expr)
			require.NotEmpty(t, rule.Annotations["summary"])
			require.NotEmpty(t, rule.Annotations["description"])
			require.True(t, fires(t, rule.Expr, tt.fires), "fires on %s", tt.fires)
			require.False(t, fires(t, rule.Expr, tt.silent), "is silent on %s", tt.silent)
		})
	}
}

// fires evaluates an expression at the end of an hour.
func fires(t *testing.T, expr, data string) bool {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{Timeout: time.Minute, MaxSamples: 10000})
	defer engine.Close() //nolint:errcheck // in memory
	query, err := engine.NewInstantQuery(t.Context(), loaded(t, data), nil, expr, time.Unix(3600, 0))
	require.NoError(t, err)
	result := query.Exec(t.Context())
	require.NoError(t, result.Err)
	vector, err := result.Vector()
	require.NoError(t, err)
	return len(vector) > 0
}

// loaded is a storage with the series of the lines, a sample a minute from the
// hour's begin.
func loaded(t *testing.T, data string) storage.Queryable {
	t.Helper()
	var all []storage.Series
	for line := range strings.Lines(data) {
		metric, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc(strings.TrimSpace(line))
		require.NoError(t, err)
		var samples []chunks.Sample
		for i, v := range values {
			samples = append(samples, floatSample{at: int64(i) * time.Minute.Milliseconds(), value: v.Value})
		}
		all = append(all, storage.NewListSeries(metric, samples))
	}
	return &storage.MockQueryable{MockQuerier: &storage.MockQuerier{
		SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
			return newSeriesSet(slices.DeleteFunc(slices.Clone(all), func(s storage.Series) bool {
				return slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Labels().Get(m.Name)) })
			})...)
		},
	}}
}

// floatSample is a sample of no histogram; the methods for those are never called.
type floatSample struct {
	chunks.Sample
	at    int64
	value float64
}

func (s floatSample) T() int64                 { return s.at }
func (s floatSample) ST() int64                { return 0 }
func (s floatSample) F() float64               { return s.value }
func (s floatSample) Type() chunkenc.ValueType { return chunkenc.ValFloat }
func (s floatSample) Copy() chunks.Sample      { return s }

// seriesSet walks over series.
type seriesSet struct{ rest []storage.Series }

func newSeriesSet(all ...storage.Series) *seriesSet {
	return &seriesSet{append([]storage.Series{nil}, all...)}
}

func (s *seriesSet) Next() bool {
	s.rest = s.rest[1:]
	return len(s.rest) > 0
}
func (s *seriesSet) At() storage.Series                { return s.rest[0] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// panel is the part of a Grafana panel that is looked at.
type panel struct {
	Type, Title string
	Targets     []struct{ Expr string }
	GridPos     struct{ X, Y, W, H int }
}

func TestDashboard(t *testing.T) {
	content, err := os.ReadFile(monitoring + "dashboard.json")
	require.NoError(t, err)
	var dashboard struct{ Panels []panel }
	require.NoError(t, json.Unmarshal(content, &dashboard))
	there, shown := series(t), string(content)
	for _, p := range dashboard.Panels {
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		for _, target := range p.Targets {
			requireThere(t, there, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
	}
	for name := range there {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		require.True(t, strings.Contains(shown, base) || name == "draingate_decisions_total", "the dashboard shows %s", name)
	}
}
