package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/nomad"
)

// authorized is the answer of a Consul that allows all that it is asked for but
// what has this name.
func authorized(r *http.Request, denied string) string {
	var asked []map[string]any
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return err.Error()
	}
	for _, a := range asked {
		a["Allow"] = a["Segment"] != denied
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// mayWrite is an App whose Consul answers what a token may write.
func mayWrite(t *testing.T, answer http.HandlerFunc) *App {
	t.Helper()
	return &App{options: options.Default(), consul: consulOf(t, answer)}
}

func denying(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, authorized(r, name)) }
}

func TestWhatMayNotBeWrittenIsAnErrorOnlyWhereAJobAsksForIt(t *testing.T) {
	all := []need{{"api", "job default/api: fence auto", false}, {"db", "job default/db has draingate_park", true}}
	for name, test := range map[string]struct {
		consul http.HandlerFunc
		needs  []need
		says   string
		err    error
		warns  bool
	}{
		"all may be written":           {denying(""), all, "the token may for all 2 services", nil, false},
		"what a job asks for may not":  {denying("db"), all, `may not write to "db" (job default/db has draingate_park): it lacks service_prefix "" { policy = "write" }, or service "NAME" { policy = "write" } for each`, consul.ErrForbidden, false},
		"what may come to be may not":  {denying("api"), all, `may not write to "api" (job default/api: fence auto): these are not fenced`, nil, true},
		"nothing is needed":            {denying(""), nil, "no job needs it now", nil, false},
		"a name is filled in by Nomad": {denying(""), []need{{"${attr.x}-web", "job default/web: fence always", true}}, "not asked for those that Nomad names only where they run: ${attr.x}-web", nil, true},
		"ACLs are off": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "ACL support disabled", http.StatusUnauthorized)
		}, all, "the token may for all 2 services", nil, false},
		"Consul does not know the question": {http.NotFound, all, "it could not be asked: ", nil, true},
		"Consul takes no such question": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "method POST not allowed", http.StatusMethodNotAllowed)
		}, all, `it could not be asked: `, nil, true},
		"something before Consul refuses it": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "forbidden", http.StatusForbidden)
		}, all, `answered 403: forbidden; for fences, parks and pauses the token needs service_prefix "" { policy = "write" }`, nil, true},
		"an answer to something else": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `[]`)
		}, all, "it could not be asked: ", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := mayWrite(t, test.consul).askNeeds(t.Context(), test.needs)
			var warned warning
			switch {
			case test.warns:
				require.ErrorAs(t, err, &warned)
				text = string(warned)
			case test.err != nil:
				require.ErrorIs(t, err, test.err)
				text = err.Error()
			default:
				require.NoError(t, err)
			}
			require.Contains(t, text, test.says)
		})
	}
}

func TestAKeyThatMayBeReadIsNotTakenForOneThatMayBeWritten(t *testing.T) {
	can, err := mayWrite(t, denying("")).askKey(t.Context(), "draingate/leader")
	require.NoError(t, err)
	require.Equal(t, "can be read and written", can)
	_, err = mayWrite(t, denying("draingate/leader")).askKey(t.Context(), "draingate/leader")
	require.ErrorIs(t, err, consul.ErrForbidden)
	require.ErrorContains(t, err, `the token lacks key "draingate/leader" { policy = "write" }`)
	_, err = mayWrite(t, denying("draingate/leader/parks/")).askKey(t.Context(), "draingate/leader/parks/")
	require.ErrorContains(t, err, `the token lacks key_prefix "draingate/leader/parks/" { policy = "write" }`)
	can, err = mayWrite(t, http.NotFound).askKey(t.Context(), "draingate/leader")
	require.Equal(t, "can be read", can)
	require.ErrorAs(t, err, new(warning))
}

func TestAWarningFailsNothingAndIsNoPass(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		err  error
		want string
		ok   bool
	}{
		"an answer":               {"it is", nil, "ok    It: it is\n", true},
		"a warning":               {"", warning("not known"), "warn  It: not known\n", true},
		"one beside an answer":    {"it is", warning("not all of it"), "warn  It: it is; not all of it\n", true},
		"an error that is for it": {"", consul.ErrForbidden, "FAIL  It: consul denies permission\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ok, err := new(App).answer(t.Context(), question{"It", func(context.Context) (string, error) { return test.text, test.err }}, &out)
			require.NoError(t, err)
			require.Equal(t, test.ok, ok)
			require.Equal(t, test.want, out.String())
		})
	}
}

// jobOf has one group with a service that Traefik routes to, and one that it does not.
func jobOf(id string, meta map[string]string, more ...model.Service) *model.Job {
	routed := model.Service{Name: id, Tags: []string{"traefik.enable=true"}}
	return &model.Job{Namespace: "default", ID: id, Meta: meta, Groups: []model.Group{{
		Name: "main", Count: 1, Services: append(more, model.Service{Name: id + "-metrics"}), Tasks: []model.Task{{Name: "app", Services: []model.Service{routed}}},
	}}}
}

func TestOnlyWhatAFenceOrAParkMayWriteToIsAskedFor(t *testing.T) {
	reads := model.Proxy{Settings: model.Seen(model.ProxySettings{ConsulCatalog: true, Prefix: "traefik"}, time.Now())}
	enforced := map[string]string{gate.MetaMode: "enforce"}
	with := func(key, value string) map[string]string {
		return map[string]string{gate.MetaMode: "enforce", key: value}
	}
	auto := need{"web", "job default/web: fence auto", false}
	parked := need{"web", "job default/web has draingate_park", true}
	ofNomad := model.Service{Name: "own", Provider: "nomad", Tags: []string{"traefik.enable=true"}}
	for name, test := range map[string]struct {
		jobs    []*model.Job
		change  func(*options.Run)
		proxies []model.Proxy
		want    []need
	}{
		"a job that is gated may be fenced":      {jobs: []*model.Job{jobOf("web", enforced)}, want: []need{auto}},
		"one that is observed is not":            {jobs: []*model.Job{jobOf("web", nil)}},
		"nor one that is never fenced":           {jobs: []*model.Job{jobOf("web", with(gate.MetaFence, "never"))}},
		"one that asks for a fence needs it":     {jobs: []*model.Job{jobOf("web", with(gate.MetaFence, "always"))}, want: []need{{"web", "job default/web: fence always", true}}},
		"a park needs it where nothing is gated": {jobs: []*model.Job{jobOf("web", map[string]string{"draingate_park": "30s"})}, want: []need{parked}},
		"no park of a job that is only observed": {jobs: []*model.Job{jobOf("web", map[string]string{"draingate_park": "30s", gate.MetaMode: "observe"})}},
		"a park of no length is none":            {jobs: []*model.Job{jobOf("web", map[string]string{"draingate_park": "0s"})}},
		"a process that never parks needs a fence's": {
			jobs: []*model.Job{jobOf("web", with("draingate_park", "30s"))}, change: func(o *options.Run) { o.Park.Off = true }, want: []need{auto},
		},
		"one without fences needs a park's": {
			jobs: []*model.Job{jobOf("web", with("draingate_park", "30s")), jobOf("api", enforced)}, change: func(o *options.Run) { o.Fence = options.FenceOff }, want: []need{parked},
		},
		"Nomad's own services are not in Consul":   {jobs: []*model.Job{jobOf("web", enforced, ofNomad)}, want: []need{auto}},
		"what is asked for counts before":          {jobs: []*model.Job{jobOf("web", enforced), jobOf("web", with("draingate_park", "30s"))}, want: []need{parked}},
		"without a proxy's settings none is asked": {jobs: []*model.Job{jobOf("web", enforced)}, proxies: []model.Proxy{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := options.Default()
			if test.change != nil {
				test.change(&o)
			}
			proxies := test.proxies
			if proxies == nil {
				proxies = []model.Proxy{reads}
			}
			got := needs(test.jobs, proxies, policyOf(o), parks(o))
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(need{})); diff != "" {
				t.Errorf("needs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoWritesToNoServiceIsNotAskedForIt(t *testing.T) {
	o := options.Default()
	require.Len(t, (&App{options: o}).aboutServices(), 1)
	o.Fence = model.FenceNever
	require.Len(t, (&App{options: o}).aboutServices(), 1, "it may park")
	o.Park.Off = true
	require.Empty(t, (&App{options: o}).aboutServices())
	require.Empty(t, (&App{options: options.Run{DryRun: true}}).aboutServices())
}

func TestJobsThatMayNotBeListedAreNotTakenForNone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Permission denied", http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	n, err := nomad.New(nomad.Options{Address: server.URL})
	require.NoError(t, err)
	t.Cleanup(n.Close)
	_, err = (&App{options: options.Default(), nomad: n}).askServices(t.Context())
	require.ErrorAs(t, err, new(warning))
	require.ErrorContains(t, err, "it could not be asked: which services it is needed for is not known: list jobs of namespace *")
	require.ErrorContains(t, err, "list-jobs")
}
