package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// transportError adds the fix to what kept an answer from arriving. It drops
// the request's URL from the error, which is named once already.
func (c *Client) transportError(ctx context.Context, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if fix := c.fix(ctx, err); fix != "" {
		return fmt.Errorf("%w: %s", err, fix)
	}
	return err
}

func (c *Client) fix(ctx context.Context, err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ""
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && !errors.Is(context.Cause(ctx), errSlow):
		return "no complete answer before the caller's deadline"
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return fmt.Sprintf("no complete answer within %s: Traefik hangs, or something between blocks the port", c.timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check that Traefik runs, its API entry point, and the port in the URL (of a --traefik-service: --traefik-api-port)"
	case errors.As(err, &dns):
		return "the host's name cannot be resolved: check the URL"
	case isTLS(err):
		return "give the authority that signed the certificate with --traefik-api-ca, and the scheme (http or https) that the entry point speaks"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed early: Traefik stopped, or something between cut it"
	default:
		return ""
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func isTLS(err error) bool {
	var (
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.Is(err, http.ErrSchemeMismatch) || strings.HasPrefix(err.Error(), "tls: ")
}
