package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/secret"
)

// Options configure a Client. The zero value takes everything from Consul's own
// environment variables, such as CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN and
// CONSUL_CACERT.
type Options struct {
	// Address is host:port, or an http, https or unix URL.
	Address string
	// Token is the secret ID of an ACL token.
	Token string
	// Datacenter is the one to ask, that of the agent if empty.
	Datacenter string
	// TLS replaces the TLS settings of the environment where not nil.
	TLS *consulapi.TLSConfig
	// Wrap, where not nil, is put around the transport, to count requests.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client reads from Consul. It is safe for concurrent use.
type Client struct {
	api        *consulapi.Client
	address    string
	datacenter string
	// anonymous is whether no token is sent.
	anonymous bool
}

// New returns a client. It reads TLS and token files but does not connect to
// Consul. It sets no timeout of its own: every call is bounded by its context.
func New(options Options) (*Client, error) {
	config := consulapi.DefaultConfig()
	if options.Address != "" {
		config.Address = options.Address
	}
	if options.Token != "" {
		config.Token, config.TokenFile = options.Token, ""
	}
	if options.TLS != nil {
		config.TLSConfig = *options.TLS
	}
	address := secret.WithoutUser(config.Address)
	if strings.Contains(config.Address, "@") && !strings.HasPrefix(config.Address, "unix://") {
		// The api module would take them for a part of the host's name, which
		// stands in every error.
		return nil, fmt.Errorf("consul address %q has credentials before it: give CONSUL_HTTP_AUTH or CONSUL_HTTP_TOKEN instead", address)
	}
	httpClient, err := newHTTPClient(config, options.Wrap)
	if err != nil {
		return nil, fmt.Errorf("consul address %q: %w", address, err)
	}
	config.HttpClient = httpClient
	api, err := consulapi.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("consul address %q: %w", address, err)
	}
	return &Client{
		api: api, address: address, datacenter: options.Datacenter,
		anonymous: config.Token == "" && config.TokenFile == "",
	}, nil
}

// newHTTPClient returns a client whose answers show no credentials. For a unix
// socket it takes the address from the configuration: with one, the api module
// would replace the client by its own.
func newHTTPClient(config *consulapi.Config, wrap func(http.RoundTripper) http.RoundTripper) (*http.Client, error) {
	if path, ok := strings.CutPrefix(config.Address, "unix://"); ok {
		config.Address = "localhost"
		config.Transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	}
	out, err := consulapi.NewHttpClient(config.Transport, config.TLSConfig)
	if err != nil {
		return nil, err
	}
	out.Transport = secret.Transport(out.Transport)
	out.Transport = posting{out.Transport}
	if wrap != nil {
		out.Transport = wrap(out.Transport)
	}
	return out, nil
}

// Address is the address that the client was made with.
func (c *Client) Address() string { return c.address }

// Check asks who leads Consul's servers. The error is ErrNoLeader where nobody
// does; a catalog read then would fail as well, or wait.
func (c *Client) Check(ctx context.Context) error {
	leader, err := c.api.Status().LeaderWithQueryOptions(c.query(ctx))
	if err != nil {
		return fmt.Errorf("ask for the leader at %s: %w", c.address, classify(err))
	}
	if leader == "" {
		return fmt.Errorf("ask for the leader at %s: %w", c.address, ErrNoLeader)
	}
	return nil
}

// query returns the options of a read in Consul's default consistency mode, as
// Traefik's reads are.
func (c *Client) query(ctx context.Context) *consulapi.QueryOptions {
	return (&consulapi.QueryOptions{Datacenter: c.datacenter}).WithContext(ctx)
}

// consistentQuery returns the options of a read that the leader answers after
// it made sure that it still leads. It has no index: a blocking health query
// may be answered from the local agent's view, whatever the mode
// (agent/rpcclient/health/health.go, v1.22.6).
func (c *Client) consistentQuery(ctx context.Context) *consulapi.QueryOptions {
	options := c.query(ctx)
	options.RequireConsistent = true
	return options
}

// complete is an error where an answer about a service, or about all where the
// name is empty, may lack something.
func (c *Client) complete(ctx context.Context, meta *consulapi.QueryMeta, service string) error {
	switch {
	case meta.ResultsFilteredByACLs:
		return c.filtered(ctx, service)
	case !meta.KnownLeader:
		return ErrNoLeader
	case meta.CacheHit:
		return errors.New("consul answered from a cache")
	default:
		return nil
	}
}
