package metrics

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/draingate/draingate/controller/model"
)

const namespace = "draingate"

// Other stands for every label value that was not announced in Options, so
// that a mistake elsewhere cannot make the number of series grow.
const Other = "Other"

// The results of one reconcile, in the words of package reconcile.
const (
	ReconcileDone    = "done"
	ReconcileRequeue = "requeue"
	ReconcileError   = "error"
	ReconcilePanic   = "panic"
)

// The results of one attempt to promote.
const (
	// PromotionAccepted means that Nomad took the promotion.
	PromotionAccepted = "accepted"
	// PromotionChanged means that the last reading before the write showed
	// another deployment than the one that was judged, so nothing was written.
	PromotionChanged = "changed"
	// PromotionNotLeading means that this instance did not lead, or not for long
	// enough to write, so nothing was written.
	PromotionNotLeading = "not_leading"
	// PromotionRefused means that Nomad answered that it would not.
	PromotionRefused = "refused"
	// PromotionUnanswered means that it is not known whether Nomad took it.
	PromotionUnanswered = "unanswered"
	// PromotionDryRun means that a dry run would have promoted.
	PromotionDryRun = "dry_run"
)

// The results of one event for a webhook, in the words of package webhook.
const (
	WebhookSent    = "sent"
	WebhookFailed  = "failed"
	WebhookDropped = "dropped"
)

// The external systems whose requests are counted.
const (
	SystemNomad   = "nomad"
	SystemConsul  = "consul"
	SystemTraefik = "traefik"
)

// The classes of answers; CodeError is a request without an answer.
const (
	codeSuccess  = "2xx"
	codeRedirect = "3xx"
	codeClient   = "4xx"
	codeServer   = "5xx"
	CodeError    = "error"
)

// Options are the label values and the functions that are asked at each
// scrape. Functions may be nil, and must be safe for concurrent use.
type Options struct {
	// Reasons lists, for each verb, the reasons that it can have.
	Reasons map[model.Verb][]model.Reason
	// Deployments returns the current record of every deployment.
	Deployments func() []model.Record
	// WatchAges returns, by the name of a watch, how long ago it last answered.
	WatchAges map[string]func() time.Duration
	// Fences reads the records of fences; an error means that they are not known.
	Fences func() (Fences, error)
	// Parks reads the records of parks; an error means that they are not known.
	Parks func() (Parks, error)
	// ParkedServices returns what the listeners of this instance did, by service.
	ParkedServices func() map[string]ParkedService
	// ParkReasons are the reasons that a park can have.
	ParkReasons []model.Reason
	// Leads returns whether this instance leads, and so may write.
	Leads func() bool
	// QueueDepth returns how many keys wait.
	QueueDepth func() int
	// WebhookDepth returns how many events wait for the webhook, and
	// EventStreams how many streams of events are open.
	WebhookDepth, EventStreams func() int
	// Version is draingate's own.
	Version string
}

// Metrics holds the collectors. Make one with New; its methods are safe for
// concurrent use.
type Metrics struct {
	outcomes          map[outcome]bool
	decisions         *prometheus.CounterVec
	reconciles        *prometheus.CounterVec
	reconcileDuration prometheus.Histogram
	promotions        *prometheus.CounterVec
	failures          *prometheus.CounterVec
	webhooks          *prometheus.CounterVec
	fenceActions      *prometheus.CounterVec
	parks             parkCounters
	promotionDelay    prometheus.Histogram
	transitions       *prometheus.CounterVec
	requests          *prometheus.CounterVec
	requestDuration   *prometheus.HistogramVec
	windows           *windows
}

// outcome is the pair of labels that a decision has.
type outcome struct{ verb, reason string }

// New registers all collectors and initialises every label value, so that
// rates and alerts exist before the first event.
func New(reg prometheus.Registerer, o Options) (*Metrics, error) {
	m := &Metrics{
		outcomes:          outcomes(o.Reasons),
		decisions:         counter("decisions_total", "Decisions taken, one for each pass over a deployment.", "verb", "reason"),
		reconciles:        counter("reconcile_total", "Passes over a deployment, by their result.", "result"),
		reconcileDuration: duration("reconcile_duration_seconds", "Duration of one pass over a deployment."),
		promotions:        counter("promotions_total", "Attempts to promote a deployment, by their result.", "result"),
		failures:          counter("failures_total", "Attempts to fail a deployment whose hold deadline had passed, by their result.", "result"),
		promotionDelay:    duration("promotion_delay_seconds", "Time from the last condition turning true to Nomad accepting the promotion."),
		transitions:       counter("leadership_transitions_total", "Changes of this instance's part in the election of a leader, by what it became.", "to"),
		webhooks:          counter("webhook_events_total", "Events for the webhook, by what became of them.", "result"),
		fenceActions:      counter("fence_actions_total", "What this instance did on its node for fences, by what it was and whether that failed.", "what", "result"),
		requests:          counter("api_requests_total", "Requests to Nomad, Consul and Traefik, by the class of the answer.", "system", "code"),
		requestDuration: prometheus.NewHistogramVec(
			durationOpts("api_request_duration_seconds", "Duration of requests to Nomad, Consul and Traefik, without those that wait for a change."),
			[]string{"system"}),
		parks:   newParkCounters(o.ParkReasons),
		windows: newWindows(),
	}
	m.initialise()
	collectors := []prometheus.Collector{m.decisions, m.reconciles, m.reconcileDuration, m.promotions, m.failures, m.promotionDelay, m.transitions, m.webhooks, m.fenceActions, m.requests, m.requestDuration}
	for _, c := range slices.Concat(collectors, m.parks.collectors(), m.windows.collectors(), asked(o, m.outcomes)) {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// Decided counts one decision.
func (m *Metrics) Decided(d model.Decision) {
	p := known(m.outcomes, d)
	m.decisions.WithLabelValues(p.verb, p.reason).Inc()
}

// Reconciled counts one pass with one of the Reconcile results.
func (m *Metrics) Reconciled(result string, took time.Duration) {
	m.reconciles.WithLabelValues(oneOf(result, reconcileResults())).Inc()
	m.reconcileDuration.Observe(took.Seconds())
}

// Promoted counts one attempt to promote with one of the Promotion results.
func (m *Metrics) Promoted(result string) {
	m.promotions.WithLabelValues(oneOf(result, promotionResults())).Inc()
}

// Failed counts one attempt to fail a deployment with one of the Promotion
// results.
func (m *Metrics) Failed(result string) {
	m.failures.WithLabelValues(oneOf(result, promotionResults())).Inc()
}

// PromotedAfter takes in how long an accepted promotion came after the last
// condition turned true.
func (m *Metrics) PromotedAfter(late time.Duration) { m.promotionDelay.Observe(late.Seconds()) }

// Became counts a change to another part in the election.
func (m *Metrics) Became(role model.Role) {
	m.transitions.WithLabelValues(oneOf(string(role), roles())).Inc()
}

// Notified counts one event for the webhook with one of the Webhook results.
func (m *Metrics) Notified(result string) {
	m.webhooks.WithLabelValues(oneOf(result, webhookResults())).Inc()
}

// Requested counts one request to one of the systems and times it. The code is
// the HTTP status code of the answer, or 0 where there was none.
func (m *Metrics) Requested(system string, code int, took time.Duration) {
	system = oneOf(system, systems())
	m.requests.WithLabelValues(system, class(code)).Inc()
	m.requestDuration.WithLabelValues(system).Observe(took.Seconds())
}

// Waited counts one request that waits for a change and so has no duration
// that means anything.
func (m *Metrics) Waited(system string, code int) {
	m.requests.WithLabelValues(oneOf(system, systems()), class(code)).Inc()
}

func (m *Metrics) initialise() {
	for o := range m.outcomes {
		m.decisions.WithLabelValues(o.verb, o.reason)
	}
	for _, r := range reconcileResults() {
		m.reconciles.WithLabelValues(r)
	}
	for _, r := range promotionResults() {
		m.promotions.WithLabelValues(r)
		m.failures.WithLabelValues(r)
	}
	for _, r := range roles() {
		m.transitions.WithLabelValues(r)
	}
	for _, r := range webhookResults() {
		m.webhooks.WithLabelValues(r)
	}
	for _, what := range fenceActions() {
		m.fenceActions.WithLabelValues(what, FenceDone)
		m.fenceActions.WithLabelValues(what, FenceFailed)
	}
	for _, s := range systems() {
		m.requestDuration.WithLabelValues(s)
		for _, c := range []string{codeSuccess, codeRedirect, codeClient, codeServer, CodeError} {
			m.requests.WithLabelValues(s, c)
		}
	}
}

func reconcileResults() []string {
	return []string{ReconcileDone, ReconcileRequeue, ReconcileError, ReconcilePanic}
}

func promotionResults() []string {
	return []string{PromotionAccepted, PromotionChanged, PromotionNotLeading, PromotionRefused, PromotionUnanswered, PromotionDryRun}
}

func roles() []string {
	return []string{string(model.RoleCandidate), string(model.RoleLeader), string(model.RoleFollower)}
}

func webhookResults() []string { return []string{WebhookSent, WebhookFailed, WebhookDropped} }

func systems() []string { return []string{SystemNomad, SystemConsul, SystemTraefik} }

func oneOf(value string, values []string) string {
	if slices.Contains(values, value) {
		return value
	}
	return Other
}

func class(code int) string {
	switch {
	case code >= 200 && code < 300:
		return codeSuccess
	case code >= 300 && code < 400:
		return codeRedirect
	case code >= 400 && code < 500:
		return codeClient
	case code >= 500 && code < 600:
		return codeServer
	default:
		return CodeError
	}
}

func outcomes(reasons map[model.Verb][]model.Reason) map[outcome]bool {
	out := map[outcome]bool{}
	for verb, all := range reasons {
		for _, reason := range all {
			out[outcome{string(verb), string(reason)}] = true
		}
	}
	return out
}

// known returns the labels of a decision, with Other for what was not announced.
func known(all map[outcome]bool, d model.Decision) outcome {
	p := outcome{string(d.Verb), string(d.Reason)}
	if all[p] {
		return p
	}
	verbs := []string{string(model.Promote), string(model.Fence), string(model.Hold), string(model.Fail), string(model.None)}
	return outcome{oneOf(p.verb, verbs), Other}
}

// asked returns the collectors that call a function at each scrape.
func asked(o Options, all map[outcome]bool) []prometheus.Collector {
	out := []prometheus.Collector{gauge("build_info", "Always 1; the labels say what runs.",
		prometheus.Labels{"version": o.Version, "goversion": runtime.Version()}, func() float64 { return 1 })}
	if o.Deployments != nil {
		out = append(out, newDeployments(o.Deployments, all))
	}
	if o.Fences != nil {
		out = append(out, newFences(o.Fences))
	}
	if o.Parks != nil {
		out = append(out, newParks(o.Parks))
	}
	if o.ParkedServices != nil {
		out = append(out, newParked(o.ParkedServices))
	}
	if o.QueueDepth != nil {
		out = append(out, gauge("queue_depth", "Keys that wait for a pass.", nil, func() float64 { return float64(o.QueueDepth()) }))
	}
	if o.Leads != nil {
		out = append(out, gauge("leader", "1 where this instance leads and so may write, else 0.", nil, func() float64 {
			if o.Leads() {
				return 1
			}
			return 0
		}))
	}
	if o.WebhookDepth != nil {
		out = append(out, gauge("webhook_queue_depth", "Events that wait for the webhook.", nil, func() float64 { return float64(o.WebhookDepth()) }))
	}
	if o.EventStreams != nil {
		out = append(out, gauge("event_streams", "Streams of events that are open.", nil, func() float64 { return float64(o.EventStreams()) }))
	}
	for _, name := range slices.Sorted(maps.Keys(o.WatchAges)) {
		age := o.WatchAges[name]
		out = append(out, gauge("watch_age_seconds", "Time since a watch last answered.",
			prometheus.Labels{"watch": name}, func() float64 { return age().Seconds() }))
	}
	return out
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string, labels prometheus.Labels, f func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: labels}, f)
}

func duration(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(durationOpts(name, help))
}

func durationOpts(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 11)}
}
