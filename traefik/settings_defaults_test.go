package traefik_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/traefik"
)

// The defaults are what a file says that enables the provider and nothing else.
func TestDefaults(t *testing.T) {
	want, err := traefik.ParseStatic("traefik.json", []byte(`{"providers":{"consulCatalog":{}}}`))
	require.NoError(t, err)
	want.Source = "Traefik's defaults"
	require.Empty(t, cmp.Diff(want, traefik.Defaults()))
}
