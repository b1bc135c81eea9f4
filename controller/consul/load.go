package consul

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// MeasureLoad does what one load of Traefik's Consul catalog provider does, a
// list of the services and then one call for each of them in turn, and tells
// how long it took (pkg/provider/consulcatalog/consul_catalog.go, Traefik
// v3.6.12). It asks for every service, as a Traefik does that exposes all by
// default; one that does not, loads fewer and is faster. It is an error if
// anything could not be read, since a partial load says nothing.
func (c *Client) MeasureLoad(ctx context.Context) (model.Load, error) {
	begin := time.Now()
	names, meta, err := c.api.Catalog().Services(c.query(ctx))
	if err != nil {
		return model.Load{}, fmt.Errorf("measure a load: list services: %w", classify(err, grantServices))
	}
	if err := c.complete(ctx, meta, ""); err != nil {
		return model.Load{}, fmt.Errorf("measure a load: list services: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, meta, err := c.api.Health().Service(name, "", false, c.query(ctx))
		if err != nil {
			return model.Load{}, fmt.Errorf("measure a load: read service %q: %w", name, classify(err, grantService(name), grantNodes))
		}
		if meta.ResultsFilteredByACLs {
			return model.Load{}, fmt.Errorf("measure a load: read service %q: %w", name, c.filtered(ctx, name))
		}
	}
	return model.Load{Services: len(names), Took: time.Since(begin)}, nil
}
