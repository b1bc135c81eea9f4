package consul

import (
	"context"
	"fmt"

	"github.com/draingate/draingate/controller/model"
)

// Service reads all instances of a service, whatever their status, sorted by
// service ID and node, with a consistent read that does not block. A service
// that nobody registered has no instances, which is not an error.
func (c *Client) Service(ctx context.Context, name string) ([]model.Registration, error) {
	entries, meta, err := c.api.Health().Service(name, "", false, c.consistentQuery(ctx))
	if err != nil {
		return nil, fmt.Errorf("read instances of service %q: %w", name, classify(err, grantService(name), grantNodes))
	}
	if err := c.complete(ctx, meta, name); err != nil {
		return nil, fmt.Errorf("read instances of service %q: %w", name, err)
	}
	return convertEntries(entries), nil
}
