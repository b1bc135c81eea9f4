package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What an instance does on its node for a fence, in the words of the label.
const (
	// FenceSet puts a service into maintenance, FenceLift ends that.
	FenceSet  = "set"
	FenceLift = "lift"
	// FenceAcknowledge tells the leader that all of a record is in maintenance.
	FenceAcknowledge = "acknowledge"
	// FencePause pauses a deployment whose leader is gone.
	FencePause = "pause"
)

// The results of one such action.
const (
	FenceDone   = "done"
	FenceFailed = "failed"
)

// Fences are the records of fences as they stand at a scrape.
type Fences struct {
	// Steps counts the records by their step: fencing, armed or ended.
	Steps map[string]int
	// Oldest is how long ago the oldest record that has not ended was written; 0
	// where there is none.
	Oldest time.Duration
	// Fencers is the number of instances that are present on a node.
	Fencers int
}

// FenceActed counts one action of this instance on its node, by one of the Fence
// constants for what it was and whether it failed.
func (m *Metrics) FenceActed(what string, err error) {
	result := FenceDone
	if err != nil {
		result = FenceFailed
	}
	m.fenceActions.WithLabelValues(oneOf(what, fenceActions()), result).Inc()
}

func fenceActions() []string {
	return []string{FenceSet, FenceLift, FenceAcknowledge, FencePause}
}

func fenceSteps() []string { return []string{"fencing", "armed", "ended"} }

// fences asks for the records at each scrape. While they cannot be read it has
// no series: none is not zero.
type fences struct {
	read                func() (Fences, error)
	steps, age, present *prometheus.Desc
}

func newFences(read func() (Fences, error)) *fences {
	name := func(n string) string { return prometheus.BuildFQName(namespace, "", n) }
	return &fences{
		read:    read,
		steps:   prometheus.NewDesc(name("fences"), "Records of fences, by their step; absent while they cannot be read.", []string{"step"}, nil),
		age:     prometheus.NewDesc(name("fence_age_seconds"), "Time since the oldest record of a fence that has not ended was written, 0 where there is none.", nil, nil),
		present: prometheus.NewDesc(name("fencers"), "Instances of draingate that are present on a node and can fence there.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (f *fences) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.steps
	ch <- f.age
	ch <- f.present
}

// Collect implements prometheus.Collector.
func (f *fences) Collect(ch chan<- prometheus.Metric) {
	now, err := f.read()
	if err != nil {
		return
	}
	for _, step := range fenceSteps() {
		ch <- prometheus.MustNewConstMetric(f.steps, prometheus.GaugeValue, float64(now.Steps[step]), step)
	}
	ch <- prometheus.MustNewConstMetric(f.age, prometheus.GaugeValue, max(now.Oldest, 0).Seconds())
	ch <- prometheus.MustNewConstMetric(f.present, prometheus.GaugeValue, float64(now.Fencers))
}
