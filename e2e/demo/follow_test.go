package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const someEvents = `retry: 1000

id: a-1
event: decision
data: {"type":"decision","at":"2026-11-22T12:00:00Z","job":"web","jobVersion":0,"decision":"None","reason":"X"}

: still here

id: a-2
event: decision
data: {"type":"decision","at":"2026-11-22T12:00:01Z","job":"web","jobVersion":1,"decision":"Fence","reason":"Fencing","message":"take web out"}

id: a-3
event: condition
data: {"type":"condition","at":"2026-11-22T12:00:02Z","job":"web","jobVersion":1,"decision":"Fence","reason":"Fencing"}

id: a-4
event: decision
data: {"type":"decision","at":"2026-11-22T12:00:03Z","job":"other","jobVersion":1,"decision":"Hold","reason":"Y"}

`

// Whoever reads a broken stream again must not tell anything twice.
func TestFollowKeepsEachChangeOnce(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/v1/events?after=0" {
			t.Errorf("asked for %s, want all events", r.URL)
		}
		_, _ = w.Write([]byte(someEvents))
		asked.Add(1)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	g, done := &gate{addr: strings.TrimPrefix(server.URL, "http://")}, make(chan struct{})
	go func() {
		defer close(done)
		g.follow(ctx)
	}()
	require.Eventually(t, func() bool { return asked.Load() >= 3 }, 10*time.Second, 10*time.Millisecond)
	cancel()
	<-done
	require.NoError(t, g.stream(t.Context()))
	want := []decision{{Job: "web", JobVersion: 1, Decision: "Fence", Reason: "Fencing", Message: "take web out", Since: time.Date(2026, 11, 22, 12, 0, 1, 0, time.UTC)}}
	if diff := cmp.Diff(want, g.told("web")); diff != "" {
		t.Errorf("decisions of the second version (-want +got):\n%s", diff)
	}
}

func TestFollowRefusesWhatIsNoStream(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	g := &gate{addr: strings.TrimPrefix(server.URL, "http://")}
	require.ErrorContains(t, g.stream(t.Context()), "404")
	require.ErrorContains(t, readChanges(strings.NewReader("data: no JSON\n"), func(decision) {}), "events")
}
