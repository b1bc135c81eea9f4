package app

import (
	"fmt"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/traefik"
)

// clash says what a placeholder with these tags defines otherwise than an instance that
// a proxy takes from the catalog, as that of a version that came while requests
// waited for another. A proxy then drops what both define, and with it every request.
func clash(f park.Facts, tags []string) park.Finding {
	// Where it listens bears on its servers only, which may differ.
	stand := model.Registration{ServiceName: f.Service, Address: "192.0.2.1", Port: 1, Status: model.StatusPassing, Tags: tags}
	for _, p := range f.Proxies.Value {
		if !p.Settings.Known() {
			continue
		}
		own := model.TagReading{Definitions: traefik.Defines(p.Settings.Value, stand)}
		for _, r := range f.Catalog.Value {
			if park.IsPlaceholder(r.ServiceID) || r.Status != model.StatusPassing && r.Status != model.StatusWarning {
				continue
			}
			d, _, differ := own.Conflict(model.TagReading{Definitions: traefik.Defines(p.Settings.Value, r)})
			if differ {
				return park.Finding{Reason: park.ReasonTagsDiffer, Proxy: p.Name, Message: fmt.Sprintf(
					"proxy %s: instance %s and the placeholders define %s %q differently, and Traefik drops it while both are there: placeholders leave; change it in a deploy of its own",
					p.Name, r.ServiceID, d.Kind, strings.TrimSuffix(d.Name, "@"+model.ProviderConsulCatalog))}
			}
		}
	}
	return park.Finding{}
}
