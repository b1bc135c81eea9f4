package park

import "github.com/draingate/draingate/controller/model"

// Reasons for which a service is not parked for. Each stands for a way in which
// requests would be lost, or never come, with a placeholder in the pool.
const (
	// ReasonNotService: no service job.
	ReasonNotService model.Reason = "UnsupportedJob"
	// ReasonProviderNomad: the service is registered with Nomad and not with Consul.
	ReasonProviderNomad model.Reason = "ProviderNomad"
	// ReasonConnect: the service is reached through Consul's mesh.
	ReasonConnect model.Reason = "UnsupportedConnect"
	// ReasonNotRouted: no proxy routes to the service by HTTP.
	ReasonNotRouted model.Reason = "NotRouted"
	// ReasonTagsUnknown: what a proxy makes of the tags is not known, or it refuses
	// them.
	ReasonTagsUnknown model.Reason = "TagsUnknown"
	// ReasonProtocol: tags ask for TCP or UDP routers, whose connections would reach
	// the placeholder.
	ReasonProtocol model.Reason = "UnsupportedProtocol"
	// ReasonScheme: the proxy speaks something other than HTTP/1.1 without TLS to the
	// instances.
	ReasonScheme model.Reason = "UnsupportedScheme"
	// ReasonWeight: an instance of this weight gets no request, and a placeholder with
	// its tags none either.
	ReasonWeight model.Reason = "WeightZero"
	// ReasonHealthCheck: Traefik's health check asks in a way that a placeholder cannot answer.
	ReasonHealthCheck model.Reason = "HealthCheckElsewhere"
	// ReasonPassiveHealthCheck: requests that fail take the placeholder out of the pool.
	ReasonPassiveHealthCheck model.Reason = "PassiveHealthCheck"
	// ReasonLimit: a middleware counts the requests that wait, or answers itself where
	// answers are slow.
	ReasonLimit model.Reason = "LimitingMiddleware"
	// ReasonResponseTimeout: the proxy waits for the headers of a response for less
	// time than a request may be parked.
	ReasonResponseTimeout model.Reason = "ResponseHeaderTimeout"
	// ReasonEntryPointTimeout: an entry point ends connections sooner than a parked
	// request may be answered.
	ReasonEntryPointTimeout model.Reason = "EntryPointTimeout"
	// ReasonTagsDiffer: the versions define one name differently, and a proxy drops it
	// while a placeholder stands beside the new version.
	ReasonTagsDiffer model.Reason = "TagsDiffer"
)
