package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/draingate/draingate/controller/model"
)

// The bounds on what is remembered and on what can become a label.
const (
	// MaxProxies is how many proxies have series of their own. Their names hold
	// ports that may change with every start, so that there is no other bound.
	MaxProxies = 64
	// maxJudged is how many deployments are remembered for not counting the
	// same arithmetic twice.
	maxJudged = 4096
)

// windows counts the drain arithmetic: once for each deployment, proxy and old
// instance, and again only where the figures change. One pass every half a
// second would otherwise weigh a long hold more than a hundred quick deploys.
type windows struct {
	servable, stopRouting, slack *prometheus.HistogramVec

	mu      sync.Mutex
	proxies map[string]bool
	judged  map[model.Key]map[windowKey]windowFigures
	oldest  []model.Key
}

// windowKey tells the windows of one deployment apart.
type windowKey struct{ proxy, group, service, allocation string }

// windowFigures are what is counted, in seconds.
type windowFigures struct{ servable, stopRouting, slack float64 }

func newWindows() *windows {
	return &windows{
		servable: seconds("servable_seconds",
			"S: how long an old instance goes on serving after it left the catalog. Counted once for each deployment, proxy and instance.",
			[]float64{0, 1, 2, 5, 10, 15, 20, 25, 30, 45, 60, 120}),
		stopRouting: seconds("stop_routing_seconds",
			"T: how long a proxy may go on sending to an instance that left the catalog. Counted once for each deployment, proxy and instance.",
			[]float64{1, 2, 5, 10, 15, 20, 25, 30, 45, 60, 120, 180}),
		slack: seconds("drain_slack_seconds",
			"S - T - L: what is in hand, to compare with the margin; below 0 requests would be lost. Counted once for each deployment, proxy and instance.",
			[]float64{-60, -30, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 30, 60}),
		proxies: map[string]bool{}, judged: map[model.Key]map[windowKey]windowFigures{},
	}
}

func seconds(name, help string, buckets []float64) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, []string{"proxy"})
}

func (w *windows) collectors() []prometheus.Collector {
	return []prometheus.Collector{w.servable, w.stopRouting, w.slack}
}

// Judged counts S, T and the slack of a decision where they are new or have
// changed. What could not be computed is not counted.
func (m *Metrics) Judged(key model.Key, d model.Decision) {
	m.windows.mu.Lock()
	defer m.windows.mu.Unlock()
	for _, w := range d.Windows {
		if w.Verdict == model.VerdictUnknown {
			continue
		}
		m.windows.count(key, windowKey{w.Proxy, w.Group, w.Service, w.Allocation}, windowFigures{
			servable: w.S.Seconds(), stopRouting: w.T.Seconds(), slack: (w.S - w.T - w.L).Seconds(),
		})
	}
}

func (w *windows) count(key model.Key, at windowKey, now windowFigures) {
	counted, is := w.judged[key]
	if !is {
		counted = map[windowKey]windowFigures{}
		w.remember(key, counted)
	}
	if before, is := counted[at]; is && before == now {
		return
	}
	counted[at] = now
	proxy := w.label(at.proxy)
	w.servable.WithLabelValues(proxy).Observe(now.servable)
	w.stopRouting.WithLabelValues(proxy).Observe(now.stopRouting)
	w.slack.WithLabelValues(proxy).Observe(now.slack)
}

// remember forgets the deployment that was judged first where there are too many.
func (w *windows) remember(key model.Key, counted map[windowKey]windowFigures) {
	w.judged[key] = counted
	w.oldest = append(w.oldest, key)
	if len(w.oldest) > maxJudged {
		delete(w.judged, w.oldest[0])
		w.oldest = w.oldest[1:]
	}
}

// label is the proxy's name, or Other for one too many.
func (w *windows) label(proxy string) string {
	if !w.proxies[proxy] && len(w.proxies) >= MaxProxies {
		return Other
	}
	w.proxies[proxy] = true
	return proxy
}
