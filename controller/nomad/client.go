package nomad

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/secret"
)

// DefaultWaitTime is how long a blocking query waits for a change before Nomad
// answers with what it has. It bounds how old the last answer of an idle
// cluster can be, and so how soon a dead connection is noticed.
const DefaultWaitTime = 15 * time.Second

// answerTime is what a request may take on top of the time it waits.
const answerTime = 10 * time.Second

// longestSocket is how long the path of a socket may be on Linux (sun_path has
// 108 bytes, the last of them zero). Beyond it Nomad starts the task without
// its API and only warns.
const longestSocket = 107

// Options configure a Client. The zero value takes everything from Nomad's own
// environment variables, such as NOMAD_ADDR, NOMAD_TOKEN, NOMAD_REGION and
// NOMAD_CACERT.
type Options struct {
	// Address is an http, https or unix URL. A unix URL names a socket, such
	// as that of Nomad's task API: unix:///secrets/api.sock.
	Address string
	// Token is the secret ID of an ACL token or a workload identity.
	Token string
	// Region is the region that requests are for.
	Region string
	// Datacenter is the local datacenter, for where the agent may not be asked
	// (see Agent). Inside a task it is NOMAD_DC.
	Datacenter string
	// TLS replaces the TLS settings of the environment where not nil.
	TLS *nomadapi.TLSConfig
	// WaitTime is how long a blocking query waits, DefaultWaitTime if zero.
	WaitTime time.Duration
	// Wrap, where not nil, is put around the transport, to count requests.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client reads from Nomad and promotes deployments. It is safe for concurrent
// use.
type Client struct {
	api        *nomadapi.Client
	address    string
	region     string
	datacenter string
	waitTime   time.Duration

	lastContact atomic.Pointer[time.Time]
	allocations allocationCache
	// met holds the IDs of allocations that this Nomad has told us about.
	met sync.Map
}

// New returns a client. It reads TLS files but does not connect to Nomad.
func New(options Options) (*Client, error) {
	config := nomadapi.DefaultConfig()
	options.apply(config)
	waitTime := options.WaitTime
	if waitTime <= 0 {
		waitTime = DefaultWaitTime
	}
	address := secret.WithoutUser(config.Address)
	httpClient, err := newHTTPClient(config, waitTime)
	if err != nil {
		return nil, fmt.Errorf("nomad address %q: %w", address, err)
	}
	httpClient.Transport = secret.Transport(httpClient.Transport)
	if options.Wrap != nil {
		httpClient.Transport = options.Wrap(httpClient.Transport)
	}
	config.HttpClient = httpClient
	api, err := nomadapi.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("nomad address %q: %w", address, err)
	}
	return &Client{
		api:        api,
		address:    address,
		region:     config.Region,
		datacenter: options.Datacenter,
		waitTime:   waitTime,
	}, nil
}

// apply overrides what the environment says.
func (o Options) apply(config *nomadapi.Config) {
	if o.Address != "" {
		config.Address = o.Address
	}
	if o.Token != "" {
		config.SecretID = o.Token
	}
	if o.Region != "" {
		config.Region = o.Region
	}
	if o.TLS != nil {
		config.TLSConfig = o.TLS
	}
}

// newHTTPClient returns a client whose timeout is larger than any wait, so that
// a server that hangs is noticed and one that merely waits is not cut off.
// Nomad adds up to a sixteenth to the wait (nomad/rpc.go, v1.11.3).
func newHTTPClient(config *nomadapi.Config, waitTime time.Duration) (*http.Client, error) {
	u, err := url.Parse(config.Address)
	if err != nil {
		return nil, errors.New("this is no URL") // the error of url would show its credentials
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	transport.MaxIdleConnsPerHost = 2 * parallelReads
	switch u.Scheme {
	case "http", "https":
	case "unix":
		if len(u.Path) > longestSocket {
			return nil, fmt.Errorf("a socket's path has at most %d bytes and this one has %d: give the agent's own address in NOMAD_ADDR, or the client a shorter data_dir", longestSocket, len(u.Path))
		}
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", u.Path)
		}
	default:
		return nil, fmt.Errorf("want a URL that starts with http://, https:// or unix://")
	}
	client := &http.Client{Transport: transport, Timeout: waitTime + waitTime/16 + answerTime}
	if err := nomadapi.ConfigureTLS(client, config.TLSConfig); err != nil {
		return nil, err
	}
	return client, nil
}

// Address is the address that the client was made with, without credentials.
func (c *Client) Address() string { return c.address }

// LastContact is when Nomad last answered the watch of deployments; zero if it
// never did. While the watch is healthy it is never older than the wait time
// and a sixteenth, plus the time of one round trip.
func (c *Client) LastContact() time.Time {
	if at := c.lastContact.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Close closes idle connections.
func (c *Client) Close() { c.api.Close() }

// query returns the options of a read in Nomad's default consistency mode:
// forwarded to the leader, never stale.
func query(ctx context.Context, namespace string) *nomadapi.QueryOptions {
	return (&nomadapi.QueryOptions{Namespace: namespace}).WithContext(ctx)
}
