package model

import "time"

// ProviderConsulCatalog is the suffix of every router and service that
// Traefik's Consul catalog provider made.
const ProviderConsulCatalog = "consulcatalog"

// Proxy is one Traefik instance as last read.
type Proxy struct {
	// Name identifies the instance for people: host:port of its API.
	Name string
	// URL is the base URL of the API.
	URL string
	// AllocID is the Nomad allocation it runs in, empty where unknown.
	AllocID string
	// Started is the process's start date, which is its identity: a restarted
	// process is another proxy. Unknown where the API does not answer.
	Started Fact[time.Time]
	// Version is Traefik's version as it reports it, such as "3.6.12".
	Version string
	// Ambiguous, where not empty, says that one address answers for several
	// processes, so that nothing read from it can be trusted.
	Ambiguous string
	Settings  Fact[ProxySettings]
	Routing   Fact[Routing]
	// Tags says how this proxy reads the tags of each instance, by service ID.
	Tags map[string]TagReading
}

// ProxySettings are the static settings that decide how long a proxy goes on
// routing to an instance that left the catalog. Defaults are applied.
type ProxySettings struct {
	// Source is where the settings come from: "process" or the file's name.
	Source string
	// Contradictions lists settings for which another source said otherwise.
	Contradictions []string
	// ConsulCatalog is false where the Consul catalog provider is not enabled.
	ConsulCatalog    bool
	RefreshInterval  time.Duration
	Throttle         time.Duration
	Watch            bool
	Stale            bool
	Cache            bool
	StrictChecks     []string
	ExposedByDefault bool
	Prefix           string
	Constraints      string
	// ConnectAware and ConnectByDefault say what the provider does with
	// instances of a Consul service mesh.
	ConnectAware     bool
	ConnectByDefault bool
	// Timeouts bound how long a request may take on its way through; nil where
	// they are not known.
	Timeouts *Timeouts
}

// Timeouts are the settings that bound how long a request may take on its way
// through a proxy. Zero bounds nothing.
type Timeouts struct {
	// ResponseHeader is how long a request that was sent waits for the headers of
	// its response, where its service names no serversTransport of its own.
	ResponseHeader time.Duration
	// EntryPoints is sorted by name.
	EntryPoints []EntryPoint
}

// EntryPoint is where clients reach a proxy.
type EntryPoint struct {
	Name string
	// Default is true where routers that name no entry point have this one.
	Default bool
	// Read is how long the whole request may take to arrive, with its body; Write
	// how long the response may take from then on, the wait for it included.
	Read, Write time.Duration
}

// Routing is the dynamic configuration that a proxy runs now.
type Routing struct {
	// Routers and Services hold HTTP only, sorted by name.
	Routers  []Router
	Services []ProxyService
	// Middlewares are those among the middlewares of HTTP that hold other
	// middlewares or limit what passes, by name@provider.
	Middlewares map[string]Middleware
}

// Kinds of middlewares that limit what passes, in Traefik's own spelling.
const (
	LimitCircuitBreaker = "circuitBreaker"
	LimitInFlight       = "inFlightReq"
)

// Middleware is a middleware of HTTP that holds others or limits what passes.
type Middleware struct {
	// Limit is one of the Limit constants, empty for a chain.
	Limit string
	// Chain are the middlewares that it holds, as name@provider.
	Chain []string
}

// StatusEnabled is Traefik's word for a router or service that is in force.
const StatusEnabled = "enabled"

// Router is one HTTP router of a proxy.
type Router struct {
	// Name is name@provider.
	Name     string
	Provider string
	// Service is name@provider, also where Traefik reports it without.
	Service string
	Rule    string
	Status  string
	Errors  []string
	// EntryPoints are sorted; Middlewares are name@provider, in their order.
	EntryPoints []string
	Middlewares []string
}

// ProxyService is one HTTP service of a proxy.
type ProxyService struct {
	Name     string
	Provider string
	Status   string
	Errors   []string
	UsedBy   []string
	// Servers is empty for anything that is not a load balancer.
	Servers []Server
}

// Server is one upstream of a load balancer.
type Server struct {
	URL string
	// HostPort is the host:port of the URL.
	HostPort string
	// Status is UP or DOWN as Traefik's own health check sees it; without a
	// health check it is always UP.
	Status string
	// Weight is the server's share of requests, 1 unless said otherwise. A
	// server of weight 0 or less is listed and gets none.
	Weight int
}

// TagReading is what one proxy makes of the tags of one instance.
type TagReading struct {
	// Exposed is true where the proxy takes the instance into its
	// configuration: enabled, and not excluded by constraints.
	Exposed bool
	// Excluded says why it is not exposed.
	Excluded string
	// Unknown, where not empty, says why it cannot be told what the proxy
	// makes of the tags. Exposed is then false and nothing else can be relied on.
	Unknown string
	// Err is not empty where Traefik would refuse the tags and so remove
	// the instance.
	Err string
	// NonHTTP is true where tags ask for TCP or UDP routers.
	NonHTTP bool
	// Services are the load balancers that the tags define or imply, sorted
	// by name.
	Services []TagService
	// Routers are the routers that the tags define or imply, as
	// name@provider, sorted.
	Routers []string
	// RouterServices holds the service that each of these routers refers to,
	// both as name@provider.
	RouterServices map[string]string
	// Retry is the retry middleware of the routers; nil where any router has none.
	Retry *Retry
	// RouterMiddlewares holds the middlewares of each of the routers that has
	// any, in their order, with the chains that the tags define replaced by
	// what is in them; all as name@provider.
	RouterMiddlewares map[string][]string
	// RouterEntryPoints holds the entry points of each of the routers that names
	// any.
	RouterEntryPoints map[string][]string
	// Limits are the kinds of those middlewares of the tags that limit what
	// passes, by name@provider.
	Limits map[string]string
	// Retries are all retry middlewares that the tags define, whatever their
	// attempts, sorted by name.
	Retries []Retry
	// Problems are the tags for which Traefik refuses all of them, in the order
	// of the tags; empty where Err is about the tags taken together.
	Problems []TagProblem
	// Enable is the tag that switches the instance on or off, nil where there
	// is none or it cannot be read.
	Enable *TagSwitch
	// Definitions are only there where a job's tags were read: the routers,
	// services and middlewares, sorted by kind and name.
	Definitions []TagDefinition
}

// Conflict is the first of the reading's definitions that another reading has with
// other contents, with that one; Traefik drops both for as long as instances of both
// are there. The last result is false where there is none.
func (r TagReading) Conflict(other TagReading) (own, others TagDefinition, conflict bool) {
	for _, a := range r.Definitions {
		for _, b := range other.Definitions {
			if a.Kind == b.Kind && a.Name == b.Name && a.Content != b.Content {
				return a, b, true
			}
		}
	}
	return TagDefinition{}, TagDefinition{}, false
}

// TagProblem is one tag that Traefik refuses.
type TagProblem struct {
	// Index is the place of the tag among the tags.
	Index int
	// Tag is the tag as written.
	Tag string
	// Message says what is wrong, for a person.
	Message string
	// Near is the known key that is nearest to an unknown one, without the
	// prefix; empty where none is near.
	Near string
	// OneNear is true where no other known key could have been meant.
	OneNear bool
	// Since is the first version of Traefik that takes the tag, empty where
	// none is known to.
	Since string
	// Freezes is true where the tag ends the load of the whole catalog.
	Freezes bool
}

// TagSwitch is a tag that speaks to the provider itself, with its place among
// the tags.
type TagSwitch struct {
	Index int
	Tag   string
	On    bool
}

// Kinds of what tags define.
const (
	KindRouter     = "router"
	KindService    = "service"
	KindMiddleware = "middleware"

	KindTCPRouter     = "TCP router"
	KindTCPService    = "TCP service"
	KindTCPMiddleware = "TCP middleware"
	KindUDPRouter     = "UDP router"
)

// TagDefinition is something that tags define or imply, in a form that can be
// compared: where two instances define the same name with different contents,
// Traefik drops it for both.
type TagDefinition struct {
	// Kind is one of the Kind constants; one without a protocol is of HTTP.
	Kind string
	// Name is name@provider.
	Name string
	// Content is what Traefik compares, with defaults filled in; for a service
	// without its servers, which may differ.
	Content string
	// Tags are the places of the tags that say it, empty where it is implied.
	Tags []int
}

// ServiceTags are what a proxy makes of the tags and the canary_tags of one
// service of a job. Canary equals Stable where the service has no canary_tags,
// which Nomad uses instead of the tags and not with them.
type ServiceTags struct {
	Stable, Canary TagReading
}

// TagService is one load balancer that the tags of an instance define.
type TagService struct {
	// Name is name@provider.
	Name string
	// HostPort is where this instance is listed under the service; empty
	// where the tags give a URL that has no host and port.
	HostPort    string
	HealthCheck *HealthCheck
	// Passive is the health check by failed requests, nil where there is none.
	Passive *PassiveHealthCheck
	Sticky  bool
	// Scheme is what the proxy speaks to the instance: http where the tags do not
	// say.
	Scheme string
	// ServersTransport is the transport that the tags name, as name@provider,
	// empty for the default one.
	ServersTransport string
	// Weight is the share of requests this instance asks for, 1 unless said
	// otherwise; 0 or less gets none.
	Weight int
}

// HealthCheck is Traefik's own active health check.
type HealthCheck struct {
	Path     string
	Port     int
	Interval time.Duration
	// UnhealthyInterval is the interval for servers that are DOWN.
	UnhealthyInterval time.Duration
	Timeout           time.Duration
	// GRPC is true for a check over gRPC, which has no path.
	GRPC bool
	// Scheme is empty where the check follows the instance's, Method where it is
	// GET, Hostname where the check asks for the instance's own address.
	Scheme, Method, Hostname string
	// Status is the only one that will do, 0 for any of 2xx and 3xx.
	Status int
	// Headers are sent with each check, by their names as written.
	Headers map[string]string
}

// PassiveHealthCheck is Traefik's health check by failed requests: after so
// many failures within the window the server is DOWN for the window.
type PassiveHealthCheck struct {
	FailureWindow     time.Duration
	MaxFailedAttempts int
}

// Retry is Traefik's retry middleware. Attempts counts all tries.
type Retry struct {
	Name            string
	Attempts        int
	InitialInterval time.Duration
}
