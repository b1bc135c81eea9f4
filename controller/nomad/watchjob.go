package nomad

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// WatchAllocations calls changed each time that an allocation of the job changes,
// once at the start, and after every failure. It retries for as long as ctx lasts,
// and returns when ctx ends.
func (c *Client) WatchAllocations(ctx context.Context, namespace, jobID string, changed func()) {
	c.watchIndex(ctx, "allocations of job "+jobID, changed, func(ctx context.Context, index uint64) (uint64, error) {
		options := query(ctx, namespace)
		options.WaitIndex, options.WaitTime = index, c.waitTime
		_, meta, err := c.api.Jobs().Allocations(jobID, true, options)
		if err != nil {
			return 0, fmt.Errorf("list allocations of job %s: %w", jobID, classify(err, grantRead(namespace)))
		}
		return meta.LastIndex, nil
	})
}

// WatchOverrides calls changed each time that a variable changes in which people
// override what jobs say, in any namespace, once at the start, and after every
// failure; see WatchAllocations.
func (c *Client) WatchOverrides(ctx context.Context, changed func()) {
	c.watchIndex(ctx, "variables", changed, func(ctx context.Context, index uint64) (uint64, error) {
		options := query(ctx, nomadapi.AllNamespacesNamespace)
		options.WaitIndex, options.WaitTime, options.Prefix = index, c.waitTime, model.OverrideFolder
		_, meta, err := c.api.Variables().List(options)
		if err != nil {
			return 0, fmt.Errorf("list variables below %s: %w", model.OverrideFolder, classify(err, grantVariables("*", "list")))
		}
		return meta.LastIndex, nil
	})
}

// watchIndex asks again and again for what comes after an index.
func (c *Client) watchIndex(ctx context.Context, of string, changed func(), ask func(context.Context, uint64) (uint64, error)) {
	w := watch{of: of, pause: newPause(), log: logr.FromContextOrDiscard(ctx).WithValues("nomad", c.address)}
	for ctx.Err() == nil {
		index, err := ask(ctx, w.index)
		if err != nil {
			w.retry(ctx, err)
			if ctx.Err() == nil {
				changed()
			}
			continue
		}
		w.answered()
		// Without an index the watch would spin.
		if w.advance(max(index, 1)) {
			changed()
		}
	}
}
