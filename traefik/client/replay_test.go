package client_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik/client"
)

func TestIdentityOfARealTraefik(t *testing.T) {
	c := dial(t, client.Options{URL: serve(t, traefik(t)).URL})
	started, version, err := c.Identity(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, version)
	var recorded struct{ StartDate time.Time }
	require.NoError(t, json.Unmarshal(golden(t, "version.json"), &recorded))
	require.True(t, started.Equal(recorded.StartDate), "%s", started)
}

func TestIdentityRefusesWhatHasNoStartDate(t *testing.T) {
	for _, body := range []string{`{}`, `{"Version":"3.6.12","startDate":"0001-01-01T00:00:00Z"}`, `{"startDate":"today"}`, `[]`, `null`} {
		c := dial(t, client.Options{URL: serve(t, answer("application/json", []byte(body))).URL})
		_, _, err := c.Identity(t.Context())
		require.Error(t, err, body)
	}
}

func TestDumpOfARealTraefik(t *testing.T) {
	c := dial(t, client.Options{URL: serve(t, traefik(t)).URL})
	d, err := c.Dump(t.Context())
	require.NoError(t, err)
	require.False(t, d.Started.IsZero())
	want := model.ProxySettings{
		Source: "process", ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second,
		StrictChecks: []string{"passing", "warning"}, ExposedByDefault: true, Prefix: "traefik",
		Timeouts: &model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "traefik", Read: time.Minute}}},
	}
	if diff := cmp.Diff(want, d.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestAnOldTraefikIsToldFromAMissingAPI(t *testing.T) {
	old := http.NewServeMux()
	old.Handle("GET /api/version", answer("application/json", golden(t, "version.json")))
	_, err := dial(t, client.Options{URL: serve(t, old).URL}).Settings(t.Context())
	require.ErrorIs(t, err, client.ErrNoSupportDump)
	require.ErrorContains(t, err, "--traefik-config")

	_, err = dial(t, client.Options{URL: serve(t, http.NotFoundHandler()).URL}).Settings(t.Context())
	require.NotErrorIs(t, err, client.ErrNoSupportDump)
	require.ErrorContains(t, err, "the API is not enabled")
}

func archive(t *testing.T, members ...string) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	for i := 0; i < len(members); i += 2 {
		require.NoError(t, files.WriteHeader(&tar.Header{Name: members[i], Mode: 0o600, Size: int64(len(members[i+1]))}))
		_, err := files.Write([]byte(members[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, files.Close())
	require.NoError(t, zip.Close())
	return out.Bytes()
}

func TestDumpsThatCannotBeTrustedAreErrors(t *testing.T) {
	version := string(golden(t, "version.json"))
	static := `{"providers":{}}`
	tests := map[string]struct {
		body []byte
		want string
	}{
		"no archive":                {[]byte("hello"), "unpack the support dump"},
		"an empty archive":          {archive(t), "it ends without"},
		"no static configuration":   {archive(t, "version.json", version), "it ends without"},
		"no version":                {archive(t, "static-config.json", static), "it ends without"},
		"a version without a start": {archive(t, "version.json", "{}", "static-config.json", static), "no startDate"},
		"a huge member":             {archive(t, "version.json", version, "static-config.json", strings.Repeat(" ", 5<<20)), "static-config.json is longer than"},
		"a huge member before":      {archive(t, "a", strings.Repeat(" ", 20<<20), "version.json", version, "static-config.json", static), "unpack the support dump"},
		"settings that are none":    {archive(t, "version.json", version, "static-config.json", "{}"), "no providers section"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := dial(t, client.Options{URL: serve(t, answer("application/gzip", tt.body)).URL}).Dump(t.Context())
			oneClearLine(t, err, []string{"/api/support-dump", tt.want})
			require.Zero(t, d.Settings)
		})
	}
}

func TestRoutingOfARealTraefik(t *testing.T) {
	got, err := dial(t, client.Options{URL: serve(t, traefik(t)).URL}).Routing(t.Context())
	require.NoError(t, err)

	full := service(t, got, "s18@consulcatalog")
	require.Equal(t, []model.Server{{URL: "http://127.0.0.1:31018", HostPort: "127.0.0.1:31018", Status: "UP", Weight: 3}}, full.Servers)
	require.Equal(t, []string{"r18@consulcatalog"}, full.UsedBy)
	pair := service(t, got, "pair@consulcatalog")
	require.Equal(t, []string{"127.0.0.1:31026", "127.0.0.1:31027"}, []string{pair.Servers[0].HostPort, pair.Servers[1].HostPort})
	require.Empty(t, service(t, got, "s8a@consulcatalog").UsedBy, "no router uses it")
	require.Empty(t, service(t, got, "s8a@consulcatalog").Servers[0].Status, "a service that nothing uses is never built")
	require.Empty(t, service(t, got, "api@internal").Servers)

	require.Equal(t, model.Router{
		Name: "r7a@consulcatalog", Provider: "consulcatalog", Service: "s7a@consulcatalog", Rule: "Host(`r7a`)", Status: model.StatusEnabled,
		EntryPoints: []string{"stream", "web"},
	}, router(t, got, "r7a@consulcatalog"))
	require.Equal(t, []string{"c18@consulcatalog", "h18@consulcatalog"}, router(t, got, "r18@consulcatalog").Middlewares)
	require.Equal(t, map[string]model.Middleware{"c18@consulcatalog": {Chain: []string{"r18@consulcatalog"}}}, got.Middlewares, "those that hold others or limit what passes")
	require.Equal(t, "noop@internal", router(t, got, "r23@consulcatalog").Service)
	require.True(t, slices.IsSortedFunc(got.Routers, func(a, b model.Router) int { return strings.Compare(a.Name, b.Name) }))
	require.True(t, slices.IsSortedFunc(got.Services, func(a, b model.ProxyService) int { return strings.Compare(a.Name, b.Name) }))
}

// One document has to say the same as the two lists that it is read instead of.
func TestRoutingAgreesWithTheLists(t *testing.T) {
	got, err := dial(t, client.Options{URL: serve(t, traefik(t)).URL}).Routing(t.Context())
	require.NoError(t, err)
	type listed struct{ Name, Provider, Status string }
	lists := map[string][]listed{}
	for _, name := range []string{"routers.json", "services.json"} {
		var list []listed
		require.NoError(t, json.Unmarshal(golden(t, name), &list))
		slices.SortFunc(list, func(a, b listed) int { return strings.Compare(a.Name, b.Name) })
		lists[name] = list
	}
	var routers, services []listed
	for _, r := range got.Routers {
		routers = append(routers, listed{r.Name, r.Provider, r.Status})
	}
	for _, s := range got.Services {
		services = append(services, listed{s.Name, s.Provider, s.Status})
	}
	require.Empty(t, cmp.Diff(lists["routers.json"], routers))
	require.Empty(t, cmp.Diff(lists["services.json"], services))
}

func TestARouterWhoseServiceWasDeletedIsDisabledAndSaysSo(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /api/rawdata", answer("application/json", golden(t, "conflict.json")))
	got, err := dial(t, client.Options{URL: serve(t, mux).URL}).Routing(t.Context())
	require.NoError(t, err)
	split := router(t, got, "split@consulcatalog")
	require.Equal(t, "disabled", split.Status)
	require.Equal(t, "split@consulcatalog", split.Service)
	require.Equal(t, []string{`the service "split@consulcatalog" does not exist`}, split.Errors)
	require.False(t, slices.ContainsFunc(got.Services, func(s model.ProxyService) bool { return s.Name == "split@consulcatalog" }))
}

func TestMiddlewaresThatLimit(t *testing.T) {
	body := `{"routers":{"a@file":{"status":"enabled","middlewares":["cut@file","all@file"]}},"middlewares":{"cut@file":{"circuitBreaker":{"expression":"x"}},"few@file":{"inFlightReq":{"amount":1}},"all@file":{"chain":{"middlewares":["few"]}},"strip@file":{"stripPrefix":{}},"none@file":null}}`
	got, err := dial(t, client.Options{URL: serve(t, answer("application/json", []byte(body))).URL}).Routing(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]model.Middleware{
		"cut@file": {Limit: model.LimitCircuitBreaker}, "few@file": {Limit: model.LimitInFlight}, "all@file": {Chain: []string{"few@file"}},
	}, got.Middlewares)
}

func TestRoutingRefuses(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"nothing":                   {``, "not Traefik's routing"},
		"null":                      {`null`, "no router and no service"},
		"an empty object":           {`{}`, "no router and no service"},
		"a list":                    {`[]`, "not Traefik's routing"},
		"a router that is null":     {`{"routers":{"a@b":null}}`, "router a@b has no status"},
		"a router without status":   {`{"routers":{"a@b":{"service":"a"}}}`, "router a@b has no status"},
		"a router without provider": {`{"routers":{"a":{"service":"a","status":"enabled"}}}`, "no provider"},
		"a service that is null":    {`{"services":{"a@b":null}}`, "service a@b has no status"},
		"a service without status":  {`{"services":{"a@b":{}}}`, "service a@b has no status"},
		"servers that are no list":  {`{"services":{"a@b":{"status":"enabled","loadBalancer":{"servers":{}}}}}`, "not Traefik's routing"},
		"two documents":             {`{"services":{"a@b":{"status":"enabled"}}}{}`, "not Traefik's routing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := dial(t, client.Options{URL: serve(t, answer("application/json", []byte(tt.body))).URL}).Routing(t.Context())
			oneClearLine(t, err, []string{tt.want})
			require.Zero(t, got)
		})
	}
}

func service(t *testing.T, r model.Routing, name string) model.ProxyService {
	for _, s := range r.Services {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no service %s", name)
	return model.ProxyService{}
}

func router(t *testing.T, r model.Routing, name string) model.Router {
	for _, x := range r.Routers {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no router %s", name)
	return model.Router{}
}
