package consul

import (
	"context"
	"fmt"

	consulapi "github.com/hashicorp/consul/api"
)

// Replace writes a key that is as it was at the index, whoever holds its lock,
// which stays with that session (kvsSetTxn, agent/consul/state/kvs.go, v1.22.3). It
// is for a person, whom no lock keeps from it. It returns false where the key has
// changed since, or is gone, and nothing was written. An index of 0 is refused:
// to Consul it means a key that is not there yet.
func (c *Client) Replace(ctx context.Context, key string, value []byte, index uint64) (bool, error) {
	if index == 0 {
		return false, fmt.Errorf("write key %s at %s: it was not read before", key, c.address)
	}
	done, _, err := c.api.KV().CAS(&consulapi.KVPair{Key: key, Value: value, ModifyIndex: index}, c.write(ctx))
	if err != nil {
		return false, fmt.Errorf("write key %s at %s: %w", key, c.address, classifyLock(err, fmt.Sprintf("key %q { policy = \"write\" }", key)))
	}
	return done, nil
}
