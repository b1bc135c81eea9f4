package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	consulapi "github.com/hashicorp/consul/api"
)

const (
	// authorizePath is where Consul says what a token may do, and does none of it.
	// Its own UI asks there; it is in no documentation (ACLAuthorize,
	// agent/acl_endpoint.go, v1.22.3).
	authorizePath = "/v1/internal/acl/authorize"
	// rightsAtOnce is the most that it answers at once (the same place).
	rightsAtOnce = 64
	// noACLs is how it begins to say, with 401, that ACLs are off
	// (checkACLDisabled, the same file).
	noACLs = "ACL support disabled"
)

// Right is what a token may have: to write to one service or key.
type Right struct {
	resource, segment string
}

// WriteService is the right to register a service of that name, to deregister it,
// and to put it into maintenance.
func WriteService(name string) Right { return Right{"service", name} }

// WriteKey is the right to write a key, and where it ends with a slash what lies
// below.
func WriteKey(key string) Right { return Right{"key", key} }

// Rule is what grants it, as it is written in a policy.
func (r Right) Rule() string {
	kind := r.resource
	if strings.HasSuffix(r.segment, "/") {
		kind += "_prefix"
	}
	return fmt.Sprintf("%s %q { policy = \"write\" }", kind, r.segment)
}

// authorization is one right, as Consul is asked for it and answers.
type authorization struct {
	Resource, Segment, Access string
	Allow                     bool `json:",omitempty"`
}

// Denied returns those of the rights that the token lacks, in the same order. It
// writes nothing. Without ACLs it lacks none. The error says that Consul was not
// to be asked, or gave no answer to what it was asked: then nothing is known.
func (c *Client) Denied(ctx context.Context, rights []Right) ([]Right, error) {
	var out []Right
	for len(rights) > 0 {
		n := min(len(rights), rightsAtOnce)
		denied, err := c.denied(ctx, rights[:n])
		if err != nil {
			return nil, fmt.Errorf("ask %s at %s what the token may write: %w", authorizePath, c.address, err)
		}
		out, rights = append(out, denied...), rights[n:]
	}
	return out, nil
}

func (c *Client) denied(ctx context.Context, rights []Right) ([]Right, error) {
	asked := make([]authorization, len(rights))
	for i, r := range rights {
		asked[i] = authorization{Resource: r.resource, Segment: r.segment, Access: "write"}
	}
	var answers []authorization
	_, err := c.api.Raw().Write(authorizePath, asked, &answers, c.write(ctx))
	if status, ok := errors.AsType[consulapi.StatusError](err); ok && status.Code == http.StatusUnauthorized && strings.HasPrefix(status.Body, noACLs) {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	if len(answers) != len(asked) {
		return nil, fmt.Errorf("%w: it gave %d answers to %d questions", ErrUnreachable, len(answers), len(asked))
	}
	var out []Right
	for i, answer := range answers {
		allowed := answer.Allow
		if answer.Allow = false; answer != asked[i] {
			return nil, fmt.Errorf("%w: it was asked for %s, and answered about %s %q", ErrUnreachable, rights[i].Rule(), answer.Resource, answer.Segment)
		}
		if !allowed {
			out = append(out, rights[i])
		}
	}
	return out, nil
}

// posting sends what goes to authorizePath with POST, the one method that is
// taken there: the api module writes with PUT alone.
type posting struct{ next http.RoundTripper }

// RoundTrip sends a request and leaves the one that it was given as it is.
func (p posting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == authorizePath {
		r = r.Clone(r.Context())
		r.Method = http.MethodPost
	}
	return p.next.RoundTrip(r)
}
