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
}

// Routing is the dynamic configuration that a proxy runs now.
type Routing struct {
	// Routers and Services hold HTTP only, sorted by name.
	Routers  []Router
	Services []ProxyService
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
}

// TagService is one load balancer that the tags of an instance define.
type TagService struct {
	// Name is name@provider.
	Name string
	// HostPort is where this instance is listed under the service; empty
	// where the tags give a URL that has no host and port.
	HostPort    string
	HealthCheck *HealthCheck
	Sticky      bool
	// Weight is the share of requests this instance asks for, 1 unless said
	// otherwise; 0 or less gets none.
	Weight int
}

// HealthCheck is Traefik's own active health check.
type HealthCheck struct {
	Path     string
	Port     int
	Interval time.Duration
	Timeout  time.Duration
}

// Retry is Traefik's retry middleware. Attempts counts all tries.
type Retry struct {
	Name            string
	Attempts        int
	InitialInterval time.Duration
}
