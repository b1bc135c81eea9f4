package nomad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/trust"
)

// The errors that a caller may have to tell apart, for errors.Is.
var (
	// ErrForbidden means that the token is not known or lacks a capability, which
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

// grant is what a token needs for a call, as a message names it. Nomad answers
// a token that it does not know and one that lacks a capability alike, so that
// the message can only be made from what was asked.
type grant string

// The grants of an agent's own description and of the list of regions.
const grantAgent grant = `agent { policy = "read" }`

// grantRead is what a read of a job, a deployment or an allocation needs.
func grantRead(namespace string) grant { return grant("read-job " + in(namespace)) }

// grantPromote is what a promotion needs: nomad/deployment_endpoint.go, v1.11.3.
func grantPromote(namespace string) grant {
	return grant("promote-deployment " + in(namespace) + " (before Nomad 1.11.2: submit-job)")
}

// grantFail is what failing a deployment needs: nomad/deployment_endpoint.go, v1.11.3.
func grantFail(namespace string) grant {
	return grant("fail-deployment " + in(namespace) + " (before Nomad 1.11.2: submit-job)")
}

// grantPause is what a pause, and its end, need: nomad/deployment_endpoint.go, v1.11.3.
func grantPause(namespace string) grant {
	return grant("pause-deployment " + in(namespace) + " (before Nomad 1.11.2: submit-job)")
}

// grantList is what a list of jobs needs.
func grantList(namespace string) grant { return grant("list-jobs " + in(namespace)) }

// grantVariables is what a call about a job's variable needs: read or write.
func grantVariables(namespace, capability string) grant {
	return grant(fmt.Sprintf("%s on the variables %q %s", capability, model.OverrideFolder+"/*", in(namespace)))
}

// names are Nomad's own variables for TLS (api/api.go, v1.11.3).
func names() trust.Names {
	return trust.Names{
		CA: "NOMAD_CACERT", Cert: "NOMAD_CLIENT_CERT", Key: "NOMAD_CLIENT_KEY",
		ServerName: "NOMAD_TLS_SERVER_NAME", Address: "NOMAD_ADDR",
	}
}

func in(namespace string) string {
	if namespace == nomadapi.AllNamespacesNamespace {
		return "in the namespaces that are to be gated"
	}
	return fmt.Sprintf("in namespace %q", cmp.Or(namespace, nomadapi.DefaultNamespace))
}

// classify wraps an error of Nomad's API with the sentinel that fits, and makes
// one line of it. The grant is named where Nomad refuses.
func classify(err error, needs grant) error {
	var response nomadapi.UnexpectedResponseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &response):
		return classifyResponse(response, needs)
	case errors.Is(err, context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, names().Wrap(cause(err)))
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

func classifyResponse(response nomadapi.UnexpectedResponseError, needs grant) error {
	text := oneLine(response.Body())
	switch code := response.StatusCode(); {
	case code == http.StatusForbidden:
		return fmt.Errorf("%w: it answered 403 (%s): the token needs %s, or is one that Nomad does not know", ErrForbidden, text, needs)
	case code == http.StatusNotFound:
		return fmt.Errorf("%w: %s", ErrAbsent, text)
	case code == http.StatusInternalServerError && promoteRefusal(text) != nil:
		return fmt.Errorf("%w: %s", promoteRefusal(text), text)
	case code >= http.StatusInternalServerError || code == http.StatusTooManyRequests:
		return fmt.Errorf("%w: it answered %d: %s", ErrUnreachable, code, text)
	case names().PlainHTTP(text) != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, names().PlainHTTP(text))
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
	case strings.Contains(text, "promote terminal deployment"), strings.Contains(text, "fail terminal deployment"), strings.Contains(text, "has terminal status"):
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
