package park_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/traefik"
)

const listener = "10.0.0.9:21000"

func settings(prefix string) model.ProxySettings {
	s := traefik.Defaults()
	s.Prefix = prefix
	return s
}

// read is what a proxy makes of an instance with the tags at the address.
func read(prefix, address string, port int, tags []string) model.TagReading {
	return traefik.ReadTags(settings(prefix), model.Registration{ServiceID: "x", ServiceName: "web", Address: address, Port: port, Tags: tags})
}

func TestTagsPointAtTheListener(t *testing.T) {
	const at = "traefik.http.services.web.loadbalancer."
	tests := map[string]struct {
		prefix, listener string
		tags, want       []string
	}{
		"no tag about the server stays as it is": {"traefik", listener, []string{"traefik.enable=true", "blue", at + "server.weight=3", at + "healthcheck.port=9"}, []string{"traefik.enable=true", "blue", at + "server.weight=3", at + "healthcheck.port=9"}},
		"the port":                               {"traefik", listener, []string{at + "server.port=8080"}, []string{at + "server.port=21000"}},
		"the scheme":                             {"traefik", listener, []string{at + "server.scheme=https", at + "server.port=443"}, []string{at + "server.scheme=http", at + "server.port=21000"}},
		"the URL":                                {"traefik", listener, []string{at + "server.url=https://10.1.1.1:8443"}, []string{at + "server.url=http://10.0.0.9:21000"}},
		"the URL keeps its path":                 {"traefik", listener, []string{at + "server.url=http://10.1.1.1/a%2Fb/c?d=e", at + "server.preservePath=true"}, []string{at + "server.url=http://10.0.0.9:21000/a%2Fb/c", at + "server.preservePath=true"}},
		"a URL that is none":                     {"traefik", listener, []string{at + "server.url=%zz"}, []string{at + "server.url=http://10.0.0.9:21000"}},
		"keys in any case":                       {"traefik", listener, []string{"traefik.HTTP.Services.Web.LoadBalancer.SERVER.Port=1"}, []string{"traefik.HTTP.Services.Web.LoadBalancer.SERVER.Port=21000"}},
		"each of several services":               {"traefik", listener, []string{at + "server.port=1", "traefik.http.services.b.loadbalancer.server.port=2"}, []string{at + "server.port=21000", "traefik.http.services.b.loadbalancer.server.port=21000"}},
		"another prefix":                         {"edge.in", listener, []string{"edge.in.http.services.w.loadbalancer.server.port=1", at + "server.port=1"}, []string{"edge.in.http.services.w.loadbalancer.server.port=21000", at + "server.port=1"}},
		"the prefix in another case is none":     {"traefik", listener, []string{"Traefik.http.services.w.loadbalancer.server.port=1"}, []string{"Traefik.http.services.w.loadbalancer.server.port=1"}},
		"an address of IPv6":                     {"traefik", "[fd00::9]:21000", []string{at + "server.url=http://[::1]:1", at + "server.port=2"}, []string{at + "server.url=http://[fd00::9]:21000", at + "server.port=21000"}},
		"of TCP, and without a value, not":       {"traefik", listener, []string{"traefik.tcp.services.w.loadbalancer.server.port=1", at + "server.port"}, []string{"traefik.tcp.services.w.loadbalancer.server.port=1", at + "server.port"}},
		"a tag of the same key twice is both":    {"traefik", listener, []string{at + "server.port=1", at + "server.port=2"}, []string{at + "server.port=21000", at + "server.port=21000"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := append([]string(nil), tt.tags...)
			require.Equal(t, tt.want, park.Tags(tt.prefix, tt.tags, tt.listener))
			require.Equal(t, before, tt.tags, "the tags of the instance are not changed")
		})
	}
}

// What Traefik decodes decides: one router, one service, and two servers in it.
func TestAPlaceholderIsMerged(t *testing.T) {
	const at = "traefik.http.services.web.loadbalancer."
	router := []string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`web`)", "traefik.http.routers.web.middlewares=auth@file"}
	tests := map[string][]string{
		"no tag about the server":       router,
		"no tag at all":                 nil,
		"a port":                        append([]string{at + "server.port=8080"}, router...),
		"a scheme and a port":           append([]string{at + "server.scheme=http", at + "server.port=8080"}, router...),
		"a URL":                         append([]string{at + "server.url=http://10.0.0.1:8080"}, router...),
		"a health check and stickiness": append([]string{at + "healthcheck.path=/readyz", at + "sticky.cookie.name=s", at + "server.PORT=8080"}, router...),
		"two services, two routers": {"traefik.http.services.a.loadbalancer.server.port=8080", "traefik.http.services.b.loadbalancer.server.port=8080",
			"traefik.http.routers.a.service=a", "traefik.http.routers.b.service=b"},
	}
	for name, tags := range tests {
		t.Run(name, func(t *testing.T) {
			instance := read("traefik", "10.0.0.1", 8080, tags)
			placeholder := read("traefik", "10.0.0.9", 21000, park.Tags("traefik", tags, listener))
			require.True(t, instance.Exposed, instance.Err)
			require.Empty(t, park.Merges(instance, placeholder))
			require.Equal(t, instance.RouterServices, placeholder.RouterServices)
			require.Equal(t, instance.RouterMiddlewares, placeholder.RouterMiddlewares)
			require.Len(t, placeholder.Services, len(instance.Services))
			for i, s := range instance.Services {
				require.Equal(t, "10.0.0.1:8080", s.HostPort)
				require.Equal(t, listener, placeholder.Services[i].HostPort)
				s.HostPort = listener
				require.Equal(t, s, placeholder.Services[i], "nothing else is another")
			}
			requireSameDefinitions(t, tags)
		})
	}
}

// requireSameDefinitions compares what Traefik compares, in jobs with the tags.
func requireSameDefinitions(t *testing.T, tags []string) {
	t.Helper()
	of := func(tags []string) model.TagReading {
		job := model.Job{ID: "web", Groups: []model.Group{{Name: "web", Services: []model.Service{{Name: "web", Tags: tags}}}}}
		return traefik.ReadJob(settings("traefik"), "", job)[model.GroupPath("web").Service(0)].Stable
	}
	a, b := of(tags), of(park.Tags("traefik", tags, listener))
	require.NotEmpty(t, a.Definitions)
	require.Len(t, b.Definitions, len(a.Definitions))
	d, _, conflict := a.Conflict(b)
	require.False(t, conflict, "%v", d)
}

func TestAPlaceholderThatIsNotMergedIsSeen(t *testing.T) {
	canary := []string{"traefik.consulcatalog.canary=true", "traefik.http.services.web.loadbalancer.server.port=8080"}
	require.Contains(t, park.Merges(read("traefik", "10.0.0.1", 8080, canary), read("traefik", "10.0.0.9", 21000, park.Tags("traefik", canary, listener))),
		"the routers and services of the instance are", "the name of a canary's router is a hash over its tags")

	in := read("traefik", "10.0.0.1", 8080, nil)
	require.Contains(t, park.Merges(in, read("traefik", "10.0.0.9", 21000, []string{"traefik.enable=false"})), "not enabled")
	require.Contains(t, park.Merges(in, read("traefik", "10.0.0.9", 21000, []string{"traefik.http.routers.web.nope=1"})), "nope")
	require.Contains(t, park.Merges(in, model.TagReading{Unknown: "drawn at random"}), "drawn at random")
}

func TestProbesAreAnswered(t *testing.T) {
	const at = "traefik.http.services.web.loadbalancer.healthcheck."
	forwarded := map[string][]string{"X-Forwarded-Host": {"web"}}
	tests := map[string]struct {
		tags         []string
		want         []park.Probe
		method, path string
		host         string
		header       map[string][]string
		asks         bool
	}{
		"no health check":     {tags: nil},
		"a path":              {[]string{at + "path=/readyz"}, []park.Probe{{Path: "/readyz", Method: "GET", Status: 200}}, "GET", "/readyz", listener, nil, true},
		"a client's request":  {[]string{at + "path=/readyz"}, []park.Probe{{Path: "/readyz", Method: "GET", Status: 200}}, "GET", "/readyz", listener, forwarded, false},
		"another path":        {[]string{at + "path=/readyz"}, []park.Probe{{Path: "/readyz", Method: "GET", Status: 200}}, "GET", "/readyz/", listener, nil, false},
		"another method":      {[]string{at + "path=/readyz"}, []park.Probe{{Path: "/readyz", Method: "GET", Status: 200}}, "POST", "/readyz", listener, nil, false},
		"a path without root": {[]string{at + "path=a/../readyz?full"}, []park.Probe{{Path: "/readyz?full", Method: "GET", Status: 200}}, "GET", "/readyz?full", listener, nil, true},
		"all that can be said": {[]string{at + "path=/r", at + "method=HEAD", at + "status=204", at + "hostname=web.internal", at + "scheme=HTTP", at + "headers.x-forwarded-proto=https"},
			[]park.Probe{{Path: "/r", Method: "HEAD", Status: 204, Host: "web.internal", Headers: map[string]string{"x-forwarded-proto": "https"}}},
			"HEAD", "/r", "web.internal", map[string][]string{"X-Forwarded-Proto": {"https"}}, true},
		"another host": {[]string{at + "path=/r", at + "hostname=web.internal"}, []park.Probe{{Path: "/r", Method: "GET", Status: 200, Host: "web.internal"}}, "GET", "/r", listener, nil, false},
		"two services alike": {[]string{at + "path=/r", "traefik.http.services.b.loadbalancer.healthcheck.path=/r", "traefik.http.routers.web.service=web"},
			[]park.Probe{{Path: "/r", Method: "GET", Status: 200}}, "GET", "/r", listener, nil, true},
		"on another port it is none": {tags: []string{at + "path=/r", at + "port=9"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			probes := park.Probes(read("traefik", "10.0.0.1", 8080, tt.tags))
			require.Equal(t, tt.want, probes)
			asks := false
			for _, p := range probes {
				asks = asks || p.Asks(tt.method, tt.path, tt.host, tt.header)
			}
			require.Equal(t, tt.asks, asks)
		})
	}
}
