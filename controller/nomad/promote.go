package nomad

import (
	"context"
	"errors"
	"fmt"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// Promote promotes the canaries of the named groups. Nomad has no
// compare-and-set for it, so read the deployment right before; but a deployment
// belongs to one version of its job, so no other version can be promoted by
// mistake. A second promotion of a deployment that still runs is accepted.
//
// The error is ErrForbidden, ErrAbsent, ErrTerminal, ErrUnhealthy or
// ErrUnreachable where one of these fits. After ErrUnreachable, or an error of
// the context, Nomad may have promoted all the same: read before trying again.
func (c *Client) Promote(ctx context.Context, key model.Key, groups []string) error {
	if len(groups) == 0 {
		return errors.New("promote deployment " + model.Short(key.Deployment) + ": no groups named")
	}
	options := (&nomadapi.WriteOptions{Namespace: key.Namespace}).WithContext(ctx)
	_, _, err := c.api.Deployments().PromoteGroups(key.Deployment, groups, options)
	if err := classify(err, grantPromote(key.Namespace)); err != nil {
		return fmt.Errorf("promote deployment %s: %w", model.Short(key.Deployment), err)
	}
	return nil
}
