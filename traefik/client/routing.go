package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// Routing returns the HTTP routers and services that the process runs now.
// It is read from /api/rawdata: one document made from one configuration,
// where the paginated lists could tear across a reload.
func (c *Client) Routing(ctx context.Context) (model.Routing, error) {
	const path = "/api/rawdata"
	body, err := c.get(ctx, path, jsonType, routingLimit)
	if err != nil {
		return model.Routing{}, err
	}
	routing, err := parseRouting(body)
	if err != nil {
		return model.Routing{}, c.failed(path, err)
	}
	return routing, nil
}

type rawData struct {
	Routers     map[string]*rawRouter
	Services    map[string]*rawService
	Middlewares map[string]*rawMiddleware
}

type rawRouter struct {
	EntryPoints []string
	Middlewares []string
	Service     string
	Rule        string
	Status      string
	Error       []string
}

type rawMiddleware struct {
	Chain *struct {
		Middlewares []string
	}
	CircuitBreaker, InFlightReq json.RawMessage
}

type rawService struct {
	LoadBalancer *struct {
		Servers []struct {
			URL    string
			Weight *int
		}
	}
	Status       string
	Error        []string
	UsedBy       []string
	ServerStatus map[string]string
}

func parseRouting(body []byte) (model.Routing, error) {
	var raw rawData
	if err := json.Unmarshal(body, &raw); err != nil {
		return model.Routing{}, fmt.Errorf("the answer is not Traefik's routing: %w", err)
	}
	if len(raw.Routers) == 0 && len(raw.Services) == 0 {
		// The API's own router and service are always there.
		return model.Routing{}, errors.New("the answer has no router and no service, not even the API's own")
	}
	var out model.Routing
	for _, name := range slices.Sorted(maps.Keys(raw.Routers)) {
		r, err := raw.Routers[name].convert(name)
		if err != nil {
			return model.Routing{}, err
		}
		out.Routers = append(out.Routers, r)
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Services)) {
		s, err := raw.Services[name].convert(name)
		if err != nil {
			return model.Routing{}, err
		}
		out.Services = append(out.Services, s)
	}
	out.Middlewares = convertMiddlewares(raw.Middlewares)
	return out, nil
}

// convertMiddlewares keeps those that hold others or limit what passes.
func convertMiddlewares(raw map[string]*rawMiddleware) map[string]model.Middleware {
	out := map[string]model.Middleware{}
	for name, m := range raw {
		switch {
		case m == nil:
		case m.CircuitBreaker != nil:
			out[name] = model.Middleware{Limit: model.LimitCircuitBreaker}
		case m.InFlightReq != nil:
			out[name] = model.Middleware{Limit: model.LimitInFlight}
		case m.Chain != nil:
			out[name] = model.Middleware{Chain: qualifyAll(m.Chain.Middlewares, traefik.ProviderOf(name))}
		}
	}
	return out
}

func qualifyAll(names []string, provider string) []string {
	var out []string
	for _, n := range names {
		out = append(out, traefik.Qualify(n, provider))
	}
	return out
}

func (r *rawRouter) convert(name string) (model.Router, error) {
	provider := traefik.ProviderOf(name)
	switch {
	case r == nil || r.Status == "":
		return model.Router{}, fmt.Errorf("router %s has no status", name)
	case provider == "":
		return model.Router{}, fmt.Errorf("router %s has no provider in its name", name)
	}
	out := model.Router{Name: name, Provider: provider, Rule: r.Rule, Status: r.Status, Errors: slices.Sorted(slices.Values(r.Error)),
		EntryPoints: slices.Sorted(slices.Values(r.EntryPoints)), Middlewares: qualifyAll(r.Middlewares, provider)}
	if r.Service != "" {
		out.Service = traefik.Qualify(r.Service, provider)
	}
	return out, nil
}

func (s *rawService) convert(name string) (model.ProxyService, error) {
	provider := traefik.ProviderOf(name)
	switch {
	case s == nil || s.Status == "":
		return model.ProxyService{}, fmt.Errorf("service %s has no status", name)
	case provider == "":
		return model.ProxyService{}, fmt.Errorf("service %s has no provider in its name", name)
	}
	return model.ProxyService{
		Name:     name,
		Provider: provider,
		Status:   s.Status,
		Errors:   slices.Sorted(slices.Values(s.Error)),
		UsedBy:   slices.Sorted(slices.Values(s.UsedBy)),
		Servers:  s.servers(),
	}, nil
}

func (s *rawService) servers() []model.Server {
	if s.LoadBalancer == nil {
		return nil
	}
	var out []model.Server
	for _, raw := range s.LoadBalancer.Servers {
		server := model.Server{URL: raw.URL, HostPort: traefik.HostPort(raw.URL), Status: s.status(raw.URL), Weight: 1}
		if raw.Weight != nil {
			server.Weight = *raw.Weight
		}
		out = append(out, server)
	}
	slices.SortFunc(out, func(a, b model.Server) int { return strings.Compare(a.URL, b.URL) })
	return out
}

// status looks a server up in the statuses, whose keys are URLs as net/url
// writes them.
func (s *rawService) status(server string) string {
	if status, ok := s.ServerStatus[server]; ok {
		return status
	}
	u, err := url.Parse(server)
	if err != nil {
		return ""
	}
	return s.ServerStatus[u.String()]
}
