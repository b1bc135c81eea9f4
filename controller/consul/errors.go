package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/trust"
)

// The errors that a caller may have to tell apart, for errors.Is.
var (
	// ErrForbidden means that the token lacks a permission; the message names it.
	ErrForbidden = errors.New("consul denies permission")
	// ErrNoLeader means that Consul's servers have no leader, so that nothing
	// they say can be relied on.
	ErrNoLeader = errors.New("consul has no leader")
	// ErrUnreachable means that Consul did not answer, or not sensibly: worth
	// another try.
	ErrUnreachable = errors.New("consul is not reachable")
)

// names are Consul's own variables for TLS (api/api.go, v1.22.3).
func names() trust.Names {
	return trust.Names{
		CA: consulapi.HTTPCAFile, Cert: consulapi.HTTPClientCert, Key: consulapi.HTTPClientKey,
		ServerName: consulapi.HTTPTLSServerName, Address: consulapi.HTTPAddrEnvName,
	}
}

// classify wraps an error of Consul's API with the sentinel that fits, and makes
// one line of it. Where Consul refuses, it names what the token needs.
func classify(err error, needs ...grant) error {
	if status, ok := errors.AsType[consulapi.StatusError](err); ok {
		return classifyStatus(status, needs)
	}
	switch failed, ok := errors.AsType[*url.Error](err); {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case ok:
		// The URL says nothing to a person that the caller does not say better.
		return fmt.Errorf("%w: %w", ErrUnreachable, names().Wrap(failed.Err))
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
}

func classifyStatus(status consulapi.StatusError, needs []grant) error {
	text := strings.Join(strings.Fields(status.Body), " ")
	switch {
	case status.Code == http.StatusForbidden && strings.Contains(text, "ACL not found"):
		return fmt.Errorf("%w: it does not know the token (%s): check %s", ErrForbidden, text, consulapi.HTTPTokenEnvName)
	case status.Code == http.StatusForbidden && len(needs) == 0:
		return fmt.Errorf("%w: it answered 403: %s", ErrForbidden, text)
	case status.Code == http.StatusForbidden:
		return fmt.Errorf("%w: it answered 403 (%s): %s", ErrForbidden, text, lacks(needs))
	case status.Code == http.StatusBadRequest && names().PlainHTTP(text) != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, names().PlainHTTP(text))
	case status.Code == http.StatusInternalServerError && strings.Contains(text, "No cluster leader"):
		// The text is all there is: agent/structs/errors.go, v1.22.3.
		return fmt.Errorf("%w: it answered %d: %s", ErrNoLeader, status.Code, text)
	case status.Code >= http.StatusInternalServerError || status.Code == http.StatusTooManyRequests:
		return fmt.Errorf("%w: it answered %d: %s", ErrUnreachable, status.Code, text)
	default:
		return fmt.Errorf("consul answered %d: %s", status.Code, text)
	}
}
