package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/draingate/draingate/controller/model"
)

// What an instance does on its node for parks, in the words of package parker.
const (
	// ParkRegister brings a placeholder into the catalog, ParkDeregister takes one
	// out of it.
	ParkRegister   = "register"
	ParkDeregister = "deregister"
	// ParkSet and ParkLift begin and end the maintenance of a pause.
	ParkSet  = "set"
	ParkLift = "lift"
	// ParkSay tells the leader how far the instance is.
	ParkSay = "say"
)

// What the leader writes, in the words of package park.
const (
	ParkStore  = "Store"
	ParkForget = "Forget"
)

// The results of one of these.
const (
	ParkDone   = "done"
	ParkFailed = "failed"
)

// parkCounters count what is done for parks, and what becomes of them.
type parkCounters struct {
	reasons                        []string
	actions, writes, ends, refused *prometheus.CounterVec
}

func newParkCounters(reasons []model.Reason) parkCounters {
	c := parkCounters{
		actions: counter("park_actions_total", "What this instance did on its node for parks, by what it was and whether that failed.", "what", "result"),
		writes:  counter("park_writes_total", "Writes of records of parks by this instance as the leader, by what it was and whether that failed.", "what", "result"),
		ends:    counter("park_ends_total", "Parks that this instance ended as the leader, by why.", "reason"),
		refused: counter("park_refusals_total", "Times that a service was to be parked for and was not, by why, as the leader saw it.", "reason"),
	}
	for _, r := range reasons {
		c.reasons = append(c.reasons, string(r))
		c.ends.WithLabelValues(string(r))
		c.refused.WithLabelValues(string(r))
	}
	for _, result := range []string{ParkDone, ParkFailed} {
		for _, what := range parkActions() {
			c.actions.WithLabelValues(what, result)
		}
		for _, what := range parkWrites() {
			c.writes.WithLabelValues(what, result)
		}
	}
	return c
}

func parkActions() []string {
	return []string{ParkRegister, ParkDeregister, ParkSet, ParkLift, ParkSay}
}

func parkWrites() []string { return []string{ParkStore, ParkForget} }

func (c parkCounters) collectors() []prometheus.Collector {
	return []prometheus.Collector{c.actions, c.writes, c.ends, c.refused}
}

// ParkActed counts one action of this instance on its node, by one of the Park
// constants for what it was and whether it failed.
func (m *Metrics) ParkActed(what string, err error) {
	m.parks.actions.WithLabelValues(oneOf(what, parkActions()), parkResult(err)).Inc()
}

// ParkWrote counts one write of the leader: ParkStore or ParkForget.
func (m *Metrics) ParkWrote(what string, err error) {
	m.parks.writes.WithLabelValues(oneOf(what, parkWrites()), parkResult(err)).Inc()
}

// ParkEnded counts a park that began to leave, for the reason.
func (m *Metrics) ParkEnded(reason model.Reason) {
	m.parks.ends.WithLabelValues(oneOf(string(reason), m.parks.reasons)).Inc()
}

// ParkRefused counts a service that was to be parked for and was not.
func (m *Metrics) ParkRefused(reason model.Reason) {
	m.parks.refused.WithLabelValues(oneOf(string(reason), m.parks.reasons)).Inc()
}

func parkResult(err error) string {
	if err != nil {
		return ParkFailed
	}
	return ParkDone
}
