package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Parks are the records of parks as they stand at a scrape.
type Parks struct {
	// Steps counts the records by their step: parking, leaving, out or over.
	Steps map[string]int
	// Parkers is the number of instances that are present on a node.
	Parkers int
}

// ParkedService is what the listeners of this instance did for one service since
// the process began.
type ParkedService struct {
	// Waiting wait now, Oldest is for how long the first of them has; Peak is the most
	// that waited at once, Longest the longest wait that ended.
	Waiting, Peak   int
	Oldest, Longest time.Duration
	// UnderWay are at an instance now, Upgrades of them have changed their protocol.
	UnderWay, Upgrades int
	// Results counts requests by what became of them: forwarded, released, gone,
	// failed or broken.
	Results map[string]uint64
	// Refused counts those that got a 503, by why.
	Refused map[string]uint64
}

// MaxParked is how many services have series of their own: the first by name. The
// others are counted together as Other.
const MaxParked = 100

// What became of requests that are in ParkedService.Results.
const (
	// ParkForwarded went to an instance at once, ParkReleased after a wait.
	ParkForwarded = "forwarded"
	ParkReleased  = "released"
	// ParkGone are those whose client left before anything was sent.
	ParkGone = "gone"
	// ParkUnanswered were sent to an instance that did not answer: a 502.
	ParkUnanswered = "unanswered"
	// ParkBroken ended in the middle.
	ParkBroken = "broken"
)

func parkSteps() []string { return []string{"parking", "leaving", "out", "over"} }

// parks asks for the records at each scrape. While they cannot be read it has no
// series: none is not zero.
type parks struct {
	read           func() (Parks, error)
	steps, present *prometheus.Desc
}

func newParks(read func() (Parks, error)) *parks {
	return &parks{
		read:    read,
		steps:   described("parks", "Records of parks, by their step; absent while they cannot be read.", "step"),
		present: described("parkers", "Instances of draingate that are present on a node and can park there."),
	}
}

func described(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// Describe implements prometheus.Collector.
func (p *parks) Describe(ch chan<- *prometheus.Desc) { ch <- p.steps; ch <- p.present }

// Collect implements prometheus.Collector.
func (p *parks) Collect(ch chan<- prometheus.Metric) {
	now, err := p.read()
	if err != nil {
		return
	}
	for _, step := range parkSteps() {
		ch <- prometheus.MustNewConstMetric(p.steps, prometheus.GaugeValue, float64(now.Steps[step]), step)
	}
	ch <- prometheus.MustNewConstMetric(p.present, prometheus.GaugeValue, float64(now.Parkers))
}

// parked asks for the figures of listeners at each scrape. Only a service that was
// parked for on this node has series, so their number is bounded by that of those jobs.
type parked struct {
	read                                               func() map[string]ParkedService
	waiting, peak, oldest, longest, underWay, upgrades *prometheus.Desc
	results, refused                                   *prometheus.Desc
}

func newParked(read func() map[string]ParkedService) *parked {
	of := func(name, help string, labels ...string) *prometheus.Desc {
		return described(name, help, append([]string{"service"}, labels...)...)
	}
	return &parked{
		read:     read,
		waiting:  of("park_waiting", "Requests that wait on this node now."),
		peak:     of("park_waiting_peak", "The most requests that waited on this node at once, since this process began."),
		oldest:   of("park_oldest_wait_seconds", "For how long the first of those that wait has waited, 0 where none does."),
		longest:  of("park_longest_wait_seconds", "The longest wait of any request that ended, since this process began."),
		underWay: of("park_under_way", "Requests that this node has passed on to an instance and that are not over."),
		upgrades: of("park_upgrades", "Those of them that have changed their protocol, such as WebSockets."),
		results:  of("park_requests_total", "Requests that reached a placeholder of this node, by what became of them.", "result"),
		refused:  of("park_refused_total", "Requests that got a 503 of this node's own and were sent to no instance, by why.", "reason"),
	}
}

// Describe implements prometheus.Collector.
func (p *parked) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.waiting, p.peak, p.oldest, p.longest, p.underWay, p.upgrades, p.results, p.refused} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (p *parked) Collect(ch chan<- prometheus.Metric) {
	all := bounded(p.read())
	for _, service := range slices.Sorted(maps.Keys(all)) {
		s := all[service]
		gauge := func(d *prometheus.Desc, value float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, service)
		}
		gauge(p.waiting, float64(s.Waiting))
		gauge(p.peak, float64(s.Peak))
		gauge(p.oldest, s.Oldest.Seconds())
		gauge(p.longest, s.Longest.Seconds())
		gauge(p.underWay, float64(s.UnderWay))
		gauge(p.upgrades, float64(s.Upgrades))
		for _, result := range slices.Sorted(maps.Keys(s.Results)) {
			ch <- prometheus.MustNewConstMetric(p.results, prometheus.CounterValue, float64(s.Results[result]), service, result)
		}
		for _, reason := range slices.Sorted(maps.Keys(s.Refused)) {
			ch <- prometheus.MustNewConstMetric(p.refused, prometheus.CounterValue, float64(s.Refused[reason]), service, reason)
		}
	}
}

// bounded has at most MaxParked services, and the sum of the others as Other.
func bounded(all map[string]ParkedService) map[string]ParkedService {
	if len(all) <= MaxParked {
		return all
	}
	out, other := map[string]ParkedService{}, ParkedService{Results: map[string]uint64{}, Refused: map[string]uint64{}}
	for i, service := range slices.Sorted(maps.Keys(all)) {
		if i < MaxParked {
			out[service] = all[service]
			continue
		}
		other.add(all[service])
	}
	out[Other] = other
	return out
}

func (s *ParkedService) add(o ParkedService) {
	s.Waiting, s.UnderWay, s.Upgrades = s.Waiting+o.Waiting, s.UnderWay+o.UnderWay, s.Upgrades+o.Upgrades
	s.Peak, s.Oldest, s.Longest = max(s.Peak, o.Peak), max(s.Oldest, o.Oldest), max(s.Longest, o.Longest)
	for result, n := range o.Results {
		s.Results[result] += n
	}
	for reason, n := range o.Refused {
		s.Refused[reason] += n
	}
}
