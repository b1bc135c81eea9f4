package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/draingate/draingate/controller/model"
)

// deployments counts the current records by decision at each scrape, so that
// the figures always add up and none outlives its deployment.
type deployments struct {
	list     func() []model.Record
	outcomes map[outcome]bool
	desc     *prometheus.Desc
}

func newDeployments(list func() []model.Record, all map[outcome]bool) *deployments {
	return &deployments{list: list, outcomes: all, desc: prometheus.NewDesc(
		prometheus.BuildFQName(namespace, "", "deployments"),
		"Deployments by their current decision.",
		[]string{"verb", "reason"}, nil)}
}

// Describe implements prometheus.Collector.
func (d *deployments) Describe(ch chan<- *prometheus.Desc) { ch <- d.desc }

// Collect implements prometheus.Collector.
func (d *deployments) Collect(ch chan<- prometheus.Metric) {
	count := make(map[outcome]int, len(d.outcomes))
	for o := range d.outcomes {
		count[o] = 0
	}
	for _, r := range d.list() {
		count[known(d.outcomes, r.Decision)]++
	}
	for o, n := range count {
		ch <- prometheus.MustNewConstMetric(d.desc, prometheus.GaugeValue, float64(n), o.verb, o.reason)
	}
}
