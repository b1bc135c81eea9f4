package status_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// TestTheDocumentShowsWhatIsEncoded compares the examples of docs/status.md
// with the encoder. On a difference it prints what the document should say.
func TestTheDocumentShowsWhatIsEncoded(t *testing.T) {
	text, err := os.ReadFile("../../docs/status.md")
	require.NoError(t, err)
	require.Contains(t, string(text), block(t, status.EncodeDetail(documented())))
	require.Contains(t, string(text), block(t, status.EncodeProxies(documentedProxies())[0]))
	require.Contains(t, string(text), block(t, documentedFinding()))
	require.Contains(t, string(text), block(t, status.EncodeLeadership(model.Leadership{
		Role:   model.RoleFollower,
		Self:   model.Instance{ID: "PW5DL6YFHC4R", Name: "node2/5a6b7c8d", Address: "10.0.0.6:4689"},
		Leader: model.Instance{ID: "K3QXMZ7A2TBN", Name: "node1/1f2e3d4c", Address: "10.0.0.5:4689", Since: at(0)},
	})))
	require.Contains(t, string(text), block(t, documentedEvent()))
	require.Contains(t, string(text), block(t, documentedFences()))
	require.Contains(t, string(text), block(t, documentedParks()))
}

// documentedEvent is what turns the documented deployment into a held one.
func documentedEvent() status.Event {
	s := status.NewStore()
	held := documented()
	before := documented()
	before.Decision.Verb, before.Decision.Reason, before.Observed = model.Hold, "WindowRunning", at(-1)
	s.Record(before)
	list := s.Record(held)
	e := list[len(list)-1]
	e.ID = "mfx3k1qe-42" // the first part is the date of the start
	return e
}

func TestTheDocumentNamesEveryFieldAndMetric(t *testing.T) {
	text, err := os.ReadFile("../../docs/status.md")
	require.NoError(t, err)
	for _, kind := range []reflect.Type{
		reflect.TypeFor[status.Detail](), reflect.TypeFor[status.Deployment](), reflect.TypeFor[status.Condition](),
		reflect.TypeFor[status.Window](), reflect.TypeFor[status.Term](), reflect.TypeFor[status.Duration](),
		reflect.TypeFor[status.Proxy](), reflect.TypeFor[status.Settings](), reflect.TypeFor[status.Finding](), reflect.TypeFor[status.Readiness](), reflect.TypeFor[status.Leadership](), reflect.TypeFor[status.Instance](), reflect.TypeFor[status.Problem](),
		reflect.TypeFor[status.Group](), reflect.TypeFor[status.Cure](), reflect.TypeFor[status.Event](), reflect.TypeFor[status.Previous](),
		reflect.TypeFor[status.FenceList](), reflect.TypeFor[status.Fence](), reflect.TypeFor[status.FencedInstance](), reflect.TypeFor[status.Fencer](),
		reflect.TypeFor[status.ParkList](), reflect.TypeFor[status.Park](), reflect.TypeFor[status.ParkNode](), reflect.TypeFor[status.ParkedInstance](), reflect.TypeFor[status.GoingInstance](), reflect.TypeFor[status.Parker](),
	} {
		for field := range kind.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(text), `"`+name+`"`) && !strings.Contains(string(text), name+"`") {
				t.Errorf("docs/status.md does not name %s of %s", name, kind.Name())
			}
		}
	}
}

func block(t *testing.T, value any) string {
	t.Helper()
	body, err := json.MarshalIndent(value, "", "  ")
	require.NoError(t, err)
	return "```json\n" + string(body) + "\n```"
}

func documented() model.Record {
	const alloc = "0b7c1a52-51f8-4d0f-3f0e-6d3b8e0c9a11"
	const message = `web: S is 0s and T up to 17.7s behind 10.0.0.5:8080, so requests would be lost for up to 17.7s. Set shutdown_delay = "19s" in group app.`
	s := status.NewStore()
	s.Record(model.Record{
		Key: model.Key{Namespace: "default", Deployment: "1f2e3d4c-8a5b-7c6d-9e0f-a1b2c3d4e5f6"}, JobID: "web", JobVersion: 7,
		Status: model.DeploymentRunning, Observed: at(0),
		Groups: []model.DeploymentGroup{{
			Name: "app", DesiredTotal: 1, DesiredCanaries: 1, PlacedCanaries: []string{"9a31d7c4-2b0e-4b1f-8f57-1f7d0c2e6a55"}, PlacedAllocs: 1, HealthyAllocs: 1,
		}},
		Decision: model.Decision{
			Verb: model.Hold, Reason: "DrainUnsafe", Message: message, Mode: model.ModeEnforce,
			Conditions: []model.Condition{
				{Type: model.ProxyRouting, Status: model.True, Reason: "Listed", Message: "1 of 1 proxies list 1 of 1 canaries"},
				{Type: model.DrainSafe, Status: model.False, Reason: "DrainUnsafe", Message: "S is 18.7s short"},
			},
			Windows: []model.Window{{
				Proxy: "10.0.0.5:8080", Group: "app", Service: "web", Allocation: alloc,
				T: 17700 * time.Millisecond, Margin: time.Second, Verdict: model.VerdictUnsafe, Why: "S is 18.7s short",
				Cure: model.Cure{Level: "group", Delay: 19 * time.Second},
				STerms: []model.Term{
					{Name: "group shutdown_delay", Source: "job version 6 of allocation 0b7c1a52"},
					{Name: "drain", Source: "draingate_drain", Declared: true},
				},
				TTerms: []model.Term{
					{Name: "refreshInterval", Value: 15 * time.Second, Source: "process"},
					{Name: "throttle", Value: 2 * time.Second, Source: "process"},
					{Name: "two loads of the catalog", Value: 200 * time.Millisecond, Source: "measured"},
					{Name: "apply", Value: 500 * time.Millisecond, Source: "constant"},
				},
			}},
		},
	})
	return s.Records()[0]
}

func documentedFinding() status.Finding {
	return status.Finding{
		Namespace: "default", Job: "web", JobVersion: 7, Rule: "DG101", Severity: "error", Path: `group["app"].shutdown_delay`,
		Message: `service "web" (at group level) is served for S = 0s after it leaves the catalog (no delay, no drain), but Traefik may route to it for T = 17.7s`,
		Remedy:  `shutdown_delay = "19s"`, Proxies: []string{"10.0.0.5:8080"},
	}
}

func documentedFences() status.FenceList {
	return status.FenceList{
		Fences: []status.Fence{{
			Namespace: "default", Deployment: "1f2e3d4c-8a5b-7c6d-9e0f-a1b2c3d4e5f6", Job: "web", Step: "armed", Call: "promote", Owner: "node1/1f2e3d4c", Locked: true,
			Set: []status.FencedInstance{{
				Allocation: "0b7c1a52-51f8-4d0f-3f0e-6d3b8e0c9a11", Name: "web.app[0]", Group: "app", Node: "node2",
				Services: []string{"_nomad-task-0b7c1a52-51f8-4d0f-3f0e-6d3b8e0c9a11-group-app-web-http"},
			}},
			Kept: []status.FencedInstance{}, Written: at(0),
		}},
		Fencers: []status.Fencer{
			{Node: "node1", Instance: "K3QXMZ7A2TBN", Acknowledged: []string{}},
			{Node: "node2", Instance: "PW5DL6YFHC4R", Acknowledged: []string{"1f2e3d4c-8a5b-7c6d-9e0f-a1b2c3d4e5f6"}},
		},
	}
}

func documentedParks() status.ParkList {
	return status.ParkList{
		Parks: []status.Park{{
			Service: "db", Namespace: "default", Job: "db", Group: "app", JobVersion: 8, Step: "parking", Reason: "Parked", Message: "no instance for 3.2s: requests wait, for 30s at most",
			LongestWait: status.Seconds(30 * time.Second), Fenced: []status.ParkedInstance{}, Owner: "node1/1f2e3d4c", Since: at(-15), Gap: at(-3), Until: at(27),
			Nodes: []status.ParkNode{{
				Node: "node1", Address: "10.0.0.5:21000", State: "in", Present: true, Waiting: 312, Peak: 312, Longest: status.Seconds(0), Forwarded: 1184, Gone: 2,
			}},
			Going: []status.GoingInstance{{Allocation: "0b7c1a52-51f8-4d0f-3f0e-6d3b8e0c9a11", Address: "10.0.0.6:25432", Until: at(-4)}},
		}},
		Parkers: []status.Parker{
			{Node: "node1", Instance: "K3QXMZ7A2TBN", Services: []string{"db"}},
			{Node: "node2", Instance: "PW5DL6YFHC4R", Services: []string{}, Problem: "placeholders: listen for the requests of db: no port from 21000 to 21099 is free"},
		},
		Now: at(0),
	}
}

func documentedProxies() model.Fact[[]model.Proxy] {
	return model.Seen([]model.Proxy{{
		Name: "10.0.0.5:8080", URL: "http://10.0.0.5:8080", AllocID: "5d1c9f30-2b64-7a8e-9c1d-0e2f4a6b8c0d", Version: "3.6.12",
		Started: model.Seen(at(-3600), at(0)),
		Settings: model.Seen(model.ProxySettings{
			Source: "process", ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second,
			Contradictions: []string{"traefik.yml says refreshInterval = 2s, the process says 15s"},
			StrictChecks:   []string{"passing", "warning"}, ExposedByDefault: true, Prefix: "traefik",
		}, at(0)),
		Routing: model.Seen(model.Routing{Routers: make([]model.Router, 3), Services: make([]model.ProxyService, 2)}, at(0)),
	}}, at(0))
}
