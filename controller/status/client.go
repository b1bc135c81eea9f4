package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrUnreachable is wrapped by every error that means that no status endpoint
// answered at the address.
var ErrUnreachable = errors.New("the status endpoint cannot be reached")

// maxAnswer bounds what the client reads of one answer, in bytes.
const maxAnswer = 64 << 20

// clientTimeout bounds one request of the client.
const clientTimeout = 10 * time.Second

// APIError is an error that the endpoint itself answered.
type APIError struct {
	// Code is the HTTP status code.
	Code    int
	Message string
}

// Error returns the endpoint's own words.
func (e *APIError) Error() string { return e.Message }

// Client reads a status endpoint. Make one with NewClient.
type Client struct {
	base *url.URL
	http *http.Client
}

// NewClient returns a client for an endpoint at host:port or at an http or
// https URL. It does not connect yet.
func NewClient(addr string) (*Client, error) {
	text := addr
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is neither host:port nor an http URL", scrub(addr))
	}
	return &Client{base: base, http: &http.Client{
		Timeout: clientTimeout,
		// A transport of its own, so that CloseIdle closes nobody else's connections.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment},
	}}, nil
}

// Deployments returns all deployments, sorted by namespace and job, the newest
// version of a job first.
func (c *Client) Deployments(ctx context.Context) ([]Deployment, error) {
	var out []Deployment
	return out, c.get(ctx, &out, "v1", "deployments")
}

// Deployment returns the deployment with the ID or the unique prefix of one.
func (c *Client) Deployment(ctx context.Context, id string) (Detail, error) {
	var out Detail
	return out, c.get(ctx, &out, "v1", "deployments", url.PathEscape(id))
}

// History returns what is kept of the changes of one deployment, the oldest
// first.
func (c *Client) History(ctx context.Context, id string) ([]Event, error) {
	var out []Event
	return out, c.get(ctx, &out, "v1", "deployments", url.PathEscape(id), "history")
}

// Proxies returns the proxy set, sorted by name.
func (c *Client) Proxies(ctx context.Context) ([]Proxy, error) {
	var out []Proxy
	return out, c.get(ctx, &out, "v1", "proxies")
}

// Leader returns who leads; nil where the instance takes part in no election.
func (c *Client) Leader(ctx context.Context) (*Leadership, error) {
	var out Leadership
	err := c.get(ctx, &out, "v1", "leader")
	if failed, ok := errors.AsType[*APIError](err); ok && failed.Code == http.StatusNotFound {
		return nil, nil // No election is an answer, and no error.
	}
	return &out, err
}

// Ready returns whether the controller has read everything for the first time.
// Until then, what it does not list may exist all the same.
func (c *Client) Ready(ctx context.Context) (Readiness, error) {
	var out Readiness
	return out, c.get(ctx, &out, "readyz")
}

func (c *Client) get(ctx context.Context, into any, path ...string) error {
	target := c.base.JoinPath(path...)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return fmt.Errorf("read %s: %w", target.Redacted(), err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer res.Body.Close() //nolint:errcheck // the body was read or is of no use
	if err := decode(res, into); err != nil {
		return fmt.Errorf("read %s: %w", target.Redacted(), err)
	}
	return nil
}

// decode reads an answer. One that is not JSON did not come from draingate.
func decode(res *http.Response, into any) error {
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "application/json" {
		return fmt.Errorf("%w: something else answers there (%s, %q)", ErrUnreachable, res.Status, kind)
	}
	body := json.NewDecoder(io.LimitReader(res.Body, maxAnswer))
	_, readiness := into.(*Readiness)
	if res.StatusCode == http.StatusOK || (readiness && res.StatusCode == http.StatusServiceUnavailable) {
		return body.Decode(into)
	}
	var problem Problem
	if err := body.Decode(&problem); err != nil || problem.Error == "" {
		problem.Error = res.Status
	}
	return &APIError{Code: res.StatusCode, Message: problem.Error}
}

// CloseIdle closes the connections that the client keeps open for reuse.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }
