package nomad

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	nomadapi "github.com/hashicorp/nomad/api"
)

// The errors that a caller may have to tell apart, for errors.Is.
var (
	// ErrForbidden means that the token is not valid or lacks a capability, which
	// the message names. Nomad's answer is the same for both.
	ErrForbidden = errors.New("nomad denies permission")
	// ErrAbsent means that Nomad does not know the object, or hides it from
	// the token: for deployments and allocations it does not say which.
	ErrAbsent = errors.New("nomad does not know it")
	// ErrTerminal means that the deployment has ended and cannot be promoted.
	ErrTerminal = errors.New("the deployment is terminal")
	// ErrUnhealthy means that a group has too few healthy canaries to be promoted.
	ErrUnhealthy = errors.New("nomad counts too few healthy canaries")
	// ErrUnreachable means that Nomad did not answer, or not sensibly: worth
	// another try.
	ErrUnreachable = errors.New("nomad is not reachable")
)

// The capabilities that a token needs, for messages.
const (
	capabilityRead    = "read-job"
	capabilityList    = "list-jobs"
	capabilityPromote = "promote-deployment (submit-job before Nomad 1.11.2)"
	capabilityAgent   = "agent:read"
)

// classify wraps an error of Nomad's API with the sentinel that fits, and makes
// one line of it. The capability is named where the token lacks it.
func classify(err error, capability string) error {
	var response nomadapi.UnexpectedResponseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &response):
		return classifyResponse(response, capability)
	case errors.Is(err, context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, cause(err))
	}
}

// cause leaves out the method and the URL of a failed request, which say
// nothing to a person that the caller does not say better.
func cause(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

// kind is the sentinel that an error carries, or the error itself.
func kind(err error) error {
	for _, sentinel := range []error{ErrForbidden, ErrUnreachable} {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return err
}

func classifyResponse(response nomadapi.UnexpectedResponseError, capability string) error {
	text := oneLine(response.Body())
	switch code := response.StatusCode(); {
	case code == http.StatusForbidden:
		return fmt.Errorf("%w: the token is not valid or lacks the capability %s: %s", ErrForbidden, capability, text)
	case code == http.StatusNotFound:
		return fmt.Errorf("%w: %s", ErrAbsent, text)
	case code == http.StatusInternalServerError && promoteRefusal(text) != nil:
		return fmt.Errorf("%w: %s", promoteRefusal(text), text)
	case code >= http.StatusInternalServerError || code == http.StatusTooManyRequests:
		return fmt.Errorf("%w: it answered %d: %s", ErrUnreachable, code, text)
	default:
		return fmt.Errorf("nomad answered %d: %s", code, text)
	}
}

// promoteRefusal tells why a promotion was refused, nil where the text is none
// of a refusal's. Nomad answers every refusal with 500, so that its text is all
// there is: nomad/structs/errors.go and nomad/state/state_store.go, v1.11.3.
// This is the only place that reads the text of an error.
func promoteRefusal(text string) error {
	switch {
	case strings.Contains(text, "promote terminal deployment"), strings.Contains(text, "has terminal status"):
		return ErrTerminal
	case strings.Contains(text, "healthy allocations"):
		return ErrUnhealthy
	case strings.Contains(text, "deployment not found"):
		return ErrAbsent
	default:
		return nil
	}
}

// oneLine folds the lines and bullets of a multi-line error into one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
