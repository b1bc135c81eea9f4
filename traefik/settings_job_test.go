package traefik_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/traefik"
)

func TestSettingsFromJobFollowsTraefik(t *testing.T) {
	for name, c := range jobCases() {
		t.Run(name, func(t *testing.T) {
			job := c.job("127.0.0.1:8080")
			got, err := traefik.SettingsFromJob(&job, "")
			if c.wantErr != "" {
				require.ErrorContains(t, err, c.wantErr)
				require.ErrorContains(t, err, `job "edge", task "proxy": `)
				require.NotContains(t, err.Error(), "\n")
				require.Zero(t, got)
				return
			}
			require.NoError(t, err)
			c.want.Source = `job "edge"`
			if diff := cmp.Diff(c.want, got.ProxySettings, apartFromTimeouts()); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}
