package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/draingate/draingate/controller/model"
)

// deployments counts the current records by decision at each scrape, and tells
// the age of the oldest, so that the figures always add up and none outlives its
// deployment.
type deployments struct {
	list       func() []model.Record
	outcomes   map[outcome]bool
	count, age *prometheus.Desc
}

func newDeployments(list func() []model.Record, all map[outcome]bool) *deployments {
	return &deployments{
		list: list, outcomes: all,
		count: perOutcome("deployments", "Deployments by their current decision."),
		age:   perOutcome("decision_age_seconds", "Time since the oldest of the current decisions was taken, 0 where there is none."),
	}
}

func perOutcome(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, []string{"verb", "reason"}, nil)
}

// Describe implements prometheus.Collector.
func (d *deployments) Describe(ch chan<- *prometheus.Desc) {
	ch <- d.count
	ch <- d.age
}

// Collect implements prometheus.Collector.
func (d *deployments) Collect(ch chan<- prometheus.Metric) {
	count, age := make(map[outcome]int, len(d.outcomes)), map[outcome]time.Duration{}
	for o := range d.outcomes {
		count[o] = 0
	}
	for _, r := range d.list() {
		o := known(d.outcomes, r.Decision)
		count[o]++
		if !r.Since.IsZero() {
			age[o] = max(age[o], time.Since(r.Since))
		}
	}
	for o, n := range count {
		ch <- prometheus.MustNewConstMetric(d.count, prometheus.GaugeValue, float64(n), o.verb, o.reason)
		ch <- prometheus.MustNewConstMetric(d.age, prometheus.GaugeValue, age[o].Seconds(), o.verb, o.reason)
	}
}
