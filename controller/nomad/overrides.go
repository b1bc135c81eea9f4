package nomad

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// editTries is how often an edit is tried where somebody else writes the same
// variable at the same time.
const editTries = 5

// Overrides reads the variable of a job and the one that stands for every job
// of its namespace. Where there is none nothing is overridden; where one cannot
// be read it is an error, since it may say to freeze.
func (c *Client) Overrides(ctx context.Context, namespace, jobID string) (model.Overrides, error) {
	var out model.Overrides
	for _, id := range []string{jobID, model.EveryJob} {
		path := model.OverridePath(id)
		v, err := c.variable(ctx, namespace, path)
		if err != nil {
			return model.Overrides{}, err
		}
		if v != nil {
			out.Add(path, v.Items, time.Unix(0, v.ModifyTime))
		}
	}
	return out, nil
}

// variable is nil where there is none.
func (c *Client) variable(ctx context.Context, namespace, path string) (*nomadapi.Variable, error) {
	v, _, err := c.api.Variables().Peek(path, query(ctx, namespace))
	if err := classify(err, grantVariables(namespace, "read")); err != nil {
		return nil, fmt.Errorf("read variable %s of namespace %s: %w", path, namespace, err)
	}
	return v, nil
}

// Override returns the items of a job's own variable, nil where there is none.
func (c *Client) Override(ctx context.Context, namespace, jobID string) (map[string]string, error) {
	v, err := c.variable(ctx, namespace, model.OverridePath(jobID))
	if v == nil {
		return nil, err
	}
	return v.Items, err
}

// EditOverride changes the items of a job's variable and returns them as they
// are afterwards. A variable without items is deleted. The edit is made again
// on what somebody else wrote in the meantime, so that neither write is lost.
func (c *Client) EditOverride(ctx context.Context, namespace, jobID string, edit func(items map[string]string)) (map[string]string, error) {
	path := model.OverridePath(jobID)
	for range editTries {
		before, err := c.variable(ctx, namespace, path)
		if err != nil {
			return nil, err
		}
		if before == nil {
			before = &nomadapi.Variable{}
		}
		after := *before
		after.Namespace, after.Path = namespace, path
		after.Items = maps.Clone(before.Items)
		if after.Items == nil {
			after.Items = map[string]string{}
		}
		edit(after.Items)
		if maps.Equal(before.Items, after.Items) {
			return after.Items, nil
		}
		err = c.writeVariable(ctx, &after)
		if conflict := (nomadapi.ErrCASConflict{}); errors.As(err, &conflict) {
			continue
		}
		if err := classify(err, grantVariables(namespace, "write")); err != nil {
			return nil, fmt.Errorf("write variable %s of namespace %s: %w", path, namespace, err)
		}
		return after.Items, nil
	}
	return nil, fmt.Errorf("write variable %s of namespace %s: somebody else changed it %d times in the meantime: try again", path, namespace, editTries)
}

// writeVariable writes or deletes one that has not changed since it was read.
func (c *Client) writeVariable(ctx context.Context, v *nomadapi.Variable) error {
	options := (&nomadapi.WriteOptions{Namespace: v.Namespace}).WithContext(ctx)
	if len(v.Items) == 0 {
		_, err := c.api.Variables().CheckedDelete(v.Path, v.ModifyIndex, options)
		return err
	}
	_, _, err := c.api.Variables().CheckedUpdate(v, options)
	return err
}
