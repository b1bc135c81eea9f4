//go:build e2e

package traefik_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/traefik"
)

// listener stands in for an instance or a placeholder, and tells Traefik's health
// checks from what clients send.
type listener struct {
	*httptest.Server
	probes, requests atomic.Int64
}

func listen(t *testing.T, probe park.Probe) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if probe.Asks(r.Method, r.RequestURI, r.Host, r.Header) {
			l.probes.Add(1)
			w.WriteHeader(probe.Status)
			return
		}
		l.requests.Add(1)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) port(t *testing.T) int {
	_, text, _ := strings.Cut(strings.TrimPrefix(l.URL, "http://"), ":")
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return port
}

// A real Traefik makes one router and one service of two instances, which have
// ports of their own in their tags, and of a placeholder; it keeps the
// placeholder UP by its own health check, and the router when it is all that is left.
func TestAPlaceholderStandsInThePool(t *testing.T) {
	const at = "traefik.http.services.web.loadbalancer."
	tags := []string{
		"traefik.enable=true", "traefik.http.routers.web.rule=Host(`web`)", at + "server.scheme=http", at + "server.weight=2",
		at + "healthcheck.path=/readyz?deep", at + "healthcheck.method=HEAD", at + "healthcheck.status=204", at + "healthcheck.hostname=web.internal",
		at + "healthcheck.headers.X-Forwarded-Proto=https", at + "healthcheck.interval=100ms",
	}
	probes := park.Probes(traefik.ReadTags(defaults(), model.Registration{ServiceID: "web", ServiceName: "web", Address: "127.0.0.1", Port: 1, Tags: tags}))
	require.Len(t, probes, 1)
	one, two, placeholder := listen(t, probes[0]), listen(t, probes[0]), listen(t, probes[0])

	consul, api, web := startConsul(t), freeAddress(t), freeAddress(t)
	t.Cleanup(startTraefik(t, api, "--entrypoints.traefik.address="+api, "--entrypoints.web.address="+web, "--api.insecure=true",
		"--providers.consulcatalog.exposedbydefault=false", "--providers.consulcatalog.endpoint.address="+consul.addr, "--providers.consulcatalog.refreshinterval=200ms", "--providers.providersthrottleduration=0s"))
	own := func(l *listener) []string {
		return append([]string{at + fmt.Sprintf("server.port=%d", l.port(t))}, tags...)
	}
	consul.register(t, "one", "web", 9, own(one))
	consul.register(t, "two", "web", 9, own(two))
	hostPort := strings.TrimPrefix(placeholder.URL, "http://")
	consul.register(t, "_draingate-park-web", "web", placeholder.port(t), park.Tags("traefik", own(one), hostPort))

	up := func(wanted ...*listener) func([]byte) bool {
		return func(raw []byte) bool {
			text := string(raw)
			for _, l := range wanted {
				if !strings.Contains(text, `"`+l.URL+`":"UP"`) {
					return false
				}
			}
			return strings.Count(text, `"UP"`)+strings.Count(text, `"DOWN"`) == len(wanted) && strings.Contains(text, `"web@consulcatalog":{"entryPoints":["web"],"service":"web"`)
		}
	}
	routing(t, api, up(one, two, placeholder))
	ask := func() error {
		for _, path := range []string{"/", "/readyz?deep"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "http://"+web+path, nil)
			if err != nil {
				return err
			}
			req.Host = "web"
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s", path, resp.Status)
			}
		}
		return nil
	}
	for range 12 {
		require.NoError(t, ask())
	}
	eventually(t, func() error {
		for _, l := range []*listener{one, two, placeholder} {
			if l.requests.Load() == 0 || l.probes.Load() < 3 {
				return fmt.Errorf("%s: %d requests, %d probes", l.URL, l.requests.Load(), l.probes.Load())
			}
		}
		return nil
	})
	require.EqualValues(t, 24, one.requests.Load()+two.requests.Load()+placeholder.requests.Load(), "no request of a client was taken for a probe")

	consul.deregister(t, "one")
	consul.deregister(t, "two")
	routing(t, api, up(placeholder))
	checked := placeholder.probes.Load()
	eventually(t, func() error {
		if placeholder.probes.Load() < checked+3 {
			return fmt.Errorf("%d probes", placeholder.probes.Load()-checked)
		}
		return nil
	})
	routing(t, api, up(placeholder))
	require.NoError(t, ask())
}
