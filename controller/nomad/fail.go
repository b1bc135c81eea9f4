package nomad

import (
	"context"
	"fmt"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// Fail fails a deployment: Nomad stops its canaries, and reverts the job where
// it says auto_revert. There is no compare-and-set for it, so read the deployment
// right before. The errors are those of Promote.
func (c *Client) Fail(ctx context.Context, key model.Key) error {
	options := (&nomadapi.WriteOptions{Namespace: key.Namespace}).WithContext(ctx)
	_, _, err := c.api.Deployments().Fail(key.Deployment, options)
	if err := classify(err, grantFail(key.Namespace)); err != nil {
		return fmt.Errorf("fail deployment %s: %w", model.Short(key.Deployment), err)
	}
	return nil
}
