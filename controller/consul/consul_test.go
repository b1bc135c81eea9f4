package consul

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/model"
)

func TestMain(m *testing.M) {
	// Idle connections of the API's client end on their own.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// recording is one answer of a real Consul; see record in real_e2e_test.go.
type recording struct {
	Status int
	Header http.Header
	Body   json.RawMessage `json:",omitempty"`
	// Text is the body where it is not JSON.
	Text string `json:",omitempty"`
}

func recorded(t *testing.T, name string) recording {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	require.NoError(t, err)
	var out recording
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

func (r recording) serve(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.Header)
	w.WriteHeader(r.Status)
	_, _ = w.Write(append(r.Body, r.Text...))
}

// with returns the recording with another header.
func (r recording) with(key, value string) recording {
	r.Header = r.Header.Clone()
	r.Header.Set(key, value)
	return r
}

// fakeConsul answers each path with a recording and remembers the requests.
type fakeConsul struct {
	mu      sync.Mutex
	answers map[string]recording
	asked   []string
}

func (f *fakeConsul) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.RequestURI())
	answer, ok := f.answers[r.URL.Path]
	f.mu.Unlock()
	if !ok {
		<-r.Context().Done()
		return
	}
	answer.serve(w)
}

func clientOf(t *testing.T, answers map[string]recording) (*Client, *fakeConsul) {
	t.Helper()
	fake := &fakeConsul{answers: answers}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	return client, fake
}

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

const (
	webPath   = "/v1/health/service/web"
	nodesPath = "/v1/catalog/nodes"
)

func TestServiceReadsAllInstancesWhateverTheirStatus(t *testing.T) {
	t.Parallel()
	client, fake := clientOf(t, map[string]recording{webPath: recorded(t, "web")})
	got, err := client.Service(t.Context(), "web")
	require.NoError(t, err)
	require.Equal(t, []string{webPath + "?consistent="}, fake.asked, "consistent, without an index")

	type short struct{ Alloc, Address, Status string }
	var seen []short
	for _, r := range got {
		seen = append(seen, short{model.Short(r.AllocID), r.Address, r.Status})
	}
	want := []short{
		{"00000000", "127.0.0.2", "passing"},
		{"00000001", "127.0.0.1", "warning"}, // the node's address
		{"00000002", "127.0.0.2", "critical"},
		{"00000003", "127.0.0.2", "maintenance"},
		{"00000004", "127.0.0.2", "passing"}, // without a check
		{"", "127.0.0.1", "passing"},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
	require.Equal(t, []int{1, 1, 1, 2, 0, 0}, checks(got), "checks of the instances themselves")
	first := got[0]
	require.Equal(t, "web", first.ServiceName)
	require.Equal(t, "node1", first.Node)
	require.Equal(t, 20000, first.Port)
	require.Equal(t, []string{"traefik.enable=true"}, first.Tags)
	require.Equal(t, "_nomad-check-00000000-1111-2222-3333-444444444444", first.Checks[0].ID)
	require.NotZero(t, first.Checks[0].ModifyIndex)
	require.Equal(t, "serfHealth", first.Checks[1].ID)
	require.Empty(t, first.Checks[1].ServiceID)
}

func checks(registrations []model.Registration) []int {
	var out []int
	for _, r := range registrations {
		out = append(out, r.ServiceChecks())
	}
	return out
}

func TestServiceTakesNoIncompleteAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer recording
		want   error
		says   string
	}{
		"one that ACLs filtered is not an empty service": {recorded(t, "web-filtered"), ErrForbidden, `the token needs node_prefix "" { policy = "read" }, and service "web" { policy = "read" } where it lacks that too; none was given, see CONSUL_HTTP_TOKEN`},
		"a wrong token":                   {recorded(t, "wrong-token"), ErrForbidden, "does not know the token (ACL not found): check CONSUL_HTTP_TOKEN"},
		"the servers have no leader":      {recording{Status: 500, Text: "No cluster leader"}, ErrNoLeader, "500"},
		"the agent cannot reach a server": {recording{Status: 500, Text: "rpc error\nmaking call"}, ErrUnreachable, "rpc error making call"},
		"an agent that knows no leader":   {recorded(t, "web").with("X-Consul-Knownleader", "false"), ErrNoLeader, ""},
		"an answer from a cache":          {recorded(t, "web").with("X-Cache", "HIT"), nil, "from a cache"},
		"something else answers":          {recording{Status: 200, Text: "<html>"}, ErrUnreachable, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := clientOf(t, map[string]recording{webPath: test.answer, nodesPath: filtered(t)})
			got, err := client.Service(t.Context(), "web")
			require.Error(t, err)
			require.Nil(t, got)
			require.ErrorContains(t, err, `read instances of service "web": `)
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "\n")
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
			}
		})
	}
}

// filtered is an answer from which everything was left out.
func filtered(t *testing.T) recording {
	t.Helper()
	out := recorded(t, "web-filtered")
	out.Body = json.RawMessage("null")
	return out
}

func TestFilteredAnswerNamesTheMissingRule(t *testing.T) {
	t.Parallel()
	whole := filtered(t).with("X-Consul-Results-Filtered-By-Acls", "false")
	tests := map[string]struct {
		nodes recording
		want  string
	}{
		"the service may not be seen":  {whole, `the token needs service "web" { policy = "read" };`},
		"its node may not be seen":     {filtered(t), `the token needs node_prefix "" { policy = "read" }, and service "web" { policy = "read" } where it lacks that too;`},
		"a list of nodes is refused":   {recording{Status: http.StatusForbidden, Text: "Permission denied"}, `the token needs node_prefix "" { policy = "read" }`},
		"a list of nodes is not there": {recording{Status: 500, Text: "rpc error"}, "to find out what: consul is not reachable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := clientOf(t, map[string]recording{webPath: recorded(t, "web-filtered"), nodesPath: test.nodes})
			_, err := client.Service(t.Context(), "web")
			require.ErrorIs(t, err, ErrForbidden)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestServiceThatNobodyRegisteredIsEmpty(t *testing.T) {
	t.Parallel()
	none := recorded(t, "web")
	none.Body = json.RawMessage("[]")
	client, _ := clientOf(t, map[string]recording{webPath: none})
	got, err := client.Service(t.Context(), "web")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestReadsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	client, _ := clientOf(t, nil)
	for name, call := range map[string]func(context.Context) error{
		"service": func(ctx context.Context) error { _, err := client.Service(ctx, "web"); return err },
		"load":    func(ctx context.Context) error { _, err := client.MeasureLoad(ctx); return err },
		"check":   func(ctx context.Context) error { return client.Check(ctx) },
	} {
		ctx, cancel := contextWithTimeout(t, 20*time.Millisecond)
		err := call(ctx)
		cancel()
		require.ErrorIs(t, err, ErrUnreachable, name)
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
	}
}

func TestConsulThatIsNotThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client, err := New(Options{Address: server.URL})
	require.NoError(t, err)
	err = client.Check(t.Context())
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "connection refused")
	require.Equal(t, 1, strings.Count(err.Error(), strings.TrimPrefix(server.URL, "http://"))-1, "%v", err)
	_, err = New(Options{Address: "ftp://x"})
	require.ErrorContains(t, err, "consul address")
}

func TestCheckTellsThatNobodyLeads(t *testing.T) {
	t.Parallel()
	client, _ := clientOf(t, map[string]recording{"/v1/status/leader": {Status: 200, Text: `""`}})
	require.ErrorIs(t, client.Check(t.Context()), ErrNoLeader)
	client, _ = clientOf(t, map[string]recording{"/v1/status/leader": {Status: 200, Text: `"127.0.0.1:8300"`}})
	require.NoError(t, client.Check(t.Context()))
}

func TestMeasureLoadCallsEveryServiceInTurn(t *testing.T) {
	t.Parallel()
	answers := map[string]recording{
		"/v1/catalog/services":      recorded(t, "services"),
		"/v1/health/service/api":    recorded(t, "web"),
		"/v1/health/service/consul": recorded(t, "web"),
		webPath:                     recorded(t, "web"),
	}
	client, fake := clientOf(t, answers)
	begin := time.Now()
	load, err := client.MeasureLoad(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, load.Services)
	require.Positive(t, load.Took)
	require.LessOrEqual(t, load.Took, time.Since(begin))
	require.Equal(t, []string{"/v1/catalog/services", "/v1/health/service/api", "/v1/health/service/consul", webPath}, fake.asked)

	answers[webPath] = recording{Status: 500, Text: "rpc error"}
	client, _ = clientOf(t, answers)
	_, err = client.MeasureLoad(t.Context())
	require.ErrorIs(t, err, ErrUnreachable, "a partial load says nothing")
	answers["/v1/catalog/services"] = recorded(t, "services").with("X-Consul-Results-Filtered-By-Acls", "true")
	answers[nodesPath] = filtered(t)
	client, _ = clientOf(t, answers)
	_, err = client.MeasureLoad(t.Context())
	require.ErrorIs(t, err, ErrForbidden)
	answers["/v1/catalog/services"], answers[webPath] = recorded(t, "services"), recorded(t, "web-filtered")
	client, _ = clientOf(t, answers)
	_, err = client.MeasureLoad(t.Context())
	require.ErrorIs(t, err, ErrForbidden, "a load without some instances is shorter than Traefik's")
}

func TestAllocID(t *testing.T) {
	t.Parallel()
	const id = "06b35f1d-c926-15d1-53e1-5d40ad035f05"
	tests := map[string]string{
		"_nomad-task-" + id + "-group-web-web-http": id,
		"_nomad-task-" + id + "-server-web-http":    id,
		"_nomad-task-" + id:                         "",
		"_nomad-task-" + id + "-":                   "",
		"_nomad-task-06b35f1d-group-web-web-http":   "",
		"_nomad-client-" + id + "-x":                "",
		"_nomad-task-" + strings.ToUpper(id) + "-x": "",
		"x_nomad-task-" + id + "-group-web-web":     "",
		"web":                                       "",
		"":                                          "",
	}
	for serviceID, want := range tests {
		require.Equal(t, want, AllocID(serviceID), "service ID %q", serviceID)
	}
}

func TestNewTakesConsulsEnvironmentAndOverrides(t *testing.T) {
	var token, dc string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		token, dc = r.Header.Get("X-Consul-Token"), r.URL.Query().Get("dc")
	}))
	defer server.Close()
	t.Setenv("CONSUL_HTTP_ADDR", server.URL)
	t.Setenv("CONSUL_HTTP_TOKEN", "from-env")
	client, err := New(Options{Datacenter: "dc2"})
	require.NoError(t, err)
	_ = client.Check(t.Context())
	require.Equal(t, "from-env dc2", token+" "+dc)
	client, err = New(Options{Token: "given"})
	require.NoError(t, err)
	_ = client.Check(t.Context())
	require.Equal(t, "given", token)
}
