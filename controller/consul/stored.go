package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/model"
)

// List reads all keys below a prefix, sorted by key, and the index from which to
// wait for the next change. With an index it waits until one of them changes
// from that index on or the time is over; without one it is a consistent read.
// An answer from which Consul left out what the token may not see is an error:
// who takes it for all would undo what stands in the rest.
func (c *Client) List(ctx context.Context, prefix string, index uint64, wait time.Duration) ([]model.Stored, uint64, error) {
	options := c.consistentQuery(ctx)
	options.WaitIndex, options.WaitTime = index, wait
	pairs, meta, err := c.api.KV().List(prefix, options)
	needs := fmt.Sprintf("key_prefix %q { policy = \"write\" }", prefix)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("list keys below %s at %s: %w", prefix, c.address, classifyLock(err, needs))
	case meta.ResultsFilteredByACLs:
		return nil, 0, fmt.Errorf("list keys below %s at %s: %w: it left out what the token may not see: the token lacks %s", prefix, c.address, ErrForbidden, needs)
	case !meta.KnownLeader:
		return nil, 0, fmt.Errorf("list keys below %s at %s: %w", prefix, c.address, ErrNoLeader)
	}
	out := make([]model.Stored, 0, len(pairs))
	for _, p := range pairs {
		out = append(out, model.Stored{Key: p.Key, Value: p.Value, Session: p.Session, Index: p.ModifyIndex})
	}
	return out, meta.LastIndex, nil
}

// CheckKeys is an error where the token may not read all keys below a prefix, which
// ends with a slash. Consul lists no keys of which the token may read none as it lists
// none at all, so a key is asked for too, which need not be there.
func (c *Client) CheckKeys(ctx context.Context, prefix string) error {
	if _, _, err := c.List(ctx, prefix, 0, 0); err != nil {
		return err
	}
	if _, _, err := c.api.KV().Get(prefix, c.consistentQuery(ctx)); err != nil {
		return fmt.Errorf("read keys below %s at %s: %w", prefix, c.address, classifyLock(err, fmt.Sprintf("key_prefix %q { policy = \"write\" }", prefix)))
	}
	return nil
}

// Store writes a key and locks it with the session of the guard, in one
// transaction: only while that session holds the guard's own key, and only where
// the key to be written is as it was at the index, or is not there with index 0.
// It returns false where one of these was not so, and nothing was written.
func (c *Client) Store(ctx context.Context, guard model.Guard, key string, value []byte, index uint64) (bool, error) {
	return c.guarded(ctx, guard, key, index, &consulapi.KVTxnOp{Verb: consulapi.KVLock, Key: key, Value: value, Session: guard.Session})
}

// Forget deletes a key, under the same conditions as Store writes one.
func (c *Client) Forget(ctx context.Context, guard model.Guard, key string, index uint64) (bool, error) {
	return c.guarded(ctx, guard, key, index, &consulapi.KVTxnOp{Verb: consulapi.KVDeleteCAS, Key: key, Index: index})
}

func (c *Client) guarded(ctx context.Context, guard model.Guard, key string, index uint64, write *consulapi.KVTxnOp) (bool, error) {
	unchanged := &consulapi.KVTxnOp{Verb: consulapi.KVCheckIndex, Key: key, Index: index}
	if index == 0 {
		unchanged = &consulapi.KVTxnOp{Verb: consulapi.KVCheckNotExists, Key: key}
	}
	holds := &consulapi.KVTxnOp{Verb: consulapi.KVCheckSession, Key: guard.Key, Session: guard.Session}
	ops := consulapi.TxnOps{{KV: holds}, {KV: unchanged}, {KV: write}}
	var answer consulapi.TxnResponse
	_, err := c.api.Raw().Write("/v1/txn", ops, &answer, c.write(ctx))
	if err == nil {
		return true, nil
	}
	needs := fmt.Sprintf("key %q { policy = \"write\" } and the same for %q", key, guard.Key)
	if status, ok := errors.AsType[consulapi.StatusError](err); ok && status.Code == http.StatusConflict {
		return false, refused(status.Body, fmt.Sprintf("write key %s at %s", key, c.address), needs)
	}
	return false, fmt.Errorf("write key %s at %s: %w", key, c.address, classifyLock(err, needs))
}

// refused is nil where a transaction was rolled back because a condition did not
// hold. Consul answers in the same way to a token that may not write.
func refused(body, what, needs string) error {
	var answer struct{ Errors consulapi.TxnErrors }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Errors) == 0 {
		return fmt.Errorf("%s: %w: it answered 409: %s", what, ErrUnreachable, strings.Join(strings.Fields(body), " "))
	}
	for _, e := range answer.Errors {
		if strings.Contains(e.What, "Permission denied") {
			return fmt.Errorf("%s: %w: the token lacks %s", what, ErrForbidden, needs)
		}
	}
	return nil
}
