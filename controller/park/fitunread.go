package park

import (
	"fmt"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

// unread is what speaks neither for nor against a park because it is not known.
func (v View) unread(longest time.Duration) []Finding {
	var out []Finding
	if v.Settings.Timeouts == nil {
		out = append(out, Finding{Reason: ReasonEntryPointTimeout,
			Message: fmt.Sprintf("the timeouts of Traefik's entry points and of its serversTransport are not known; each must be above %s, or 0", longest)})
	}
	for _, s := range v.Tags.Services {
		if s.ServersTransport != "" {
			out = append(out, Finding{Reason: ReasonResponseTimeout, Tag: "http.services." + bare(s.Name) + ".loadbalancer.serverstransport",
				Message: fmt.Sprintf("the serversTransport %q of Traefik's service %q is not known; its forwardingTimeouts.responseHeaderTimeout must be above %s, or 0", s.ServersTransport, bare(s.Name), longest)})
		}
	}
	if v.Routing == nil {
		out = append(out, v.foreign()...)
	}
	if why := drain.NotPredictable(v.Settings); why != "" {
		out = append(out, Finding{Reason: ReasonNoticeUnknown, Message: "nothing bounds how long it takes until a placeholder is routed to (" + why + "), so no advance notice can be shown to be long enough"})
	}
	return out
}

// foreign are middlewares that something other than the tags defines.
func (v View) foreign() []Finding {
	var out []Finding
	for _, router := range v.Tags.Routers {
		for _, m := range v.Tags.RouterMiddlewares[router] {
			if !slices.ContainsFunc(v.Tags.Definitions, func(d model.TagDefinition) bool { return d.Kind == model.KindMiddleware && d.Name == m }) {
				out = append(out, Finding{Reason: ReasonLimit, Tag: "http.routers." + bare(router) + ".middlewares", Message: fmt.Sprintf("the middleware %q of router %q is not known; a %s or %s would refuse the park", m, bare(router), model.LimitCircuitBreaker, model.LimitInFlight)})
			}
		}
	}
	return out
}
