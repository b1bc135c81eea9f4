package traefik

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
	tests := map[string]struct {
		key, near string
		only      bool
	}{
		"one letter is missing":             {"traefik.http.routers.web.rul", "http.routers.web.rule", true},
		"one letter too many, in the midst": {"traefik.http.services.web.loadbalancer.healthchecks.path", "http.services.web.loadbalancer.healthcheck.path", true},
		"nothing is near":                   {"traefik.http.routers.web.zzzzzz", "", false},
		"two are near":                      {"traefik.http.middlewares.m.buffering.maxrequestbodybyte", "http.middlewares.m.buffering.maxrequestbodybytes", false},
		"an index would be lost":            {"traefik.http.routers.web.tls.domain[0].main", "http.routers.web.tls.domains.main", false},
		"the prefix alone":                  {"traefik", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			near, only := nearest(tt.key)
			require.Equal(t, tt.near, near)
			require.Equal(t, tt.only, only)
		})
	}
}
