package traefik

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// read makes a reading of decoded tags, following the order in which the
// provider builds a configuration and gives an instance up
// (pkg/provider/consulcatalog/config.go, v3.6.12).
func read(conf *dynamicConfig, reg model.Registration, name string) model.TagReading {
	out := model.TagReading{Exposed: true, NonHTTP: conf.stream()}
	if err := conf.checkStream(reg); err != nil {
		return model.TagReading{Err: err.Error(), NonHTTP: out.NonHTTP}
	}
	if out.NonHTTP && !conf.HTTP.any() {
		return out
	}
	conf.HTTP.complete(name)
	for _, n := range slices.Sorted(maps.Keys(conf.HTTP.Services)) {
		svc, err := readLoadBalancer(n, conf.HTTP.Services[n], reg)
		if err != nil {
			return model.TagReading{Err: err.Error(), NonHTTP: out.NonHTTP}
		}
		out.Services = append(out.Services, svc)
	}
	slices.SortFunc(out.Services, func(a, b model.TagService) int { return strings.Compare(a.Name, b.Name) })
	conf.HTTP.readRouters(&out)
	return out
}

// any reports whether the tags ask for anything of HTTP; without it an
// instance with TCP or UDP tags gets no default router.
func (h *httpConfig) any() bool {
	return len(h.Routers) > 0 || len(h.Middlewares) > 0 || len(h.Services) > 0
}

// complete adds the default service and router where the tags name none.
func (h *httpConfig) complete(name string) {
	if len(h.Services) == 0 {
		h.Services = map[string]*httpService{name: {LoadBalancer: newLoadBalancer()}}
	}
	if len(h.Routers) == 0 && len(h.Services) == 1 {
		h.Routers = map[string]*httpRouter{name: {}}
	}
}

func readLoadBalancer(name string, svc *httpService, reg model.Registration) (model.TagService, error) {
	if svc.LoadBalancer == nil {
		return model.TagService{}, fmt.Errorf("service %s: has no loadBalancer tag: tags can define no other kind of service", name)
	}
	lb := svc.LoadBalancer
	var first server
	if len(lb.Servers) > 0 {
		first = lb.Servers[0]
	}
	hostPort, err := address(first, reg)
	if err != nil {
		return model.TagService{}, fmt.Errorf("service %s: %w", name, err)
	}
	return model.TagService{
		Name:             Qualify(name, model.ProviderConsulCatalog),
		HostPort:         hostPort,
		HealthCheck:      lb.HealthCheck.read(),
		Passive:          lb.PassiveHealthCheck.read(),
		Sticky:           lb.Sticky != nil && lb.Sticky.Cookie != nil,
		Scheme:           first.scheme(),
		ServersTransport: qualifyAny(lb.ServersTransport),
		Weight:           first.weight(),
	}, nil
}

// qualifyAny is Qualify for a name that need not be there.
func qualifyAny(name string) string {
	if name == "" {
		return ""
	}
	return Qualify(name, model.ProviderConsulCatalog)
}

// scheme is what the proxy speaks to the instance: that of the URL, else the one
// that the tags give, else http.
func (s server) scheme() string {
	if scheme, _, ok := strings.Cut(s.URL, "://"); ok {
		return strings.ToLower(scheme)
	}
	return cmp.Or(strings.ToLower(s.Scheme), "http")
}

// address is where a proxy reaches the instance: its own address and port
// unless the tags say otherwise.
func address(first server, reg model.Registration) (string, error) {
	if reg.Address == "" {
		return "", fmt.Errorf("instance %s has no address", reg.ServiceID)
	}
	if first.URL != "" {
		if first.Scheme != "" || first.Port != "" {
			return "", fmt.Errorf("server.url excludes server.scheme and server.port")
		}
		return HostPort(first.URL), nil
	}
	port := first.Port
	if port == "" {
		port = strconv.Itoa(reg.Port)
	}
	return net.JoinHostPort(reg.Address, port), nil
}

func (s server) weight() int {
	if s.Weight == nil {
		return 1
	}
	return *s.Weight
}

// read applies what Traefik does with a health check whose interval or
// timeout is not above 0: it takes the default (pkg/healthcheck/healthcheck.go).
func (h *serverHealthCheck) read() *model.HealthCheck {
	if h == nil {
		return nil
	}
	out := &model.HealthCheck{
		Path:     h.Path,
		Port:     h.Port,
		Interval: positive(h.Interval, healthInterval),
		Timeout:  positive(h.Timeout, healthTimeout),
		GRPC:     h.Mode == "grpc",
		Scheme:   h.Scheme,
		Method:   h.Method,
		Hostname: h.Hostname,
		Status:   h.Status,
		Headers:  h.Headers,
	}
	out.UnhealthyInterval = out.Interval
	if h.UnhealthyInterval != nil {
		out.UnhealthyInterval = positive(*h.UnhealthyInterval, healthInterval)
	}
	return out
}

func (h *passiveHealthCheck) read() *model.PassiveHealthCheck {
	if h == nil {
		return nil
	}
	return &model.PassiveHealthCheck{FailureWindow: time.Duration(h.FailureWindow), MaxFailedAttempts: h.MaxFailedAttempts}
}

func positive(d duration, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return time.Duration(d)
}
