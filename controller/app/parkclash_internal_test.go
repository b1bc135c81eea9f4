package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// A version with another rule that came while requests waited: Traefik would drop its
// router for as long as a placeholder stands beside it.
func TestAnInstanceClashesWithPlaceholders(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tags := func(more ...string) []string {
		return append([]string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`a`)"}, more...)
	}
	const port = "traefik.http.services.web.loadbalancer.server.port="
	other := []string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`b`)"}
	tests := map[string]struct {
		stand, has []string
		change     func(*park.Facts)
		want       string
	}{
		"the same tags":                    {tags(), tags(), nil, ""},
		"another port":                     {tags(port + "1"), tags(port + "2"), nil, ""},
		"another rule":                     {tags(), other, nil, `proxy edge: instance _nomad-new and the placeholders define router "web" differently`},
		"another option of the service":    {tags(port + "1"), tags("traefik.http.services.web.loadbalancer.sticky.cookie=true"), nil, `define service "web" differently`},
		"another router":                   {tags(), []string{"traefik.enable=true", "traefik.http.routers.b.rule=Host(`b`)"}, nil, ""},
		"an instance with a warning":       {tags(), other, func(f *park.Facts) { f.Catalog.Value[0].Status = model.StatusWarning }, `router "web"`},
		"one that no proxy takes yet":      {tags(), other, func(f *park.Facts) { f.Catalog.Value[0].Status = model.StatusCritical }, ""},
		"one that is not exposed":          {tags(), other[1:], nil, ""},
		"a placeholder":                    {tags(), other, func(f *park.Facts) { f.Catalog.Value[0].ServiceID = "_draingate-park-web~n1" }, ""},
		"a proxy that tells of no setting": {tags(), other, func(f *park.Facts) { f.Proxies.Value[0].Settings = model.Unseen[model.ProxySettings](at, "x") }, ""},
		"the second proxy": {tags(), other, func(f *park.Facts) {
			f.Proxies.Value = append([]model.Proxy{{Settings: model.Seen(model.ProxySettings{Prefix: "x"}, at)}}, f.Proxies.Value...)
		}, "proxy edge"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := park.Facts{
				Service: "web",
				Catalog: model.Seen([]model.Registration{{ServiceID: "_nomad-new", ServiceName: "web", AllocID: "new", Address: "10.0.0.1", Port: 80, Tags: tt.has, Status: model.StatusPassing}}, at),
				Proxies: model.Seen([]model.Proxy{{Name: "edge", Settings: model.Seen(model.ProxySettings{ConsulCatalog: true, Prefix: "traefik"}, at)}}, at),
			}
			if tt.change != nil {
				tt.change(&f)
			}
			got := clash(f, tt.stand)
			if tt.want == "" {
				require.Zero(t, got)
				return
			}
			require.Equal(t, park.ReasonTagsDiffer, got.Reason)
			require.Contains(t, got.Message, tt.want)
		})
	}
}
