package traefik

import (
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// readRouters fills in the routers, what they refer to, and their retry. A
// router without a service is dropped by the provider where there is more
// than one to choose from (pkg/provider/configuration.go, v3.6.12). Whether a
// router without a rule gets one is up to the proxy's defaultRule.
func (h *httpConfig) readRouters(out *model.TagReading) {
	var kept []*httpRouter
	for _, name := range slices.Sorted(maps.Keys(h.Routers)) {
		r := h.Routers[name]
		service := r.Service
		if service == "" {
			if len(h.Services) > 1 {
				continue
			}
			for only := range h.Services {
				service = only
			}
		}
		r.Service = service
		kept = append(kept, r)
		if out.RouterServices == nil {
			out.RouterServices = make(map[string]string)
		}
		qualified := Qualify(name, model.ProviderConsulCatalog)
		out.RouterServices[qualified] = Qualify(service, model.ProviderConsulCatalog)
		if chain := h.expand(r.Middlewares, make(map[string]bool)); len(chain) > 0 {
			if out.RouterMiddlewares == nil {
				out.RouterMiddlewares = make(map[string][]string)
			}
			out.RouterMiddlewares[qualified] = chain
		}
		if len(r.EntryPoints) > 0 {
			if out.RouterEntryPoints == nil {
				out.RouterEntryPoints = make(map[string][]string)
			}
			out.RouterEntryPoints[qualified] = slices.Sorted(slices.Values(r.EntryPoints))
		}
	}
	out.Routers = slices.Sorted(maps.Keys(out.RouterServices))
	out.Retry = h.retryOf(kept)
	for _, name := range slices.Sorted(maps.Keys(h.Middlewares)) {
		m := h.Middlewares[name]
		if m.Retry != nil {
			out.Retries = append(out.Retries, *m.Retry.read(name))
		}
		if limit := m.limit(); limit != "" {
			if out.Limits == nil {
				out.Limits = make(map[string]string)
			}
			out.Limits[Qualify(name, model.ProviderConsulCatalog)] = limit
		}
	}
}

// limit is the kind of a middleware that limits what passes, empty for others.
func (m *middleware) limit() string {
	switch {
	case m.CircuitBreaker != nil:
		return model.LimitCircuitBreaker
	case m.InFlightReq != nil:
		return model.LimitInFlight
	default:
		return ""
	}
}

// expand replaces the chains that these tags define by what is in them, each
// once: a chain may contain itself, or others so often that it never ends.
func (h *httpConfig) expand(names []string, seen map[string]bool) []string {
	var out []string
	for _, ref := range names {
		name, own := ownName(ref)
		m := h.Middlewares[name]
		switch {
		case !own || m == nil || m.Chain == nil:
			out = append(out, Qualify(ref, model.ProviderConsulCatalog))
		case !seen[name]:
			seen[name] = true
			out = append(out, h.expand(m.Chain.Middlewares, seen)...)
		}
	}
	return out
}

// retryOf returns the weakest retry of the routers, nil where any has none.
func (h *httpConfig) retryOf(routers []*httpRouter) *model.Retry {
	var weakest *model.Retry
	for _, r := range routers {
		found := h.findRetry(r.Middlewares, make(map[string]bool))
		if found == nil {
			return nil
		}
		if weakest == nil || found.Attempts < weakest.Attempts {
			weakest = found
		}
	}
	return weakest
}

// findRetry looks for a retry that really tries again, also inside of chains.
// A middleware that these tags do not define may be anything and is not
// believed to be one. Seen guards against a chain that contains itself.
func (h *httpConfig) findRetry(names []string, seen map[string]bool) *model.Retry {
	for _, ref := range names {
		name, ok := ownName(ref)
		m := h.Middlewares[name]
		if !ok || m == nil || seen[name] {
			continue
		}
		seen[name] = true
		if m.Retry != nil && m.Retry.Attempts > 1 {
			return m.Retry.read(name)
		}
		if m.Chain == nil {
			continue
		}
		if found := h.findRetry(m.Chain.Middlewares, seen); found != nil {
			return found
		}
	}
	return nil
}

// ownName strips the Consul catalog's own provider from a reference; the
// second result is false for a reference to another provider.
func ownName(ref string) (string, bool) {
	name, provider, qualified := strings.Cut(ref, "@")
	return name, !qualified || provider == model.ProviderConsulCatalog
}

func (r *retry) read(name string) *model.Retry {
	return &model.Retry{
		Name:            Qualify(name, model.ProviderConsulCatalog),
		Attempts:        r.Attempts,
		InitialInterval: positive(r.InitialInterval, 0),
	}
}
