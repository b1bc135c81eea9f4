package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/draingate/draingate/controller/secret"
)

// Limits of what is read of an answer, in bytes. A route of a configuration
// takes about 400, so routingLimit is enough for some hundred thousand.
const (
	versionLimit = 64 << 10
	routingLimit = 64 << 20
	dumpLimit    = 8 << 20
)

const (
	jsonType = "application/json"
	gzipType = "application/gzip"
)

// errSlow marks the end of the client's own timeout, not of the caller's.
var errSlow = fmt.Errorf("the client's timeout is over: %w", context.DeadlineExceeded)

// get reads a whole answer of at most limit bytes. The read is bounded by the
// client's timeout and by ctx.
func (c *Client) get(ctx context.Context, path, contentType string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errSlow)
	defer cancel()
	resp, err := c.send(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := c.accept(resp, path, contentType); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, c.failed(path, fmt.Errorf("the answer broke off: %w", c.transportError(ctx, err)))
	}
	if int64(len(body)) > limit {
		return nil, c.failed(path, fmt.Errorf("the answer is longer than %d bytes: this is not Traefik's API, or more than can be read", limit))
	}
	return body, nil
}

func (c *Client) send(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, c.failed(path, err)
	}
	switch {
	case c.username != "" || c.password != "":
		req.SetBasicAuth(c.username, c.password)
	case c.bearer != "":
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.failed(path, c.transportError(ctx, err))
	}
	return resp, nil
}

// accept refuses an answer that is not the one that was asked for.
func (c *Client) accept(resp *http.Response, path, contentType string) error {
	if resp.StatusCode != http.StatusOK {
		return c.failed(path, c.statusError(resp))
	}
	got, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || !strings.EqualFold(got, contentType) {
		return c.failed(path, fmt.Errorf("the answer is %s, not %s: something else than Traefik's API answers here; check the port in the URL (of a --traefik-service: --traefik-api-port) and --traefik-api-base-path", named(got), contentType))
	}
	return nil
}

func named(contentType string) string {
	if contentType == "" {
		return "of no content type"
	}
	return contentType
}

// failed says what was attempted on what.
func (c *Client) failed(path string, err error) error {
	return fmt.Errorf("read %s%s: %w", c.base, path, err)
}

// StatusError is an answer with a status other than 200.
type StatusError struct {
	// Code is the HTTP status code.
	Code int
	// Advice says what is probably wrong and what to set.
	Advice string
}

// Error returns the code and the advice.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Code, http.StatusText(e.Code), e.Advice)
}

func (c *Client) statusError(resp *http.Response) error {
	return &StatusError{Code: resp.StatusCode, Advice: c.advice(resp)}
}

func (c *Client) advice(resp *http.Response) string {
	given := c.username != "" || c.password != "" || c.bearer != ""
	switch code := resp.StatusCode; {
	case (code == http.StatusUnauthorized || code == http.StatusForbidden) && given:
		return "the credentials are not accepted: check --traefik-api-user and --traefik-api-password-file"
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return "the API needs credentials: set --traefik-api-user and --traefik-api-password-file"
	case code == http.StatusNotFound:
		return "the API is not enabled or has another port or base path: set api.insecure or a router to api@internal, or check the port in the URL (of a --traefik-service: --traefik-api-port) and --traefik-api-base-path"
	case code == http.StatusBadRequest:
		return "the request was not understood: check the scheme of the URL, http or https"
	case code >= 300 && code < 400:
		return "the API redirects to " + secret.WithoutUser(resp.Header.Get("Location")) + ": give the URL that answers itself"
	default:
		return "Traefik's API answers 200 to this: look at what stands before it"
	}
}

// hasStatus reports whether an error is an answer with this status.
func hasStatus(err error, code int) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == code
}
