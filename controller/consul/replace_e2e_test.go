//go:build e2e

package consul

import (
	"testing"
	"time"

	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// A person who ends a record takes no lock from a leader, and is told what their
// token lacks.
func TestRealConsulReplacesALockedKey(t *testing.T) {
	address, _ := startConsul(t, "-dev")
	client := clientAt(t, address, rootToken)
	ctx := t.Context()
	eventually(t, "a leader", func() error { return client.Check(ctx) })
	var session string
	eventually(t, "a session", func() error {
		var err error
		session, err = client.OpenSession(ctx, "leader", 10*time.Second, 0)
		return err
	})
	const key = "draingate/fences/default/x"
	taken, err := client.TakeLock(ctx, key, []byte("armed"), session)
	require.NoError(t, err)
	require.True(t, taken)
	read := func() model.Stored {
		all, _, err := client.List(ctx, key, 0, 0)
		require.NoError(t, err)
		require.Len(t, all, 1)
		return all[0]
	}
	before := read()
	done, err := client.Replace(ctx, key, []byte("ended"), before.Index)
	require.NoError(t, err)
	require.True(t, done)
	after := read()
	require.Equal(t, session, after.Session, "the lock stays")
	require.Equal(t, "ended", string(after.Value))
	require.Greater(t, after.Index, before.Index)
	done, err = client.Replace(ctx, key, []byte("again"), before.Index)
	require.NoError(t, err)
	require.False(t, done, "it has changed since it was read")
	stored, err := client.Store(ctx, model.Guard{Key: key, Session: session}, key, []byte("armed"), before.Index)
	require.NoError(t, err)
	require.False(t, stored, "nor does the leader write over what it has not read")

	policy, _, err := client.api.ACL().PolicyCreate(&consulapi.ACLPolicy{Name: "read-only", Rules: `key_prefix "draingate/" { policy = "read" }`}, nil)
	require.NoError(t, err)
	token, _, err := client.api.ACL().TokenCreate(&consulapi.ACLToken{Policies: []*consulapi.ACLLink{{ID: policy.ID}}}, nil)
	require.NoError(t, err)
	_, err = clientAt(t, address, token.SecretID).Replace(ctx, key, []byte("no"), after.Index)
	t.Log(err)
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `key "draingate/fences/default/x" { policy = "write" }`)
	require.Equal(t, after, read())
}
