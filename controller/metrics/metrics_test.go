package metrics_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
)

func reasons() map[model.Verb][]model.Reason {
	return map[model.Verb][]model.Reason{
		model.Promote: {"Safe"},
		model.Hold:    {"DrainTooShort", "ProxyUnknown"},
	}
}

func setUp(t *testing.T, o metrics.Options) (*metrics.Metrics, *prometheus.Registry) {
	t.Helper()
	o.Reasons = reasons()
	registry := prometheus.NewPedanticRegistry()
	m, err := metrics.New(registry, o)
	require.NoError(t, err)
	return m, registry
}

func compare(t *testing.T, registry *prometheus.Registry, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestDecisionsAreCountedAndStandAtZeroFirst(t *testing.T) {
	m, registry := setUp(t, metrics.Options{})
	m.Decided(model.Decision{Verb: model.Hold, Reason: "DrainTooShort"})
	m.Decided(model.Decision{Verb: model.Hold, Reason: "DrainTooShort"})
	m.Decided(model.Decision{Verb: model.Hold, Reason: "deployment 1f2e of job web"})
	m.Decided(model.Decision{Verb: "Guess", Reason: "Safe"})
	compare(t, registry, `
# HELP draingate_decisions_total Decisions taken, one for each pass over a deployment.
# TYPE draingate_decisions_total counter
draingate_decisions_total{reason="DrainTooShort",verb="Hold"} 2
draingate_decisions_total{reason="Other",verb="Hold"} 1
draingate_decisions_total{reason="Other",verb="Other"} 1
draingate_decisions_total{reason="ProxyUnknown",verb="Hold"} 0
draingate_decisions_total{reason="Safe",verb="Promote"} 0
`, "draingate_decisions_total")
}

func TestTheLeadIsShown(t *testing.T) {
	leads := false
	m, registry := setUp(t, metrics.Options{Leads: func() bool { return leads }})
	want := func(leader, became string) string {
		return `
# HELP draingate_leader 1 where this instance leads and so may write, else 0.
# TYPE draingate_leader gauge
draingate_leader ` + leader + `
# HELP draingate_leadership_transitions_total Changes of this instance's part in the election of a leader, by what it became.
# TYPE draingate_leadership_transitions_total counter
draingate_leadership_transitions_total{to="candidate"} 0
draingate_leadership_transitions_total{to="follower"} 0
draingate_leadership_transitions_total{to="leader"} ` + became + "\n"
	}
	compare(t, registry, want("0", "0"), "draingate_leader", "draingate_leadership_transitions_total")
	leads = true
	m.Became(model.RoleLeader)
	compare(t, registry, want("1", "1"), "draingate_leader", "draingate_leadership_transitions_total")
}

func TestDeploymentsFollowTheRecords(t *testing.T) {
	hold := model.Record{Decision: model.Decision{Verb: model.Hold, Reason: "ProxyUnknown"}}
	records := []model.Record{hold, hold}
	_, registry := setUp(t, metrics.Options{Deployments: func() []model.Record { return records }})
	want := func(unknown, safe string) string {
		return `
# HELP draingate_deployments Deployments by their current decision.
# TYPE draingate_deployments gauge
draingate_deployments{reason="DrainTooShort",verb="Hold"} 0
draingate_deployments{reason="ProxyUnknown",verb="Hold"} ` + unknown + `
draingate_deployments{reason="Safe",verb="Promote"} ` + safe + "\n"
	}
	compare(t, registry, want("2", "0"), "draingate_deployments")
	records = []model.Record{{Decision: model.Decision{Verb: model.Promote, Reason: "Safe"}}}
	compare(t, registry, want("0", "1"), "draingate_deployments")
}

func TestPassesAndPromotionsAreCounted(t *testing.T) {
	m, registry := setUp(t, metrics.Options{})
	m.Reconciled(metrics.ReconcileError, 30*time.Millisecond)
	m.Reconciled("a result of its own", time.Millisecond)
	m.Promoted(metrics.PromotionAccepted)
	m.PromotedAfter(time.Second)
	compare(t, registry, `
# HELP draingate_promotions_total Attempts to promote a deployment, by their result.
# TYPE draingate_promotions_total counter
draingate_promotions_total{result="accepted"} 1
draingate_promotions_total{result="changed"} 0
draingate_promotions_total{result="dry_run"} 0
draingate_promotions_total{result="not_leading"} 0
draingate_promotions_total{result="refused"} 0
draingate_promotions_total{result="unanswered"} 0
# HELP draingate_reconcile_total Passes over a deployment, by their result.
# TYPE draingate_reconcile_total counter
draingate_reconcile_total{result="Other"} 1
draingate_reconcile_total{result="done"} 0
draingate_reconcile_total{result="error"} 1
draingate_reconcile_total{result="panic"} 0
draingate_reconcile_total{result="requeue"} 0
`, "draingate_promotions_total", "draingate_reconcile_total")
	require.Equal(t, uint64(2), samples(t, registry, "draingate_reconcile_duration_seconds"))
	require.Equal(t, uint64(1), samples(t, registry, "draingate_promotion_delay_seconds"))
}

func TestRequestsAreCountedByClass(t *testing.T) {
	m, registry := setUp(t, metrics.Options{})
	for _, code := range []int{200, 204, 302, 403, 500, 0, 7, 999} {
		m.Requested(metrics.SystemConsul, code, time.Millisecond)
	}
	m.Waited(metrics.SystemNomad, 200)
	compare(t, registry, `
# HELP draingate_api_requests_total Requests to Nomad, Consul and Traefik, by the class of the answer.
# TYPE draingate_api_requests_total counter
draingate_api_requests_total{code="2xx",system="consul"} 2
draingate_api_requests_total{code="2xx",system="nomad"} 1
draingate_api_requests_total{code="2xx",system="traefik"} 0
draingate_api_requests_total{code="3xx",system="consul"} 1
draingate_api_requests_total{code="3xx",system="nomad"} 0
draingate_api_requests_total{code="3xx",system="traefik"} 0
draingate_api_requests_total{code="4xx",system="consul"} 1
draingate_api_requests_total{code="4xx",system="nomad"} 0
draingate_api_requests_total{code="4xx",system="traefik"} 0
draingate_api_requests_total{code="5xx",system="consul"} 1
draingate_api_requests_total{code="5xx",system="nomad"} 0
draingate_api_requests_total{code="5xx",system="traefik"} 0
draingate_api_requests_total{code="error",system="consul"} 3
draingate_api_requests_total{code="error",system="nomad"} 0
draingate_api_requests_total{code="error",system="traefik"} 0
`, "draingate_api_requests_total")
	require.Equal(t, uint64(8), samples(t, registry, "draingate_api_request_duration_seconds"), "a request that waits is not timed")
}

func TestFunctionsAreAskedAtEachScrape(t *testing.T) {
	depth := 3
	_, registry := setUp(t, metrics.Options{
		Version:    "1.2.3",
		QueueDepth: func() int { return depth },
		WatchAges: map[string]func() time.Duration{
			"consul": func() time.Duration { return 1500 * time.Millisecond },
			"nomad":  func() time.Duration { return 0 },
		},
	})
	depth = 4
	compare(t, registry, `
# HELP draingate_build_info Always 1; the labels say what runs.
# TYPE draingate_build_info gauge
draingate_build_info{goversion="`+runtime.Version()+`",version="1.2.3"} 1
# HELP draingate_queue_depth Keys that wait for a pass.
# TYPE draingate_queue_depth gauge
draingate_queue_depth 4
# HELP draingate_watch_age_seconds Time since a watch last answered.
# TYPE draingate_watch_age_seconds gauge
draingate_watch_age_seconds{watch="consul"} 1.5
draingate_watch_age_seconds{watch="nomad"} 0
`, "draingate_build_info", "draingate_queue_depth", "draingate_watch_age_seconds")
}

func TestAllMetricsAreWellFormed(t *testing.T) {
	_, registry := setUp(t, metrics.Options{Deployments: func() []model.Record { return nil }})
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestNewReportsARegistryThatHasThemAlready(t *testing.T) {
	_, registry := setUp(t, metrics.Options{})
	_, err := metrics.New(registry, metrics.Options{})
	require.ErrorContains(t, err, "register metrics")
}

// samples returns how many observations a histogram has, over all its labels.
func samples(t *testing.T, registry *prometheus.Registry, name string) uint64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	var n uint64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, metric := range f.GetMetric() {
			n += metric.GetHistogram().GetSampleCount()
		}
	}
	return n
}
