package status_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func reason(r model.Reason) func(*model.Record) {
	return func(rec *model.Record) { rec.Decision.Reason = r }
}

// short says what an event is about on one line.
func short(e status.Event) string {
	before := ""
	if p := e.Previous; p != nil {
		before = strings.TrimSpace(p.Decision+p.Status+" "+p.Reason) + " -> "
	}
	switch e.Type {
	case status.EventCondition:
		return fmt.Sprintf("%s %s: %s%s %s", e.Deployment, e.Condition.Type, before, e.Condition.Status, e.Condition.Reason)
	case status.EventStatus:
		return fmt.Sprintf("%s: %s%s", e.Deployment, before, e.Status)
	case status.EventGap:
		return "gap"
	default:
		return fmt.Sprintf("%s: %s%s %s", e.Deployment, before, e.Decision, e.Reason)
	}
}

func shorts(list []status.Event) []string {
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, short(e))
	}
	return out
}

func TestOneEventForEachChange(t *testing.T) {
	tests := map[string]struct {
		next func(*model.Record)
		want []string
	}{
		"nothing changed":                   {func(*model.Record) {}, []string{}},
		"another message is no change":      {func(r *model.Record) { r.Decision.Message = "S is 1s" }, []string{}},
		"another reason of the decision":    {reason("WindowRunning"), []string{"a: Hold DrainTooShort -> Hold WindowRunning"}},
		"another decision":                  {func(r *model.Record) { r.Decision.Verb = model.Promote }, []string{"a: Hold DrainTooShort -> Promote DrainTooShort"}},
		"another status of a condition":     {func(r *model.Record) { r.Decision.Conditions[0].Status = model.True }, []string{"a DrainSafe: False -> True "}},
		"another reason of a condition":     {func(r *model.Record) { r.Decision.Conditions[0].Reason = "X" }, []string{"a DrainSafe: False -> False X"}},
		"another message of a condition":    {func(r *model.Record) { r.Decision.Conditions[0].Message = "X" }, []string{}},
		"a condition that was not there":    {func(r *model.Record) { r.Decision.Conditions[0].Type = model.Promoted }, []string{"a Promoted: False "}},
		"Nomad's status of a deployment":    {func(r *model.Record) { r.Status = model.DeploymentSuccessful }, []string{"a: running -> successful"}},
		"the name that Nomad has forgotten": {func(r *model.Record) { r.JobID, r.Status = "", "" }, []string{}},
		"all at once, the decision last": {func(r *model.Record) {
			r.Status, r.Decision.Reason, r.Decision.Conditions[0].Status = model.DeploymentFailed, "X", model.Unknown
		}, []string{"a: running -> failed", "a DrainSafe: False -> Unknown ", "a: Hold DrainTooShort -> Hold X"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := status.NewStore()
			first := s.Record(record("a"))
			require.Equal(t, []string{"a: Hold DrainTooShort"}, shorts(first))
			next := s.Record(record("a", observed(5), tt.next))
			require.Equal(t, tt.want, shorts(next))
			key := record("a").Key
			if diff := cmp.Diff(append(first, next...), s.History(key)); diff != "" {
				t.Errorf("the history is not what was told (-told +kept):\n%s", diff)
			}
		})
	}
}

func TestADeploymentThatHasEndedIsNoNews(t *testing.T) {
	s := status.NewStore()
	require.Empty(t, s.Record(record("a", func(r *model.Record) { r.Status = model.DeploymentSuccessful })))
}

func TestTheHistoryIsBounded(t *testing.T) {
	s := status.NewStore()
	flaps := func(id string, n int) {
		for i := range n {
			s.Record(record(id, reason(model.Reason(fmt.Sprint("R", i)))))
		}
	}
	flaps("quiet", 1)
	flaps("flaps", 3*status.MaxEventsEach)
	require.Len(t, s.History(record("quiet").Key), 1, "one that flaps pushes nobody out")
	require.Len(t, s.History(record("flaps").Key), status.MaxEventsEach)
	for i := range 2 * status.MaxEvents / status.MaxEventsEach {
		flaps(fmt.Sprint("d", i), status.MaxEventsEach)
	}
	total := 0
	for _, r := range s.Records() {
		total += len(s.History(r.Key))
	}
	require.Equal(t, status.MaxEvents, total)
	s.Forget(record("d31").Key)
	require.Empty(t, s.History(record("d31").Key))
}

func TestAnEventIsBounded(t *testing.T) {
	s := status.NewStore()
	got := s.Record(record("a", func(r *model.Record) { r.Decision.Message = strings.Repeat("ä", 1<<20) }))
	require.Less(t, len(got[0].Message), 3<<10)
	require.NotContains(t, got[0].Message, "\uFFFD")
}

// follow collects events until n came, and returns them with how it ended.
func follow(t *testing.T, addr, after string, f status.Filter, n int, began func()) ([]status.Event, error) {
	t.Helper()
	client, err := status.NewClient(addr)
	require.NoError(t, err)
	defer client.CloseIdle()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []status.Event
	err = client.Events(ctx, after, f, began, func(e status.Event) error {
		if got = append(got, e); len(got) == n {
			return errEnough
		}
		return nil
	})
	return got, err
}

var errEnough = errors.New("enough")

func TestAStreamBeginsWhereItIsAskedTo(t *testing.T) {
	const a1, b1, a2, a3 = "a: Hold DrainTooShort", "b: Hold DrainTooShort", "a: Hold DrainTooShort -> Hold R2", "a: Hold R2 -> Hold R3"
	tests := map[string]struct {
		// after is what follows the run's own part of an ID, if it begins with -.
		after  string
		filter status.Filter
		want   []string
	}{
		"from the start":            {"0", status.Filter{}, []string{a1, b1, a2, a3}},
		"after an event":            {"-1", status.Filter{}, []string{b1, a2, a3}},
		"after the last":            {"-3", status.Filter{}, []string{a3}},
		"only a job":                {"0", status.Filter{Job: "web"}, []string{a1, a2, a3}},
		"only a namespace":          {"0", status.Filter{Namespace: "default"}, []string{a1, a2, a3}},
		"from now on":               {"", status.Filter{}, []string{a3}},
		"after one of another run":  {"abc-2", status.Filter{Namespace: "default"}, []string{"gap", a1, a2, a3}},
		"after one that is to come": {"-99", status.Filter{}, []string{"gap", a1, b1, a2, a3}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := status.NewStore()
			first := s.Record(record("a"))
			s.Record(record("b", func(r *model.Record) { r.Key.Namespace, r.JobID = "team", "api" }))
			s.Record(record("a", reason("R2")))
			if strings.HasPrefix(tt.after, "-") {
				tt.after = strings.TrimSuffix(first[0].ID, "-1") + tt.after
			}
			addr, _, _ := start(t, status.NewHandler(status.Options{Store: s}))
			got, err := follow(t, addr, tt.after, tt.filter, len(tt.want), func() { s.Record(record("a", reason("R3"))) })
			require.ErrorIs(t, err, errEnough)
			require.Equal(t, tt.want, shorts(got))
		})
	}
}

func TestAGapIsTold(t *testing.T) {
	s := status.NewStore()
	first := s.Record(record("a"))
	for i := range status.MaxEventsEach + 1 {
		s.Record(record("a", reason(model.Reason(fmt.Sprint("R", i)))))
	}
	addr, _, _ := start(t, status.NewHandler(status.Options{Store: s}))
	got, err := follow(t, addr, first[0].ID, status.Filter{}, status.MaxEventsEach+1, nil)
	require.ErrorIs(t, err, errEnough)
	require.Equal(t, status.EventGap, got[0].Type)
	require.Equal(t, fmt.Sprint("R", status.MaxEventsEach), got[status.MaxEventsEach].Reason)
	resumed, err := follow(t, addr, got[0].ID, status.Filter{}, 1, nil)
	require.ErrorIs(t, err, errEnough)
	require.Equal(t, got[1].ID, resumed[0].ID, "the gap's ID resumes behind it")
}

func TestAStreamIsServerSentEvents(t *testing.T) {
	s := status.NewStore()
	s.Record(record("aaaa1111"))
	addr, stop, done := start(t, status.NewHandler(status.Options{Store: s}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+status.EventsPath+"?after=0", nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	lines := bufio.NewScanner(res.Body)
	var got []string
	for len(got) < 5 && lines.Scan() {
		got = append(got, lines.Text())
	}
	require.Equal(t, "retry: 2000", got[0])
	require.Regexp(t, `^id: [0-9a-z]+-1$`, got[2])
	require.Equal(t, "event: decision", got[3])
	require.Regexp(t, `^data: \{"version":1,.*"deployment":"aaaa1111".*\}$`, got[4])

	began := time.Now()
	stop()
	require.NoError(t, <-done)
	require.Less(t, time.Since(began), status.ShutdownTimeout, "a stream does not hold up the end")
	for lines.Scan() {
		require.Empty(t, lines.Text())
	}
	require.NoError(t, lines.Err(), "the stream ends in order")
}

func TestAStreamRefuses(t *testing.T) {
	addr, _, _ := start(t, status.NewHandler(status.Options{Store: status.NewStore()}))
	for name, change := range map[string]func(*http.Request){
		"an ID that is none":      func(r *http.Request) { r.Header.Set("Last-Event-ID", "../..") },
		"an ID without a number":  func(r *http.Request) { r.Header.Set("Last-Event-ID", "abc-x") },
		"an ID that is very long": func(r *http.Request) { r.URL.RawQuery = "after=a-" + strings.Repeat("0", 100) },
		"a body":                  func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 5 },
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+status.EventsPath, strings.NewReader("hello"))
			require.NoError(t, err)
			if name != "a body" {
				req.Body, req.ContentLength = http.NoBody, 0
				change(req)
			}
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			res, err := transport.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusBadRequest, res.StatusCode)
		})
	}
}

// A follower passes requests on to the leader.
func TestAStreamPassesThroughAReverseProxy(t *testing.T) {
	s := status.NewStore()
	leader, stopLeader, _ := start(t, status.NewHandler(status.Options{Store: s}))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	onward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: leader})
	onward.Transport = transport
	follower, _, _ := start(t, onward)
	got, err := follow(t, follower, "", status.Filter{}, 1, func() { s.Record(record("a")) })
	require.ErrorIs(t, err, errEnough)
	require.Equal(t, []string{"a: Hold DrainTooShort"}, shorts(got))
	_, err = follow(t, follower, "", status.Filter{}, 1, stopLeader)
	require.ErrorIs(t, err, status.ErrStreamEnded, "the end of the leader ends the stream")
}

func TestFollowersOfSomethingElseAreTold(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error": "nothing here"}`))
	}))
	defer old.Close()
	_, err := follow(t, old.URL, "", status.Filter{}, 1, nil)
	api, ok := errors.AsType[*status.APIError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, http.StatusNotFound, api.Code)
}
