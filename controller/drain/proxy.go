package drain

import (
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Apply is what a proxy is granted to put a new configuration into force: a
// rebuild of every router and service, then the switch of the handlers
// (Traefik v3.6.12, pkg/server/configurationwatcher.go, routerfactory.go).
const Apply = 500 * time.Millisecond

// NotPredictable says why no bound on T follows from the settings, or is empty
// where there is one.
//
// Only polling has a bound. In watch mode a watch that failed is tried again
// after up to 180 s (consul/api v1.26.1, watch/plan.go), whatever is set. With
// stale or cached reads a load may see an older catalog than the one that the
// instance has left.
func NotPredictable(s model.ProxySettings) string {
	switch {
	case !s.ConsulCatalog:
		return "the Consul catalog provider is not enabled"
	case s.Watch:
		return "consulCatalog.watch = true: a failed watch is tried again after up to 180s, which no setting bounds"
	case s.Stale:
		return "consulCatalog.stale = true: a load may be answered by a server that lags behind"
	case s.Cache:
		return "consulCatalog.cache = true: a load may be answered from an agent's cache"
	case s.RefreshInterval <= 0:
		return fmt.Sprintf("consulCatalog.refreshInterval = %s is not above zero", s.RefreshInterval)
	case s.Throttle < 0:
		return fmt.Sprintf("providersThrottleDuration = %s is below zero", s.Throttle)
	default:
		return ""
	}
}

// TimeToStopRouting returns T, the longest time for which a proxy with these
// settings goes on sending new requests to an instance that left the catalog,
// and the terms that add up to it.
//
//	T = max(R, P) + throttle + 2·P + Apply, but never less than shown
//
// with R = refreshInterval, P = the measured time of one full load (one call
// for the list of services and one for each of them, in sequence; a ticker
// that finds the load still running skips a beat, hence max), throttle =
// providersThrottleDuration, and shown = the time this proxy needed on the way
// in during the same deployment, zero where it was not measured. Source:
// Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go and
// pkg/provider/aggregator/aggregator.go.
//
// The result means nothing where NotPredictable has something to say.
func TimeToStopRouting(s model.ProxySettings, load model.Load, shown time.Duration) (time.Duration, []model.Term) {
	terms := []model.Term{
		{Name: "refreshInterval", Value: max(s.RefreshInterval, load.Took), Source: s.Source},
		{Name: "providersThrottleDuration", Value: s.Throttle, Source: s.Source},
		{Name: "two loads of the catalog", Value: 2 * load.Took, Source: fmt.Sprintf("measured, %d services", load.Services)},
		{Name: "apply", Value: Apply, Source: "constant"},
	}
	t := sum(terms)
	if shown > t {
		terms = append(terms, model.Term{Name: "shown on the way in", Value: shown - t, Source: "measured in this deployment"})
		t = shown
	}
	return t, terms
}

// TimeUnderWay returns how long after an answer of the catalog a proxy may begin
// to go by it.
//
//	P + throttle + Apply
//
// with the symbols of TimeToStopRouting: the rest of the load that the answer is
// a part of, the wait for its delivery, and the switch. Polling or watching makes
// no difference.
func TimeUnderWay(s model.ProxySettings, load model.Load) time.Duration {
	return load.Took + s.Throttle + Apply
}

func sum(terms []model.Term) time.Duration {
	var d time.Duration
	for _, t := range terms {
		d += t.Value
	}
	return d
}
