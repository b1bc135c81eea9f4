package client

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/secret"
)

// DefaultTimeout bounds one call where Options has none.
const DefaultTimeout = 5 * time.Second

// Options say how to reach one Traefik's API. Only URL is required.
type Options struct {
	// URL is scheme://host:port of the entry point that serves the API. A path
	// in it is put before BasePath.
	URL string
	// BasePath is Traefik's api.basePath, "/" by default. The API is below it
	// at /api.
	BasePath string
	// Username and Password are sent as basic authentication where either is set.
	Username string
	Password string
	// BearerToken is sent where there is no user name and no password.
	BearerToken string
	// CAFile is a PEM file with the authorities to trust instead of the system's.
	CAFile string
	// CertFile and KeyFile are PEM files with the certificate to show where the
	// entry point asks for one, and its key. Both or none.
	CertFile, KeyFile string
	// ServerName is checked against the certificate instead of the URL's host.
	ServerName string
	// Timeout bounds each call, 0 meaning DefaultTimeout.
	Timeout time.Duration
	// Wrap, where not nil, is put around the transport, to count requests.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// ReadPassword returns what --traefik-api-password-file holds, without the end of
// its last line.
func ReadPassword(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--traefik-api-password-file: %w", err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// Client reads the API of one Traefik. It holds no state that changes and is
// safe for concurrent use.
type Client struct {
	base     string
	username string
	password string
	bearer   string
	timeout  time.Duration
	http     *http.Client
}

// New checks the options and returns a client; it connects to nothing. The
// files are read once.
func New(o Options) (*Client, error) {
	base, err := baseURL(o)
	if err != nil {
		return nil, err
	}
	trust, err := tlsConfig(o)
	if err != nil {
		return nil, err
	}
	if o.Timeout < 0 {
		return nil, fmt.Errorf("address of Traefik's API %s: the timeout %s is negative", base, o.Timeout)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Client{
		base:     base,
		username: o.Username,
		password: o.Password,
		bearer:   o.BearerToken,
		timeout:  o.Timeout,
		http:     newHTTPClient(trust, o.Wrap),
	}, nil
}

// String returns the base URL of the API.
func (c Client) String() string { return c.base }

// GoString keeps credentials out of %#v.
func (c Client) GoString() string { return "client.Client(" + c.base + ")" }

// String returns the URL alone, so that options can be printed.
func (o Options) String() string { return "client.Options(" + secret.WithoutUser(o.URL) + ")" }

// GoString keeps credentials out of %#v.
func (o Options) GoString() string { return o.String() }

func newHTTPClient(trust *tls.Config, wrap func(http.RoundTripper) http.RoundTripper) *http.Client {
	// No proxy: what answers has to be the process itself.
	var transport http.RoundTripper = &http.Transport{DisableKeepAlives: true, TLSClientConfig: trust, DisableCompression: true}
	transport = secret.Transport(transport)
	if wrap != nil {
		transport = wrap(transport)
	}
	return &http.Client{
		Transport: transport,
		// A redirect would take credentials along and end at another process.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func baseURL(o Options) (string, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("address of Traefik's API: %q is not a URL such as http://127.0.0.1:8080", secret.WithoutUser(o.URL))
	}
	if u.User != nil {
		return "", fmt.Errorf("address of Traefik's API %s: the URL holds credentials: give them with --traefik-api-user and --traefik-api-password-file", secret.WithoutUser(o.URL))
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("address of Traefik's API %s: the URL must not have a query or a fragment", secret.WithoutUser(o.URL))
	}
	return strings.TrimSuffix(u.JoinPath(o.BasePath).String(), "/"), nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.ServerName}
	if o.CertFile != "" || o.KeyFile != "" {
		own, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate for Traefik's API (--traefik-api-cert, --traefik-api-key): %w", err)
		}
		out.Certificates = []tls.Certificate{own}
	}
	if o.CAFile == "" {
		return out, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA of Traefik's API (--traefik-api-ca): %w", err)
	}
	out.RootCAs = x509.NewCertPool()
	if !out.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA of Traefik's API (--traefik-api-ca): %s holds no PEM certificate", o.CAFile)
	}
	return out, nil
}
