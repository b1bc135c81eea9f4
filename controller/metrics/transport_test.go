package metrics_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/metrics"
)

type answer func(*http.Request) (*http.Response, error)

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestTransportCountsEveryRequest(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := metrics.New(registry, metrics.Options{})
	require.NoError(t, err)
	refused := errors.New("refused")
	through := m.Transport(metrics.SystemConsul, answer(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/refused" {
			return nil, refused
		}
		return &http.Response{StatusCode: http.StatusForbidden}, nil
	}))
	for _, path := range []string{"/denied", "/denied?index=7", "/refused"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://consul"+path, nil)
		require.NoError(t, err)
		_, err = through.RoundTrip(req) //nolint:bodyclose // There is none.
		if path == "/refused" {
			require.ErrorIs(t, err, refused, "the caller sees the transport's own error")
		} else {
			require.NoError(t, err)
		}
	}
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP draingate_api_requests_total Requests to Nomad, Consul and Traefik, by the class of the answer.
# TYPE draingate_api_requests_total counter
draingate_api_requests_total{code="2xx",system="consul"} 0
draingate_api_requests_total{code="2xx",system="nomad"} 0
draingate_api_requests_total{code="2xx",system="traefik"} 0
draingate_api_requests_total{code="3xx",system="consul"} 0
draingate_api_requests_total{code="3xx",system="nomad"} 0
draingate_api_requests_total{code="3xx",system="traefik"} 0
draingate_api_requests_total{code="4xx",system="consul"} 2
draingate_api_requests_total{code="4xx",system="nomad"} 0
draingate_api_requests_total{code="4xx",system="traefik"} 0
draingate_api_requests_total{code="5xx",system="consul"} 0
draingate_api_requests_total{code="5xx",system="nomad"} 0
draingate_api_requests_total{code="5xx",system="traefik"} 0
draingate_api_requests_total{code="error",system="consul"} 1
draingate_api_requests_total{code="error",system="nomad"} 0
draingate_api_requests_total{code="error",system="traefik"} 0
`), "draingate_api_requests_total"))
}
