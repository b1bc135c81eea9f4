package traefik

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// definitions lists what the provider compares where several instances define
// one name (pkg/provider/configuration.go, Merge, v3.6.12): whole routers and
// middlewares, and services without their servers, of HTTP, TCP and UDP. Name is
// the default one of the instance, service the name in Consul; extra are those
// of the labels that the schema does not know and Traefik does.
func (c *dynamicConfig) definitions(name, service string, labels, extra map[string]label) []model.TagDefinition {
	d := definer{labels: labels, extra: extra}
	d.ofHTTP(&c.HTTP, service)
	d.ofTCP(&c.TCP, name)
	d.ofUDP(&c.UDP, name)
	slices.SortFunc(d.out, func(a, b model.TagDefinition) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return d.out
}

// definer collects definitions.
type definer struct {
	labels, extra map[string]label
	out           []model.TagDefinition
}

// add completes a definition by the labels under the key that is its own, such
// as http.routers.
func (d *definer) add(kind, under, name string, content any) {
	one := model.TagDefinition{Kind: kind, Name: Qualify(name, model.ProviderConsulCatalog), Content: asText(content)}
	under = "traefik." + under + "." + name + "."
	for _, key := range slices.Sorted(maps.Keys(d.labels)) {
		if len(key) <= len(under) || !strings.EqualFold(key[:len(under)], under) {
			continue
		}
		one.Tags = append(one.Tags, d.labels[key].index)
		if l, ok := d.extra[key]; ok {
			one.Content += "\n" + strings.ToLower(key) + "=" + l.value
		}
	}
	slices.Sort(one.Tags)
	d.out = append(d.out, one)
}

func (d *definer) ofHTTP(h *httpConfig, service string) {
	for name, r := range h.Routers {
		if whole, ok := h.completeRouter(r, service); ok {
			d.add(model.KindRouter, "http.routers", name, whole)
		}
	}
	for name, s := range h.Services {
		balancer := *s.LoadBalancer
		balancer.Servers = nil
		d.add(model.KindService, "http.services", name, balancer)
	}
	for name, m := range h.Middlewares {
		d.add(model.KindMiddleware, "http.middlewares", name, m)
	}
}

// ofTCP leaves out routers without a rule, which the provider drops, as it
// drops those that could have several services.
func (d *definer) ofTCP(c *tcpConfig, name string) {
	if len(c.Routers) > 0 && len(c.Services) == 0 {
		c.Services = map[string]*tcpService{name: {LoadBalancer: &tcpLoadBalancer{}}}
	}
	only := onlyKey(c.Services)
	for name, r := range c.Routers {
		whole := *r
		whole.Service = cmp.Or(whole.Service, only)
		if whole.Rule != "" && whole.Service != "" {
			d.add(model.KindTCPRouter, "tcp.routers", name, whole)
		}
	}
	for name, s := range c.Services {
		balancer := *s.LoadBalancer
		balancer.Servers = nil
		d.add(model.KindTCPService, "tcp.services", name, balancer)
	}
	for name, m := range c.Middlewares {
		d.add(model.KindTCPMiddleware, "tcp.middlewares", name, m)
	}
}

// ofUDP leaves out services: their servers apart, all are equal.
func (d *definer) ofUDP(c *udpConfig, name string) {
	only := onlyKey(c.Services)
	if len(c.Services) == 0 {
		only = name
	}
	for name, r := range c.Routers {
		whole := *r
		whole.Service = cmp.Or(whole.Service, only)
		if whole.Service != "" {
			d.add(model.KindUDPRouter, "udp.routers", name, whole)
		}
	}
}

// onlyKey is the key of a map with just one.
func onlyKey[T any](m map[string]T) string {
	if len(m) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(m))[0]
}

// completeRouter fills in what the provider does: the only service, and the
// default rule, which is made of the service's name. The second result is
// false for a router that the provider drops.
func (h *httpConfig) completeRouter(r *httpRouter, service string) (httpRouter, bool) {
	out := *r
	if out.Service == "" {
		if len(h.Services) != 1 {
			return out, false
		}
		for only := range h.Services {
			out.Service = only
		}
	}
	if out.Rule == "" {
		out.Rule, out.DefaultRule = "the default rule for "+service, true
	}
	return out, true
}

// asText gives the content in a form that is equal for equal contents.
func asText(content any) string {
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Sprintf("%+v", content)
	}
	return string(text)
}
