package status_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func serve(o status.Options, method, target string) *httptest.ResponseRecorder {
	if o.Store == nil {
		o.Store = status.NewStore()
	}
	res := httptest.NewRecorder()
	status.NewHandler(o).ServeHTTP(res, httptest.NewRequestWithContext(context.Background(), method, target, nil))
	return res
}

func TestHandlerAnswers(t *testing.T) {
	store := status.NewStore()
	store.Record(record("aaaa1111"))
	store.Record(record("aaaa2222"))
	store.Record(record("bbbb3333"))
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "draingate_test"}))
	full := status.Options{
		Store:    store,
		Proxies:  func() model.Fact[[]model.Proxy] { return model.Seen([]model.Proxy{{Name: "p"}}, at(0)) },
		Ready:    func() (bool, []string) { return true, nil },
		Lint:     func() ([]status.Finding, error) { return []status.Finding{{Job: "web", Rule: "DG101"}}, nil },
		Fences:   func() (status.FenceList, error) { return documentedFences(), nil },
		Gatherer: registry,
	}
	tests := map[string]struct {
		options status.Options
		target  string
		code    int
		body    string
	}{
		"the list is an array":                        {full, "/v1/deployments", 200, `"id": "aaaa1111"`},
		"an empty list is an empty array":             {status.Options{}, "/v1/deployments", 200, "[]"},
		"a full ID finds its deployment":              {full, "/v1/deployments/bbbb3333", 200, `"windows": []`},
		"a prefix finds its deployment":               {full, "/v1/deployments/bbbb", 200, `"id": "bbbb3333"`},
		"an unknown ID is not found":                  {full, "/v1/deployments/cccc", 404, "no such deployment"},
		"an ambiguous prefix is a conflict":           {full, "/v1/deployments/aaaa", 409, "more than one"},
		"a short prefix is refused":                   {full, "/v1/deployments/b", 400, "at least its first 4"},
		"proxies are an array":                        {full, "/v1/proxies", 200, `"name": "p"`},
		"proxies never read are not an empty list":    {status.Options{}, "/v1/proxies", 503, "not read yet"},
		"findings are an array":                       {full, "/v1/lint", 200, `"rule": "DG101"`},
		"no findings are an empty array":              {status.Options{Lint: func() ([]status.Finding, error) { return nil, nil }}, "/v1/lint", 200, "[]"},
		"findings that are not known are not none":    {status.Options{Lint: func() ([]status.Finding, error) { return nil, errors.New("no list") }}, "/v1/lint", 503, "no list"},
		"fences and fencers are arrays":               {full, "/v1/fences", 200, `"step": "armed"`},
		"no fences are empty arrays":                  {status.Options{}, "/v1/fences", 200, "{\n  \"fences\": [],\n  \"fencers\": []\n}"},
		"nothing fenced is an empty array too":        {full, "/v1/fences", 200, `"kept": []`},
		"fences that are not known are not none":      {status.Options{Fences: func() (status.FenceList, error) { return status.FenceList{}, errors.New("no consul") }}, "/v1/fences", 503, "no consul"},
		"nobody who looks is not nothing to find":     {status.Options{}, "/v1/lint", 404, "--dry-run"},
		"a live process says so":                      {status.Options{}, "/livez", 200, `"live": true`},
		"a ready process says so":                     {full, "/readyz", 200, `"waiting": []`},
		"a process that cannot tell is not ready":     {status.Options{}, "/readyz", 503, `"ready": false`},
		"metrics are in the text format":              {full, "/metrics", 200, "draingate_test 0"},
		"without a gatherer there are no metrics":     {status.Options{}, "/metrics", 404, "error"},
		"another path is not found, in JSON too":      {full, "/v2", 404, "/v1/deployments"},
		"the page of all pages says what there is":    {full, "/", 404, "/readyz"},
		"a deployment has no pages below it":          {full, "/v1/deployments/bbbb/x", 404, "error"},
		"an escaped slash is no way to another route": {full, "/v1/deployments/..%2f..%2flivez", 404, "no such deployment"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res := serve(tt.options, http.MethodGet, tt.target)
			require.Equal(t, tt.code, res.Code, res.Body.String())
			require.Contains(t, res.Body.String(), tt.body)
			require.Equal(t, "no-store", res.Header().Get("Cache-Control"))
			require.Equal(t, "nosniff", res.Header().Get("X-Content-Type-Options"))
			if tt.code >= 400 && !strings.HasPrefix(tt.target, "/readyz") {
				var problem status.Problem
				require.NoError(t, json.Unmarshal(res.Body.Bytes(), &problem))
				require.NotEmpty(t, problem.Error)
			}
		})
	}
}

func TestHandlerNamesWhatItWaitsFor(t *testing.T) {
	o := status.Options{Ready: func() (bool, []string) { return false, []string{"nomad deployments", "consul catalog"} }}
	res := serve(o, http.MethodGet, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, res.Code)
	var got status.Readiness
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
	require.Equal(t, status.Readiness{Waiting: []string{"nomad deployments", "consul catalog"}}, got)
}

func TestProfilesAreServedOnlyWhereAskedFor(t *testing.T) {
	for target, want := range map[string]string{
		"/debug/pprof/": "Types of profiles available", "/debug/pprof/goroutine?debug=1": "goroutine profile:",
	} {
		res := serve(status.Options{Pprof: true}, http.MethodGet, target)
		require.Equal(t, http.StatusOK, res.Code, target)
		require.Contains(t, res.Body.String(), want)
		require.Equal(t, http.StatusNotFound, serve(status.Options{}, http.MethodGet, target).Code, target)
	}
	res := serve(status.Options{Pprof: true}, http.MethodGet, "/debug/pprof/cmdline")
	require.Equal(t, http.StatusNotFound, res.Code)
	require.NotContains(t, res.Body.String(), os.Args[0], "the command line may hold a secret")
}

func TestHandlerIsReadOnly(t *testing.T) {
	paths := []string{"/v1/deployments", "/v1/deployments/aaaa", "/v1/proxies", "/v1/fences", "/v1/lint", "/livez", "/readyz", "/metrics", "/"}
	for _, path := range paths {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "BREW"} {
			res := serve(status.Options{}, method, path)
			require.Equal(t, http.StatusMethodNotAllowed, res.Code, "%s %s", method, path)
			require.Equal(t, "GET, HEAD", res.Header().Get("Allow"))
			require.Contains(t, res.Body.String(), `"error"`)
		}
	}
}

func TestHandlerAnswersHead(t *testing.T) {
	srv := httptest.NewServer(status.NewHandler(status.Options{Store: status.NewStore()}))
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, srv.URL+"/v1/deployments", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"))
}

func TestHandlerShowsNoCredentials(t *testing.T) {
	const secret = "hunter2"
	text := "read https://admin:" + secret + "@proxy:8080/api: refused"
	store := status.NewStore()
	store.Record(record("aaaa1111", func(r *model.Record) {
		d := &r.Decision
		d.Message, d.Conditions[0].Message, r.Problem = text, text, text
		d.Windows = []model.Window{{Why: text, STerms: []model.Term{{Source: text}}}}
	}))
	proxies := []model.Proxy{{
		URL: "https://" + secret + "@proxy:8080", Ambiguous: text, Started: model.Unseen[time.Time](at(0), text),
		Routing:  model.Unseen[model.Routing](at(0), text),
		Settings: model.Seen(model.ProxySettings{Source: text, Contradictions: []string{text}}, at(0)),
	}}
	o := status.Options{
		Store:   store,
		Proxies: func() model.Fact[[]model.Proxy] { return model.Seen(proxies, at(0)) },
		Ready:   func() (bool, []string) { return false, []string{text} },
		Lint: func() ([]status.Finding, error) {
			return []status.Finding{{Message: text, Remedy: text, Proxies: []string{text}}}, nil
		},
	}
	for _, path := range []string{"/v1/deployments", "/v1/deployments/aaaa1111", "/v1/proxies", "/v1/lint", "/readyz"} {
		body := serve(o, http.MethodGet, path).Body.String()
		require.NotContains(t, body, secret, path)
		require.Contains(t, body, "proxy:8080", path)
	}
	o.Proxies = func() model.Fact[[]model.Proxy] { return model.Unseen[[]model.Proxy](at(0), text) }
	require.NotContains(t, serve(o, http.MethodGet, "/v1/proxies").Body.String(), secret)
	o.Lint = func() ([]status.Finding, error) { return nil, errors.New(text) }
	require.NotContains(t, serve(o, http.MethodGet, "/v1/lint").Body.String(), secret)
}

func TestClientTellsFindingsFromNobodyWhoLooks(t *testing.T) {
	found := []status.Finding{{Namespace: "default", Job: "web", JobVersion: 3, Rule: "DG101", Severity: "error", Proxies: []string{"a"}}}
	tests := map[string]struct {
		lint  func() ([]status.Finding, error)
		want  []status.Finding
		fails error
	}{
		"findings":        {func() ([]status.Finding, error) { return found, nil }, found, nil},
		"none":            {func() ([]status.Finding, error) { return nil, nil }, []status.Finding{}, nil},
		"not known":       {func() ([]status.Finding, error) { return nil, errors.New("no list") }, nil, &status.APIError{}},
		"nobody is there": {nil, nil, status.ErrNotLinted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(status.NewHandler(status.Options{Store: status.NewStore(), Lint: tt.lint}))
			defer srv.Close()
			client, err := status.NewClient(srv.URL)
			require.NoError(t, err)
			defer client.CloseIdle()
			got, err := client.Lint(t.Context())
			if answer, ok := errors.AsType[*status.APIError](tt.fails); ok {
				require.ErrorAs(t, err, &answer)
				require.Equal(t, http.StatusServiceUnavailable, answer.Code)
				return
			}
			require.ErrorIs(t, err, tt.fails)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestHandlerShowsNoFigureThatIsNotKnown(t *testing.T) {
	store := status.NewStore()
	store.Record(record("aaaa1111", func(r *model.Record) {
		r.Decision.Windows = []model.Window{
			{Proxy: "a", Verdict: model.VerdictUnknown, Why: "settings are not known"},
			{Proxy: "b", Verdict: model.VerdictUnsafe},
		}
	}))
	var got status.Detail
	require.NoError(t, json.Unmarshal(serve(status.Options{Store: store}, http.MethodGet, "/v1/deployments/aaaa1111").Body.Bytes(), &got))
	require.Nil(t, got.Windows[0].StopRouting, "unknown is not zero")
	require.NotNil(t, got.Windows[1].StopRouting, "zero is zero")
}

func TestProxiesShowWhatCouldNotBeRead(t *testing.T) {
	set := model.Seen([]model.Proxy{{Name: "b"}, {
		Name: "a", Started: model.Seen(at(-60), at(0)), Version: "3.6.12",
		Settings: model.Unseen[model.ProxySettings](at(0), "403"),
		Routing:  model.Seen(model.Routing{Routers: []model.Router{{}, {}}}, at(0)),
	}}, at(0))
	two, none := 2, 0
	want := []status.Proxy{
		{Name: "a", Started: at(-60), Version: "3.6.12", Observed: at(0), Routers: &two, Services: &none, Problem: "settings: 403"},
		{Name: "b", Observed: at(0), Problem: "start date, settings, routing: not read yet"},
	}
	if diff := cmp.Diff(want, status.EncodeProxies(set)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzHandlerDeploymentPath(f *testing.F) {
	for _, id := range []string{"aaaa1111", "", "..", "%2e%2e/", "aaaa?x#y", "\x00", "ä/ö"} {
		f.Add(id)
	}
	store := status.NewStore()
	store.Record(record("aaaa1111"))
	h := status.NewHandler(status.Options{Store: store})
	f.Fuzz(func(t *testing.T, id string) {
		if id == "" || id == "." || id == ".." {
			return // no path element: the router redirects these
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		req.URL = &url.URL{Path: "/v1/deployments/" + id, RawPath: "/v1/deployments/" + url.PathEscape(id)}
		res := httptest.NewRecorder()
		h.ServeHTTP(res, req)
		found := len(id) >= status.MinPrefix && strings.HasPrefix("aaaa1111", id)
		require.Equal(t, found, res.Code == http.StatusOK, "%q: %d %s", id, res.Code, res.Body)
	})
}
