package traefik_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

func readOne(s model.ProxySettings, tags ...string) model.TagReading {
	return traefik.ReadTags(s, model.Registration{ServiceID: "web-1", ServiceName: "web", Address: "10.0.0.1", Port: 8080, Tags: tags})
}

func TestReadTagsReadsEverythingOfALoadBalancer(t *testing.T) {
	got := readOne(defaults(),
		"traefik.http.routers.web.rule=Host(`web`)", "traefik.http.routers.web.middlewares=again", "traefik.http.routers.web.entrypoints=wss,web",
		"traefik.http.middlewares.few.inflightreq.amount=9", "traefik.http.middlewares.cut.circuitbreaker.expression=NetworkErrorRatio() > 0.5",
		"traefik.http.services.web.loadbalancer.server.scheme=H2C", "traefik.http.services.web.loadbalancer.serverstransport=slow@file",
		"traefik.http.services.web.loadbalancer.healthcheck.scheme=http", "traefik.http.services.web.loadbalancer.healthcheck.method=HEAD", "traefik.http.services.web.loadbalancer.healthcheck.status=204",
		"traefik.http.services.web.loadbalancer.healthcheck.hostname=web.internal", "traefik.http.services.web.loadbalancer.healthcheck.headers.X-Probe=1",
		"traefik.http.middlewares.again.retry.attempts=4", "traefik.http.middlewares.again.retry.initialinterval=100ms",
		"traefik.http.services.web.loadbalancer.sticky.cookie.name=s", "traefik.http.services.web.loadbalancer.server.weight=0",
		"traefik.http.services.web.loadbalancer.healthcheck.path=/readyz", "traefik.http.services.web.loadbalancer.healthcheck.port=9",
		"traefik.http.services.web.loadbalancer.healthcheck.interval=1", "traefik.http.services.web.loadbalancer.healthcheck.timeout=0",
		"traefik.udp.routers.u.entrypoints=dns")
	want := model.TagReading{
		Exposed: true,
		NonHTTP: true,
		Services: []model.TagService{{
			Name: "web@consulcatalog", HostPort: "10.0.0.1:8080", Sticky: true, Weight: 0, Scheme: "h2c", ServersTransport: "slow@file",
			HealthCheck: &model.HealthCheck{
				Path: "/readyz", Port: 9, Interval: time.Second, UnhealthyInterval: time.Second, Timeout: 5 * time.Second,
				Scheme: "http", Method: "HEAD", Hostname: "web.internal", Status: 204, Headers: map[string]string{"X-Probe": "1"},
			},
		}},
		Routers:           []string{"web@consulcatalog"},
		RouterServices:    map[string]string{"web@consulcatalog": "web@consulcatalog"},
		Retry:             &model.Retry{Name: "again@consulcatalog", Attempts: 4, InitialInterval: 100 * time.Millisecond},
		Retries:           []model.Retry{{Name: "again@consulcatalog", Attempts: 4, InitialInterval: 100 * time.Millisecond}},
		RouterMiddlewares: map[string][]string{"web@consulcatalog": {"again@consulcatalog"}},
		RouterEntryPoints: map[string][]string{"web@consulcatalog": {"web", "wss"}},
		Limits:            map[string]string{"cut@consulcatalog": model.LimitCircuitBreaker, "few@consulcatalog": model.LimitInFlight},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reading (-want +got):\n%s", diff)
	}
}

func TestRetryNeedsEveryRouterToHaveOne(t *testing.T) {
	rules := []string{"traefik.http.routers.a.rule=Host(`a`)", "traefik.http.routers.b.rule=Host(`b`)"}
	four, two := "traefik.http.middlewares.four.retry.attempts=4", "traefik.http.middlewares.two.retry.attempts=2"
	tests := map[string]struct {
		tags []string
		want string
	}{
		"both have one: the weaker counts": {append([]string{"traefik.http.routers.a.middlewares=four", "traefik.http.routers.b.middlewares=two", four, two}, rules...), "two@consulcatalog"},
		"one has none":                     {append([]string{"traefik.http.routers.a.middlewares=four", four}, rules...), ""},
		"one is of another provider":       {append([]string{"traefik.http.routers.a.middlewares=four", "traefik.http.routers.b.middlewares=two@file", four, two}, rules...), ""},
		"one is not defined":               {append([]string{"traefik.http.routers.a.middlewares=four", "traefik.http.routers.b.middlewares=gone", four}, rules...), ""},
		"inside of a chain":                {[]string{"traefik.http.routers.a.rule=Host(`a`)", "traefik.http.routers.a.middlewares=c", "traefik.http.middlewares.c.chain.middlewares=x@file,two@consulcatalog", two}, "two@consulcatalog"},
		"a chain that contains itself":     {[]string{"traefik.http.routers.a.rule=Host(`a`)", "traefik.http.routers.a.middlewares=c", "traefik.http.middlewares.c.chain.middlewares=c"}, ""},
		"one attempt is no retry":          {[]string{"traefik.http.routers.a.rule=Host(`a`)", "traefik.http.routers.a.middlewares=m", "traefik.http.middlewares.m.retry.attempts=1"}, ""},
		"a router that is dropped":         {append([]string{"traefik.http.routers.a.middlewares=four", four, "traefik.http.routers.a.service=s", "traefik.http.services.s.loadbalancer.passhostheader=true", "traefik.http.services.t.loadbalancer.passhostheader=true"}, rules...), "four@consulcatalog"},
		"defined and not used":             {append([]string{four}, rules...), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readOne(defaults(), tt.tags...)
			require.True(t, got.Exposed, "%+v", got)
			if tt.want == "" {
				require.Nil(t, got.Retry)
				return
			}
			require.NotNil(t, got.Retry)
			require.Equal(t, tt.want, got.Retry.Name)
		})
	}
}

func TestWhatCannotBeToldIsUnknownAndNotExposed(t *testing.T) {
	with := func(f func(*model.ProxySettings)) model.ProxySettings { return change(f) }
	tests := map[string]struct {
		settings model.ProxySettings
		tags     []string
		want     string
	}{
		"a function that is not known":  {with(func(s *model.ProxySettings) { s.Constraints = "Label(`a`)" }), nil, "function Label"},
		"an operator that is not known": {with(func(s *model.ProxySettings) { s.Constraints = "Tag(`a`) == Tag(`b`)" }), nil, "operator =="},
		"something that is no call":     {with(func(s *model.ProxySettings) { s.Constraints = "Tag" }), nil, "only Tag"},
		"no string":                     {with(func(s *model.ProxySettings) { s.Constraints = "Tag(1)" }), nil, "one string"},
		"two strings":                   {with(func(s *model.ProxySettings) { s.Constraints = "Tag(`a`, `b`)" }), nil, "only Tag"},
		"bad syntax":                    {with(func(s *model.ProxySettings) { s.Constraints = "Tag(`a`" }), nil, "missing ','"},
		"an error behind what decides":  {with(func(s *model.ProxySettings) { s.Constraints = "Tag(`a`) || Nope(`b`)" }), []string{"a"}, "function Nope"},
		"a service mesh":                {with(func(s *model.ProxySettings) { s.ConnectAware, s.ConnectByDefault = true, true }), nil, "service mesh"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readOne(tt.settings, tt.tags...)
			require.Contains(t, got.Unknown, tt.want)
			got.Unknown = ""
			require.Zero(t, got)
		})
	}
}

func TestConstraints(t *testing.T) {
	tests := map[string]bool{
		"":                                      true,
		"Tag(`a`)":                              true,
		"Tag(\"b=1\")":                          true,
		"Tag(`A`)":                              false,
		"!Tag(`a`)":                             false,
		"!Tag(`c`) && (Tag(`c`) || Tag(`a`))":   true,
		"TagRegex(`^b=[0-9]$`)":                 true,
		"TagRegex(`^c`) || !TagRegex(`(`)":      true,
		"TagRegex(`(`)":                         false,
		"Tag(`a`) || Tag(`c`) && Tag(`c`)":      true,
		"(Tag(`a`) || Tag(`c`)) && (Tag(`c`))":  false,
		"  Tag( `a` )  ":                        true,
		"!(!Tag(`a`))":                          true,
		"Tag(`a`) && Tag(`b=1`) && !Tag(`b=2`)": true,
	}
	for expr, want := range tests {
		t.Run(expr, func(t *testing.T) {
			got := readOne(change(func(s *model.ProxySettings) { s.Constraints = expr }), "a", "b=1")
			require.Empty(t, got.Unknown)
			require.Equal(t, want, got.Exposed)
			require.Equal(t, want, got.Excluded == "")
		})
	}
}

func TestInstancesThatDisagreeAreUnknown(t *testing.T) {
	reg := func(id string, tags ...string) model.Registration {
		return model.Registration{ServiceID: id, ServiceName: "web", Address: "10.0.0.1", Port: 1, Tags: tags}
	}
	other := model.Registration{ServiceID: "other", ServiceName: "other", Address: "10.0.0.1", Port: 2}
	got := traefik.ReadCatalog(defaults(), []model.Registration{reg("a", "traefik.enable=true"), reg("b", "traefik.Enable=false"), other})
	require.Len(t, got, 3)
	for _, id := range []string{"a", "b"} {
		require.Contains(t, got[id].Unknown, "disagree", id)
		require.False(t, got[id].Exposed, id)
	}
	require.True(t, got["other"].Exposed)

	got = traefik.ReadCatalog(defaults(), []model.Registration{reg("a", "traefik.consulcatalog.canary=true"), reg("b", "traefik.consulcatalog.canary=false")})
	require.True(t, got["a"].Exposed, "canary is read from each instance alone")
	require.True(t, got["b"].Exposed)
	require.NotEqual(t, got["a"].Routers, got["b"].Routers)

	got = traefik.ReadCatalog(defaults(), []model.Registration{reg("a"), reg("b", "traefik.consulcatalog.nope=1")})
	require.Contains(t, got["a"].Err, "nope", "one bad tag of the provider's own removes the whole service")
}

func TestTagsThatTraefikWouldNotTake(t *testing.T) {
	tests := map[string]struct {
		tag, want string
	}{
		"a bracket that is not opened":   {"traefik.http.routers.a].rule=x", `tag "traefik.http.routers.a].rule=x": Traefik's provider panics on it`},
		"a bracket at the front":         {"traefik.http.[0].rule=x", "leading character"},
		"an empty element":               {"traefik.http..rule=x", "invalid element"},
		"a router that is a leaf":        {"traefik.http.routers=x", "standalone"},
		"a newer version's option":       {"traefik.http.middlewares.m.retry.status=502", "retry.status"},
		"something that only looks HTTP": {"traefik.httpx.foo=1", "traefik.httpx.foo"},
		"a UDP service without balancer": {"traefik.udp.services.u.weighted.services[0].name=x", "UDP service u"},
		"a TCP service without balancer": {"traefik.tcp.services.u.weighted.services[0].name=x", "TCP service u"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readOne(defaults(), tt.tag)
			require.Contains(t, got.Err, tt.want)
			require.False(t, got.Exposed)
			require.Empty(t, got.Services)
			require.Empty(t, got.Routers)
		})
	}
	got := traefik.ReadTags(defaults(), model.Registration{ServiceID: "x", ServiceName: "x", Port: 1})
	require.Contains(t, got.Err, "no address")
	got = traefik.ReadTags(model.ProxySettings{}, model.Registration{ServiceID: "x", ServiceName: "x", Port: 1})
	require.Contains(t, got.Excluded, "not enabled")
}

func TestHostPort(t *testing.T) {
	tests := map[string]string{
		"http://10.0.0.1:8080": "10.0.0.1:8080",
		"http://10.0.0.1":      "10.0.0.1:80",
		"https://web/path":     "web:443",
		"h2c://web":            "web:80",
		"http://[::1]:80":      "[::1]:80",
		"ftp://web":            "",
		"10.0.0.1:8080":        "",
		"http://web:port":      "",
		"":                     "",
	}
	for url, want := range tests {
		require.Equal(t, want, traefik.HostPort(url), url)
	}
}

func TestChainsOfChainsAreReadInNoTime(t *testing.T) {
	tags := []string{"traefik.http.routers.a.rule=x", "traefik.http.routers.a.middlewares=c0,other@file", "traefik.http.middlewares.c60.chain.middlewares=last,c0"}
	for i := range 60 {
		tags = append(tags, fmt.Sprintf("traefik.http.middlewares.c%d.chain.middlewares=c%d,c%d", i, i+1, i+1))
	}
	got := readOne(defaults(), tags...)
	require.Equal(t, map[string][]string{"a@consulcatalog": {"last@consulcatalog", "other@file"}}, got.RouterMiddlewares)
}
