package park

import (
	"cmp"
	"slices"

	"github.com/draingate/draingate/controller/model"
)

// takers says how the proxies that take an instance stand to it.
func takers(proxies model.Fact[[]model.Proxy], r model.Registration) Takers {
	if !proxies.Known() {
		return TakersUnknown
	}
	out := TakersNone
	for i := range proxies.Value {
		p := &proxies.Value[i]
		reading, read := p.Tags[r.ServiceID]
		switch {
		case !p.Routing.Known() || !read || reading.Unknown != "" || reading.Err != "":
			return TakersUnknown
		case IsPlaceholder(r.ServiceID) && !points(reading, AddressOf(r)):
			return TakersSome
		case !reading.Exposed:
		case !lists(p.Routing.Value, reading.Services):
			return TakersSome
		default:
			out = TakersAll
		}
	}
	return out
}

// points reports whether a proxy sends what is for the instance there. A placeholder whose
// tags have a prefix that was not known yet has the port of an instance.
func points(reading model.TagReading, address string) bool {
	return !slices.ContainsFunc(reading.Services, func(s model.TagService) bool { return s.HostPort != address })
}

// lists reports whether each of the services that tags define has their instance
// among its servers.
func lists(routing model.Routing, services []model.TagService) bool {
	for _, want := range services {
		if !slices.ContainsFunc(routing.Services, func(s model.ProxyService) bool {
			return s.Name == want.Name && s.Status == model.StatusEnabled &&
				slices.ContainsFunc(s.Servers, func(u model.Server) bool { return u.HostPort == want.HostPort })
		}) {
			return false
		}
	}
	return len(services) > 0
}

func pools(proxies model.Fact[[]model.Proxy]) Pools {
	out := Pools{Addresses: map[string]bool{}}
	if !proxies.Known() {
		out.Unknown = cmp.Or(proxies.Err, "the proxies were not asked yet")
		return out
	}
	for _, p := range proxies.Value {
		if !p.Routing.Known() {
			out.Unknown = p.Name + ": " + p.Routing.Err
		}
		out.Throttle = max(out.Throttle, p.Settings.Value.Throttle)
		for _, s := range p.Routing.Value.Services {
			for _, server := range s.Servers {
				out.Addresses[server.HostPort] = true
			}
		}
	}
	return out
}
