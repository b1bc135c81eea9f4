package park_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/traefik"
)

// situation is a service that can be parked for, to be changed.
type situation struct {
	job   *model.Job
	svc   model.Service
	park  time.Duration
	views []park.View
}

const lb = "traefik.http.services.web.loadbalancer."

// reading is what a proxy makes of the tags, definitions included.
func reading(tags ...string) model.TagReading {
	job := model.Job{ID: "web", Groups: []model.Group{{Name: "web", Services: []model.Service{{Name: "web", Tags: tags}}}}}
	return traefik.ReadJob(traefik.Defaults(), "", job)[model.GroupPath("web").Service(0)].Stable
}

func fitting() situation {
	s := situation{job: &model.Job{ID: "web", Type: "service"}, svc: model.Service{Name: "web", Task: "app", Provider: "consul"}, park: 30 * second}
	settings := traefik.Defaults()
	settings.Timeouts = &model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "other", Write: second, Read: second}, {Name: "web", Default: true, Read: time.Minute}}}
	next := reading("traefik.http.routers.web.rule=Host(`web`)", lb+"server.port=9090")
	s.views = []park.View{{Proxy: "edge-1", Settings: settings, Next: &next, Routing: &model.Routing{},
		Tags: reading("traefik.http.routers.web.rule=Host(`web`)", lb+"server.port=8080", lb+"healthcheck.path=/readyz", lb+"server.weight=2")}}
	// The health check is not a difference: the new version has it too.
	*s.views[0].Next = reading("traefik.http.routers.web.rule=Host(`web`)", lb+"server.port=9090", lb+"healthcheck.path=/readyz", lb+"server.weight=3")
	return s
}

func (s *situation) tags(tags ...string) {
	s.views[0].Tags, s.views[0].Next = reading(append([]string{"traefik.http.routers.web.rule=Host(`web`)"}, tags...)...), nil
}

func (s *situation) timeouts() *model.Timeouts { return s.views[0].Settings.Timeouts }

func (s *situation) runs(r model.Router, m map[string]model.Middleware) {
	s.views[0].Routing = &model.Routing{Routers: []model.Router{r}, Middlewares: m}
}

func (s situation) fit() park.Fitness { return park.Fit(s.job, s.svc, s.park, s.views) }

func TestAServiceThatFits(t *testing.T) {
	require.Equal(t, park.Fitness{}, fitting().fit())
}

func TestWhatRefusesAPark(t *testing.T) {
	tests := map[string]struct {
		change  func(*situation)
		reason  model.Reason
		message string
		// where is the tag, the setting or the attribute.
		where string
	}{
		"a batch job":                         {func(s *situation) { s.job.Type = "batch" }, park.ReasonNotService, "service jobs only", ""},
		"a job that is not known":             {func(s *situation) { s.job = nil }, park.ReasonNotService, "service jobs only", ""},
		"in Nomad's own catalog":              {func(s *situation) { s.svc.Provider = "nomad" }, park.ReasonProviderNomad, `set provider = "consul"`, "provider"},
		"in the mesh":                         {func(s *situation) { s.svc.Connect = true }, park.ReasonConnect, "through the mesh", "connect"},
		"behind no proxy":                     {func(s *situation) { s.views = nil }, park.ReasonNotRouted, "no requests to park", ""},
		"left out by the only proxy":          {func(s *situation) { s.tags("traefik.enable=false") }, park.ReasonNotRouted, "not enabled", ""},
		"tags that Traefik refuses":           {func(s *situation) { s.tags("traefik.http.routers.web.nope=1") }, park.ReasonTagsUnknown, "nope", ""},
		"tags that cannot be read":            {func(s *situation) { s.tags("${meta.tag}") }, park.ReasonTagsUnknown, "only Nomad can fill in", ""},
		"TCP beside HTTP":                     {func(s *situation) { s.tags("traefik.tcp.routers.t.rule=HostSNI(`*`)") }, park.ReasonProtocol, "TCP or UDP", ""},
		"UDP alone":                           {func(s *situation) { s.views[0].Tags = reading("traefik.udp.routers.u.entrypoints=dns") }, park.ReasonProtocol, "TCP or UDP", ""},
		"https to the instances":              {func(s *situation) { s.tags(lb + "server.scheme=https") }, park.ReasonScheme, "speaks https", "http.services.web.loadbalancer.server.scheme"},
		"h2c by a URL":                        {func(s *situation) { s.tags(lb + "server.url=h2c://10.0.0.1:1") }, park.ReasonScheme, "speaks h2c", "http.services.web.loadbalancer.server.scheme"},
		"weight 0":                            {func(s *situation) { s.tags(lb + "server.weight=0") }, park.ReasonWeight, "weight 0", "http.services.web.loadbalancer.server.weight"},
		"a health check elsewhere":            {func(s *situation) { s.tags(lb+"healthcheck.path=/r", lb+"healthcheck.port=9") }, park.ReasonHealthCheck, "port 9", "http.services.web.loadbalancer.healthcheck.port"},
		"a health check by gRPC":              {func(s *situation) { s.tags(lb + "healthcheck.mode=grpc") }, park.ReasonHealthCheck, "gRPC", "http.services.web.loadbalancer.healthcheck.mode"},
		"a health check of no answer":         {func(s *situation) { s.tags(lb+"healthcheck.path=/r", lb+"healthcheck.status=100") }, park.ReasonHealthCheck, "wants status 100", "http.services.web.loadbalancer.healthcheck.status"},
		"a health check that no answer meets": {func(s *situation) { s.tags(lb+"healthcheck.path=/r", lb+"healthcheck.status=600") }, park.ReasonHealthCheck, "wants status 600", "http.services.web.loadbalancer.healthcheck.status"},
		"a health check by TLS":               {func(s *situation) { s.tags(lb+"healthcheck.path=/r", lb+"healthcheck.scheme=https") }, park.ReasonHealthCheck, "asks by https", "http.services.web.loadbalancer.healthcheck.scheme"},
		"a passive health check":              {func(s *situation) { s.tags(lb + "passivehealthcheck.failurewindow=10s") }, park.ReasonPassiveHealthCheck, "remove passivehealthcheck", "http.services.web.loadbalancer.passivehealthcheck"},
		"a circuit breaker": {func(s *situation) {
			s.tags("traefik.http.routers.web.middlewares=cut", "traefik.http.middlewares.cut.circuitbreaker.expression=LatencyAtQuantileMS(50.0) > 100")
		}, park.ReasonLimit, `circuitBreaker "cut"`, "http.middlewares.cut.circuitbreaker"},
		"a limit on requests": {func(s *situation) {
			s.tags("traefik.http.routers.web.middlewares=few", "traefik.http.middlewares.few.inflightreq.amount=10")
		}, park.ReasonLimit, `inFlightReq "few"`, "http.middlewares.few.inflightreq"},
		"a limit in a chain": {func(s *situation) {
			s.tags("traefik.http.routers.web.middlewares=all", "traefik.http.middlewares.all.chain.middlewares=few", "traefik.http.middlewares.few.inflightreq.amount=10")
		}, park.ReasonLimit, `inFlightReq "few"`, "http.middlewares.few.inflightreq"},
		"a limit of a file": {func(s *situation) {
			s.runs(model.Router{Name: "web@consulcatalog", Service: "web@consulcatalog", EntryPoints: []string{"web"}, Middlewares: []string{"all@file"}}, map[string]model.Middleware{"all@file": {Chain: []string{"all@file", "few@file"}}, "few@file": {Limit: model.LimitInFlight}})
		}, park.ReasonLimit, `router "web" uses inFlightReq "few@file"`, "http.middlewares.few@file.inflightreq"},
		"a limit of a file's router": {func(s *situation) {
			s.runs(model.Router{Name: "vip@file", Service: "web@consulcatalog", EntryPoints: []string{"web"}, Middlewares: []string{"few@file"}}, map[string]model.Middleware{"few@file": {Limit: model.LimitInFlight}})
		}, park.ReasonLimit, `router "vip@file"`, "http.middlewares.few@file.inflightreq"},
		"answers must come sooner":    {func(s *situation) { s.timeouts().ResponseHeader = 30 * second }, park.ReasonResponseTimeout, "responseHeaderTimeout = 30s", "serversTransport.forwardingTimeouts.responseHeaderTimeout"},
		"connections are cut sooner":  {func(s *situation) { s.timeouts().EntryPoints[1].Write = 30 * second }, park.ReasonEntryPointTimeout, "writeTimeout = 30s", "entryPoints.web.transport.respondingTimeouts.writeTimeout"},
		"bodies must come sooner":     {func(s *situation) { s.timeouts().EntryPoints[1].Read = 30 * second }, park.ReasonEntryPointTimeout, "readTimeout = 30s", "entryPoints.web.transport.respondingTimeouts.readTimeout"},
		"a router names its entrance": {func(s *situation) { s.tags("traefik.http.routers.web.entrypoints=other") }, park.ReasonEntryPointTimeout, "entryPoints.other", "entryPoints.other.transport.respondingTimeouts.writeTimeout"},
		"a running router has another": {func(s *situation) {
			s.runs(model.Router{Name: "web@consulcatalog", Service: "web@consulcatalog", EntryPoints: []string{"other"}}, nil)
		}, park.ReasonEntryPointTimeout, "entryPoints.other", "entryPoints.other.transport.respondingTimeouts.writeTimeout"},
		"the versions' tags differ":  {func(s *situation) { *s.views[0].Next = reading("traefik.http.routers.web.rule=Host(`other`)") }, park.ReasonTagsDiffer, `router "web" differently`, ""},
		"the next one's are refused": {func(s *situation) { *s.views[0].Next = reading("traefik.http.routers.web.nope=1") }, park.ReasonTagsUnknown, "nope", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := fitting()
			tt.change(&s)
			got := s.fit()
			require.NotEmpty(t, got.Refusals)
			f := got.Refusals[0]
			require.Equal(t, tt.reason, f.Reason, f.Message)
			require.Contains(t, f.Message, tt.message)
			require.Equal(t, tt.where, f.Tag+f.Setting+f.Attribute)
			require.NotContains(t, f.Message, "\n")
			for _, r := range got.Refusals {
				require.Equal(t, f.Reason, r.Reason, "nothing else is said")
			}
		})
	}
}

func TestWhatRefusesNothing(t *testing.T) {
	tests := map[string]func(*situation){
		"a timeout above the park": func(s *situation) {
			s.timeouts().ResponseHeader, s.timeouts().EntryPoints[1].Write = 31*second, 31*second
		},
		"a timeout of an entrance not used": func(s *situation) { s.timeouts().EntryPoints[0].Write = second },
		"a limit that no router uses":       func(s *situation) { s.tags("traefik.http.middlewares.few.inflightreq.amount=10") },
		"another middleware": func(s *situation) {
			s.tags("traefik.http.routers.web.middlewares=a", "traefik.http.middlewares.a.retry.attempts=3")
		},
		"a router that goes to another": func(s *situation) {
			s.runs(model.Router{Name: "x@file", Service: "x@file", Middlewares: []string{"few@file"}}, map[string]model.Middleware{"few@file": {Limit: model.LimitInFlight}})
		},
		"one of two proxies does not route it": func(s *situation) {
			s.views = append(s.views, park.View{Proxy: "edge-2", Tags: model.TagReading{Excluded: "constraints"}})
		},
		"a name that the new version drops": func(s *situation) {
			*s.views[0].Next = reading("traefik.http.routers.new.rule=Host(`new`)", lb+"healthcheck.path=/readyz")
		},
		"the new version is not known": func(s *situation) { s.views[0].Next = nil },
		"http by name": func(s *situation) {
			s.tags(lb+"server.scheme=HTTP", lb+"healthcheck.path=/r", lb+"healthcheck.scheme=http")
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := fitting()
			change(&s)
			require.Empty(t, s.fit().Refusals)
		})
	}
}

func TestWhatCannotBeReadIsSaidAndRefusesNothing(t *testing.T) {
	tests := map[string]struct {
		change  func(*situation)
		reason  model.Reason
		message string
	}{
		"timeouts":                 {func(s *situation) { s.views[0].Settings.Timeouts = nil }, park.ReasonEntryPointTimeout, "must be above 30s"},
		"a transport by name":      {func(s *situation) { s.tags(lb + "serverstransport=slow@file"); s.timeouts().ResponseHeader = second }, park.ReasonResponseTimeout, `serversTransport "slow@file"`},
		"a middleware of a file":   {func(s *situation) { s.tags("traefik.http.routers.web.middlewares=auth@file"); s.views[0].Routing = nil }, park.ReasonLimit, `middleware "auth@file"`},
		"how fast the proxy reads": {func(s *situation) { s.views[0].Settings.Watch = true }, park.ReasonNoticeUnknown, "watch = true"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := fitting()
			tt.change(&s)
			got := s.fit()
			require.Empty(t, got.Refusals)
			require.Len(t, got.Unread, 1)
			require.Equal(t, tt.reason, got.Unread[0].Reason)
			require.Equal(t, "edge-1", got.Unread[0].Proxy)
			require.Contains(t, got.Unread[0].Message, tt.message)
		})
	}
}

func TestAllThatSpeaksAgainstItIsSaid(t *testing.T) {
	s := fitting()
	s.tags(lb+"server.weight=0", lb+"healthcheck.path=/r", lb+"healthcheck.port=9")
	s.views = append(s.views, s.views[0])
	s.views[1].Proxy = "edge-2"
	var said []string
	for _, f := range s.fit().Refusals {
		said = append(said, f.Proxy+" "+string(f.Reason))
	}
	require.Equal(t, "edge-1 WeightZero, edge-1 HealthCheckElsewhere, edge-2 WeightZero, edge-2 HealthCheckElsewhere", strings.Join(said, ", "))
}
