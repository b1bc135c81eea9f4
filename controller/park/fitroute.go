package park

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// limits looks for middlewares that limit what passes. The running configuration
// counts where it is known: there are the middlewares of other providers, and those of the
// entry points, as well.
func (v View) limits() []Finding {
	var out []Finding
	for _, router := range v.routers() {
		for _, m := range v.middlewares(router) {
			limit := v.limit(m)
			if limit == "" {
				continue
			}
			out = append(out, Finding{Reason: ReasonLimit, Tag: "http.middlewares." + bare(m) + "." + strings.ToLower(limit),
				Message: fmt.Sprintf("router %q uses %s %q, %s; take it off the router", bare(router), limit, bare(m), limitEffect(limit))})
		}
	}
	return out
}

func limitEffect(limit string) string {
	if limit == model.LimitInFlight {
		return "which counts the requests that wait and refuses those above its amount"
	}
	return "which takes the long answers of a park for a failure and refuses all requests"
}

// routers are those of the tags that lead to a service of the tags, or of the
// running configuration, sorted.
func (v View) routers() []string {
	out := slices.Clone(v.Tags.Routers)
	if v.Routing != nil {
		for _, r := range v.Routing.Routers {
			if slices.ContainsFunc(v.Tags.Services, func(s model.TagService) bool { return s.Name == r.Service }) {
				out = append(out, r.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v View) running(router string) *model.Router {
	if v.Routing == nil {
		return nil
	}
	i := slices.IndexFunc(v.Routing.Routers, func(r model.Router) bool { return r.Name == router })
	if i < 0 {
		return nil
	}
	return &v.Routing.Routers[i]
}

// middlewares are those of a router, with what chains hold, each once.
func (v View) middlewares(router string) []string {
	var out []string
	queue := slices.Clone(v.Tags.RouterMiddlewares[router])
	if r := v.running(router); r != nil {
		queue = append(queue, r.Middlewares...)
	}
	for len(queue) > 0 {
		m := queue[0]
		queue = queue[1:]
		if slices.Contains(out, m) {
			continue
		}
		out = append(out, m)
		if v.Routing != nil {
			queue = append(queue, v.Routing.Middlewares[m].Chain...)
		}
	}
	return out
}

func (v View) limit(middleware string) string {
	if limit := v.Tags.Limits[middleware]; limit != "" {
		return limit
	}
	if v.Routing == nil {
		return ""
	}
	return v.Routing.Middlewares[middleware].Limit
}

const settingResponseHeader = "serversTransport.forwardingTimeouts.responseHeaderTimeout"

func (v View) response(longest time.Duration) []Finding {
	t := v.Settings.Timeouts
	byDefault := slices.ContainsFunc(v.Tags.Services, func(s model.TagService) bool { return s.ServersTransport == "" })
	if t == nil || !byDefault || t.ResponseHeader <= 0 || t.ResponseHeader > longest {
		return nil
	}
	return []Finding{{Reason: ReasonResponseTimeout, Setting: settingResponseHeader,
		Message: fmt.Sprintf("%s = %s ends a request that is parked for up to %s with 504; set it above that by the time of the slowest answer, or draingate_park below it", settingResponseHeader, t.ResponseHeader, longest)}}
}

// entryPoints looks at those of the routers. A write timeout counts from the
// request's headers to the end of its response, so the wait is in it. A read
// timeout counts to the end of the body, which is not read before the release
// (Go 1.26, net/http/server.go, conn.readRequest).
func (v View) entryPoints(longest time.Duration) []Finding {
	var out []Finding
	for _, e := range v.usedEntryPoints() {
		for _, limit := range []struct {
			name, what string
			value      time.Duration
		}{
			{"writeTimeout", "cuts the connection of a request that is parked for up to", e.Write},
			{"readTimeout", "ends a request with a body, which is not read while it is parked for up to", e.Read},
		} {
			if limit.value <= 0 || limit.value > longest {
				continue
			}
			setting := "entryPoints." + e.Name + ".transport.respondingTimeouts." + limit.name
			out = append(out, Finding{Reason: ReasonEntryPointTimeout, Setting: setting,
				Message: fmt.Sprintf("%s = %s %s %s; set it above that by the time of the slowest request, or draingate_park below it", setting, limit.value, limit.what, longest)})
		}
	}
	return out
}

func (v View) usedEntryPoints() []model.EntryPoint {
	if v.Settings.Timeouts == nil {
		return nil
	}
	var out []model.EntryPoint
	for _, e := range v.Settings.Timeouts.EntryPoints {
		if slices.ContainsFunc(v.routers(), func(router string) bool { return v.entersBy(router, e) }) {
			out = append(out, e)
		}
	}
	return out
}

// entersBy reports whether a router has the entry point. A running one says which
// it has, also where its tags name none.
func (v View) entersBy(router string, e model.EntryPoint) bool {
	if r := v.running(router); r != nil && len(r.EntryPoints) > 0 {
		return slices.Contains(r.EntryPoints, e.Name)
	}
	if named := v.Tags.RouterEntryPoints[router]; len(named) > 0 {
		return slices.Contains(named, e.Name)
	}
	return e.Default
}
