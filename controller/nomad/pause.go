package nomad

import (
	"context"
	"fmt"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// Pause pauses a deployment: Nomad places and stops nothing because of it until
// it is resumed, but for what a promotion stops and what fails. A pause on a paused
// deployment is accepted. The errors are those of Promote.
func (c *Client) Pause(ctx context.Context, key model.Key) error { return c.pause(ctx, key, true) }

// Resume ends a pause. It is refused with ErrTerminal where the deployment has
// ended, and accepted where it runs. The errors are those of Promote.
func (c *Client) Resume(ctx context.Context, key model.Key) error { return c.pause(ctx, key, false) }

func (c *Client) pause(ctx context.Context, key model.Key, pause bool) error {
	what := "resume"
	if pause {
		what = "pause"
	}
	options := (&nomadapi.WriteOptions{Namespace: key.Namespace}).WithContext(ctx)
	_, _, err := c.api.Deployments().Pause(key.Deployment, pause, options)
	if err := classify(err, grantPause(key.Namespace)); err != nil {
		return fmt.Errorf("%s deployment %s: %w", what, model.Short(key.Deployment), err)
	}
	return nil
}
