package consul

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPersonReplacesAKeyOnlyAsItWasRead(t *testing.T) {
	for name, test := range map[string]struct {
		code  int
		body  string
		index uint64
		done  bool
		kind  error
		says  string
	}{
		"it is as it was":             {200, "true", 7, true, nil, ""},
		"it has changed":              {200, "false", 7, false, nil, ""},
		"the token may not":           {403, "Permission denied", 7, false, ErrForbidden, `key "draingate/fences/x" { policy = "write" }`},
		"nobody leads the servers":    {500, "No cluster leader", 7, false, ErrNoLeader, ""},
		"nobody has read it":          {200, "true", 0, false, nil, "it was not read before"},
		"something else answers here": {502, "bad gateway", 7, false, ErrUnreachable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, a := answers(t, test.code, test.body)
			done, err := c.Replace(t.Context(), "draingate/fences/x", []byte("x"), test.index)
			require.Equal(t, test.done, done)
			if test.kind == nil && test.says == "" {
				require.NoError(t, err)
				require.Equal(t, "PUT /v1/kv/draingate/fences/x?cas=7", a.uri)
				require.Equal(t, "x", string(a.sent))
				return
			}
			require.Error(t, err)
			require.ErrorContains(t, err, test.says)
			if test.kind != nil {
				require.ErrorIs(t, err, test.kind)
			}
		})
	}
}
