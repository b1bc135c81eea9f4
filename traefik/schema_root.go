package traefik

import (
	"time"

	"github.com/traefik/paerser/types"
)

// The schema files mirror the field names, kinds and label options of what
// Traefik v3.6.12 decodes tags into (pkg/config/dynamic), since the decoder
// matches tags to Go field names and refuses an instance for any tag that has
// no field. They must be complete, also where nothing here looks at a value.

type duration = types.Duration

type dynamicConfig struct {
	HTTP httpConfig
	TCP  tcpConfig
	UDP  udpConfig
	TLS  tlsConfig
}

type httpConfig struct {
	Routers           map[string]*httpRouter
	Services          map[string]*httpService
	Middlewares       map[string]*middleware
	Models            map[string]*httpModel
	ServersTransports map[string]*httpTransport `label:"-"`
}

type tlsConfig struct {
	Stores map[string]tlsStore
}

type tlsStore struct {
	DefaultCertificate   *certificate `label:"-"`
	DefaultGeneratedCert *generatedCert
}

type generatedCert struct {
	Resolver string
	Domain   *domain
}

type certificate struct {
	CertFile string
	KeyFile  string
}

type domain struct {
	Main string
	SANs []string
}

type httpTransport struct {
	ServerName          string
	InsecureSkipVerify  bool
	RootCAs             []string
	Certificates        []certificate
	MaxIdleConnsPerHost int
	ForwardingTimeouts  *forwardingTimeouts
	DisableHTTP2        bool
	PeerCertURI         string
	Spiffe              *spiffe `label:"allowEmpty"`
}

type forwardingTimeouts struct {
	DialTimeout           duration
	ResponseHeaderTimeout duration
	IdleConnTimeout       duration
	ReadIdleTimeout       duration
	PingTimeout           duration
}

type spiffe struct {
	IDs         []string
	TrustDomain string
}

// Defaults of a health check (pkg/config/dynamic/http_config.go).
const (
	healthInterval = 30 * time.Second
	healthTimeout  = 5 * time.Second
)
