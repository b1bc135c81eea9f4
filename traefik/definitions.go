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
// middlewares, and services without their servers. Extra are those of the
// labels that the schema does not know and Traefik does.
func (h *httpConfig) definitions(service string, labels, extra map[string]label) []model.TagDefinition {
	var out []model.TagDefinition
	add := func(kind, name string, content any) {
		d := model.TagDefinition{Kind: kind, Name: Qualify(name, model.ProviderConsulCatalog), Content: asText(content)}
		under := "traefik.http." + kind + "s." + name + "."
		for _, key := range slices.Sorted(maps.Keys(labels)) {
			if len(key) <= len(under) || !strings.EqualFold(key[:len(under)], under) {
				continue
			}
			d.Tags = append(d.Tags, labels[key].index)
			if l, ok := extra[key]; ok {
				d.Content += "\n" + strings.ToLower(key) + "=" + l.value
			}
		}
		slices.Sort(d.Tags)
		out = append(out, d)
	}
	for name, r := range h.Routers {
		if whole, ok := h.completeRouter(r, service); ok {
			add(model.KindRouter, name, whole)
		}
	}
	for name, s := range h.Services {
		balancer := *s.LoadBalancer
		balancer.Servers = nil
		add(model.KindService, name, balancer)
	}
	for name, m := range h.Middlewares {
		add(model.KindMiddleware, name, m)
	}
	slices.SortFunc(out, func(a, b model.TagDefinition) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return out
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
