package traefik

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Defaults of Traefik's static settings (cmd/configuration.go and
// pkg/provider/consulcatalog/consul_catalog.go, v3.6.12).
const (
	defaultThrottle        = 2 * time.Second
	defaultRefreshInterval = 15 * time.Second
	defaultPrefix          = "traefik"
)

// where the provider's settings stand, in Traefik's own spelling.
const (
	throttlePath = "providers.providersThrottleDuration"
	catalogPath  = "providers.consulCatalog"
)

// catalogSettings are the options of the Consul catalog provider, named so
// that both the decoder of files and encoding/json find them. Endpoint is
// there for its keys to be checked; nothing else looks at it.
type catalogSettings struct {
	Constraints       string
	Endpoint          *catalogEndpoint
	Prefix            string
	RefreshInterval   duration
	RequireConsistent bool
	Stale             bool
	Cache             bool
	ExposedByDefault  bool
	DefaultRule       string
	ConnectAware      bool
	ConnectByDefault  bool
	ServiceName       string
	Watch             bool
	StrictChecks      []string
	Namespaces        []string
}

type catalogEndpoint struct {
	Address          string
	Scheme           string
	DataCenter       string
	Token            string
	TLS              *clientTLS
	HTTPAuth         *catalogAuth
	EndpointWaitTime duration
}

type catalogAuth struct {
	Username string
	Password string
}

// SetDefaults is called by the decoder before it fills the struct in.
func (c *catalogSettings) SetDefaults() {
	c.RefreshInterval = duration(defaultRefreshInterval)
	c.Prefix = defaultPrefix
	c.ExposedByDefault = true
	c.StrictChecks = []string{model.StatusPassing, model.StatusWarning}
}

// ErrRefreshInterval says that a refreshInterval is not above 0, on which
// Traefik ends with a panic (pkg/provider/consulcatalog/consul_catalog.go,
// repeatSend, v3.6.12). The settings that ParseStatic returns with it are those
// of the file all the same, for whoever reports on them; nothing can be
// predicted from them.
var ErrRefreshInterval = errors.New("Traefik ends with a panic on anything that is not above 0") //nolint:staticcheck // ST1005: it is a name

// Defaults are the settings of a Traefik whose Consul catalog provider was
// enabled and nothing else.
func Defaults() model.ProxySettings {
	catalog := &catalogSettings{}
	catalog.SetDefaults()
	out, err := settings("Traefik's defaults", defaultThrottle, catalog, timeouts{}.withHTTP().finish(defaultReadTimeout))
	if err != nil {
		panic(err) // They are constants, and sound.
	}
	return out
}

// settings converts and checks what was decoded. A nil catalog is a provider
// that is not enabled.
func settings(source string, throttle time.Duration, c *catalogSettings, t *model.Timeouts) (model.ProxySettings, error) {
	out := model.ProxySettings{Source: source, Throttle: throttle, Timeouts: t}
	if throttle < 0 {
		return model.ProxySettings{}, fmt.Errorf("%s is %s: give 0 or more", throttlePath, throttle)
	}
	if c == nil {
		return out, nil
	}
	err := c.check()
	if err != nil && !errors.Is(err, ErrRefreshInterval) {
		return model.ProxySettings{}, err
	}
	out.ConsulCatalog = true
	out.RefreshInterval = time.Duration(c.RefreshInterval)
	out.Watch, out.Stale, out.Cache = c.Watch, c.Stale, c.Cache
	out.StrictChecks = statuses(c.StrictChecks)
	out.ExposedByDefault, out.Prefix, out.Constraints = c.ExposedByDefault, c.Prefix, c.Constraints
	out.ConnectAware, out.ConnectByDefault = c.ConnectAware, c.ConnectByDefault
	return out, err
}

// check refuses what Traefik crashes on and what nothing can be told from.
func (c *catalogSettings) check() error {
	switch {
	case len(c.StrictChecks) == 0:
		return errors.New(catalogPath + ".strictChecks is empty: Traefik would take no instance at all; name statuses such as passing")
	case len(c.Namespaces) > 0:
		return errors.New(catalogPath + ".namespaces is set: routers of several Consul namespaces are not supported")
	case c.RefreshInterval <= 0:
		return fmt.Errorf("%s.refreshInterval is %s: %w", catalogPath, time.Duration(c.RefreshInterval), ErrRefreshInterval)
	default:
		return nil
	}
}

// statuses lower-cases the statuses, which Traefik compares without case, and
// keeps their order.
func statuses(in []string) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, strings.ToLower(s))
	}
	return slices.Clip(out)
}
