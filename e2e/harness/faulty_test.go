package harness

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const (
	serverBody = "0123456789abcdef"
	promoteID  = "6d3fb2a8"
	promoteURL = promotePath + promoteID
)

// faulty is a server behind a FaultyAPI, and what the server was asked.
type faulty struct {
	*FaultyAPI
	client *http.Client
	asked  atomic.Int32
	// blocking has one element for each query that waits.
	blocking chan struct{}
}

// startFaulty checks at the end of the test that nothing is left running.
func startFaulty(t *testing.T) *faulty {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	f := &faulty{blocking: make(chan struct{}, 10), client: &http.Client{Transport: &http.Transport{}}}
	server := httptest.NewServer(http.HandlerFunc(f.answer))
	t.Cleanup(server.Close)
	var err error
	f.FaultyAPI, err = NewFaultyAPI(server.URL)
	require.NoError(t, err)
	f.late = 50 * time.Millisecond
	t.Cleanup(f.client.CloseIdleConnections)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func (f *faulty) answer(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	if r.URL.Query().Get("wait") != "" {
		f.blocking <- struct{}{}
		<-r.Context().Done()
		return
	}
	w.Header().Set("X-Nomad-Index", "1000")
	_, _ = io.WriteString(w, serverBody)
}

// got is what a client sees of one request.
type got struct {
	Status int
	Body   string
	Index  string
	Reset  bool
}

func (f *faulty) do(ctx context.Context, method, path string) got {
	req, err := http.NewRequestWithContext(ctx, method, f.URL()+path, strings.NewReader(""))
	if err != nil {
		return got{Body: err.Error()}
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return got{Reset: errors.Is(err, syscall.ECONNRESET)}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return got{Status: resp.StatusCode, Body: string(body), Index: resp.Header.Get("X-Nomad-Index"), Reset: errors.Is(err, syscall.ECONNRESET)}
}

// settled is what the API recorded, once it has recorded the end of it.
func (f *faulty) settled(t *testing.T, done func(Call) bool) Call {
	t.Helper()
	require.Eventually(t, func() bool {
		all := f.Promotions()
		return len(all) == 1 && done(all[0])
	}, 5*time.Second, time.Millisecond)
	p := f.Promotions()[0]
	require.WithinDuration(t, time.Now(), p.Arrived, 5*time.Second)
	p.Arrived = time.Time{}
	return p
}

func TestFaultsDisturbWhatTheyShould(t *testing.T) {
	good := got{Status: 200, Body: serverBody, Index: "1000"}
	promoted := Call{DeploymentID: promoteID, Forwarded: true, Status: 200, Answered: 200}
	tests := map[string]struct {
		fault     Fault
		read      got
		promotion Call
		promote   got
		asked     int32
	}{
		"without a fault everything passes":               {FaultNone, good, promoted, good, 2},
		"429 passes nothing on":                           {Fault429, got{Status: 429, Body: "injected: Too Many Requests\n"}, Call{DeploymentID: promoteID, Answered: 429}, got{Status: 429, Body: "injected: Too Many Requests\n"}, 0},
		"500 passes nothing on":                           {Fault500, got{Status: 500, Body: "injected: Internal Server Error\n"}, Call{DeploymentID: promoteID, Answered: 500}, got{Status: 500, Body: "injected: Internal Server Error\n"}, 0},
		"late is late, and whole":                         {FaultLate, good, promoted, good, 2},
		"cut is half of the body, and the write is done":  {FaultCut, got{Status: 200, Body: serverBody[:8], Index: "1000", Reset: true}, Call{DeploymentID: promoteID, Forwarded: true, Status: 200}, got{Status: 200, Body: serverBody[:8], Index: "1000", Reset: true}, 2},
		"an index that goes back changes the index alone": {FaultIndexBack, got{Status: 200, Body: serverBody, Index: "500"}, promoted, got{Status: 200, Body: serverBody, Index: "500"}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFaulty(t)
			f.Set(tt.fault)
			began := time.Now()
			if diff := cmp.Diff(tt.read, f.do(t.Context(), http.MethodGet, "/v1/jobs")); diff != "" {
				t.Errorf("a read (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.promote, f.do(t.Context(), http.MethodPut, promoteURL)); diff != "" {
				t.Errorf("a promotion (-want +got):\n%s", diff)
			}
			if late := time.Since(began) >= 2*f.late; tt.fault == FaultLate && !late {
				t.Errorf("both answers came within %v", 2*f.late)
			}
			tt.promotion.Fault = tt.fault
			if diff := cmp.Diff(tt.promotion, f.settled(t, func(Call) bool { return true })); diff != "" {
				t.Errorf("what was recorded (-want +got):\n%s", diff)
			}
			require.Equal(t, tt.asked, f.asked.Load(), "requests that reached the server")
			require.Empty(t, f.Writes(), "a promotion is counted apart")
		})
	}
}

func TestAnIndexGoesBackWithEachAnswer(t *testing.T) {
	f := startFaulty(t)
	f.Set(FaultIndexBack)
	for _, want := range []string{"500", "499", "498"} {
		require.Equal(t, want, f.do(t.Context(), http.MethodGet, "/v1/jobs").Index)
	}
	require.Equal(t, "500", f.do(t.Context(), http.MethodGet, "/v1/nodes").Index, "each path has its own")
	f.Set(FaultNone)
	require.Equal(t, "1000", f.do(t.Context(), http.MethodGet, "/v1/jobs").Index)
}

func TestAFaultMeetsAnOpenBlockingQuery(t *testing.T) {
	f := startFaulty(t)
	answers := make(chan got, 1)
	// The first connection is new, and what ends on it is not tried again.
	go func() { answers <- f.do(t.Context(), http.MethodGet, "/v1/jobs?index=1000&wait=5m") }()
	<-f.blocking
	f.Set(FaultNone)
	require.Empty(t, answers, "the fault in force is no change")
	f.Set(Fault500)
	require.Equal(t, got{Reset: true}, <-answers)
	require.Equal(t, 500, f.do(t.Context(), http.MethodGet, "/v1/jobs?index=1000&wait=5m").Status)
}

func TestWhatHangsGoesOnWhenLifted(t *testing.T) {
	f := startFaulty(t)
	f.Set(FaultHang)
	reads, writes := make(chan got, 1), make(chan got, 1)
	go func() { reads <- f.do(t.Context(), http.MethodGet, "/v1/jobs") }()
	go func() { writes <- f.do(t.Context(), http.MethodPut, promoteURL) }()
	p := f.settled(t, func(p Call) bool { return p.Fault == FaultHang })
	require.Equal(t, Call{DeploymentID: promoteID, Fault: FaultHang}, p)
	require.Zero(t, f.asked.Load())
	f.Set(FaultNone)
	require.Equal(t, 200, (<-reads).Status)
	require.Equal(t, 200, (<-writes).Status)
	p = f.settled(t, func(p Call) bool { return p.Answered == 200 })
	require.Equal(t, Call{DeploymentID: promoteID, Fault: FaultHang, Forwarded: true, Status: 200, Answered: 200}, p)
}

func TestTheHookComesBeforeThePromotion(t *testing.T) {
	f := startFaulty(t)
	var seen string
	f.OnPromote(func(id string) {
		seen = id
		require.Zero(t, f.asked.Load(), "nothing is passed on before the hook returns")
		f.Set(Fault429)
	})
	require.Equal(t, 429, f.do(t.Context(), http.MethodPost, promoteURL).Status)
	require.Equal(t, promoteID, seen)
	require.Equal(t, Call{DeploymentID: promoteID, Fault: Fault429, Answered: 429}, f.settled(t, func(Call) bool { return true }))
}

func TestTheHookComesBeforeTheEndOfAPause(t *testing.T) {
	f := startFaulty(t)
	var seen []string
	f.OnResume(func(id string) {
		seen = append(seen, id)
		f.Set(Fault500)
	})
	for _, body := range []string{`{"Pause":true}`, `{}`, `{"DeploymentID":"` + promoteID + `","Pause":false}`} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, f.URL()+"/v1/deployment/pause/"+promoteID, strings.NewReader(body))
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Equal(t, []string{promoteID}, seen)
	require.EqualValues(t, 2, f.asked.Load(), "what met the fault of the hook is not passed on")
	all := f.Resumes()
	require.Len(t, all, 1)
	all[0].Arrived = time.Time{}
	require.Equal(t, Call{DeploymentID: promoteID, Fault: Fault500, Answered: 500}, all[0])
	require.Equal(t, map[string]int{"/v1/deployment/pause/" + promoteID: 3}, f.Writes())
}

func TestAPromotionInFlightOutlivesItsClient(t *testing.T) {
	tests := map[string]struct {
		fault Fault
		want  Call
	}{
		"held by the hook":     {FaultNone, Call{DeploymentID: promoteID, Forwarded: true, Status: 200}},
		"its answer is late":   {FaultLate, Call{DeploymentID: promoteID, Fault: FaultLate, Forwarded: true, Status: 200}},
		"its answer is cut":    {FaultCut, Call{DeploymentID: promoteID, Fault: FaultCut, Forwarded: true, Status: 200}},
		"the server refuses":   {Fault500, Call{DeploymentID: promoteID, Fault: Fault500}},
		"the server is frozen": {FaultHang, Call{DeploymentID: promoteID, Fault: FaultHang, Forwarded: true, Status: 200}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFaulty(t)
			ctx, leave := context.WithCancel(t.Context())
			held, free := make(chan struct{}), make(chan struct{})
			f.OnPromote(func(string) { close(held); <-free })
			ended := make(chan got, 1)
			go func() { ended <- f.do(ctx, http.MethodPut, promoteURL) }()
			<-held
			leave()
			require.Equal(t, got{}, <-ended)
			f.Set(tt.fault)
			close(free)
			if tt.fault == FaultHang {
				f.settled(t, func(p Call) bool { return p.Fault == FaultHang })
				f.Set(FaultNone)
			}
			p := f.settled(t, func(p Call) bool { return p.Status == tt.want.Status && p.Fault == tt.want.Fault })
			// Whether the API has heard by now that its client is gone is a race
			// that only the answer's record depends on.
			p.Answered = 0
			require.Equal(t, tt.want, p)
		})
	}
}

func TestWritesAreCountedByPath(t *testing.T) {
	f := startFaulty(t)
	f.do(t.Context(), http.MethodPut, "/v1/session/renew/1?dc=dc1")
	f.Set(Fault500)
	f.do(t.Context(), http.MethodPut, "/v1/session/renew/1")
	f.do(t.Context(), http.MethodDelete, "/v1/kv/key")
	f.do(t.Context(), http.MethodGet, "/v1/kv/key")
	f.do(t.Context(), http.MethodGet, promoteURL)
	require.Equal(t, map[string]int{"/v1/session/renew/1": 2, "/v1/kv/key": 1}, f.Writes())
	require.Equal(t, []string{"/v1/kv/key", "/v1/session/renew/1"}, f.WritePaths())
	require.Empty(t, f.Promotions(), "a promotion is a PUT or a POST")
}

func TestAnotherServerTakesOver(t *testing.T) {
	f := startFaulty(t)
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	f.Retarget(other.URL)
	require.Equal(t, 404, f.do(t.Context(), http.MethodGet, "/v1/jobs").Status)
	other.Close()
	require.Equal(t, got{Reset: true}, f.do(t.Context(), http.MethodPut, promoteURL), "a server that is gone looks like one")
	require.Equal(t, Call{DeploymentID: promoteID, Forwarded: true}, f.settled(t, func(Call) bool { return true }))
	require.Panics(t, func() { f.Retarget("127.0.0.1:1") })
	_, err := NewFaultyAPI("127.0.0.1:1")
	require.Error(t, err)
}

func TestCloseEndsEverything(t *testing.T) {
	f := startFaulty(t)
	ended := make(chan got, 3)
	go func() { ended <- f.do(t.Context(), http.MethodGet, "/v1/jobs?wait=5m") }()
	go func() { ended <- f.do(t.Context(), http.MethodPut, "/v1/lock?wait=5m") }()
	<-f.blocking
	<-f.blocking
	f.Set(FaultHang)
	require.Equal(t, got{Reset: true}, <-ended, "the read ends with the change")
	go func() { ended <- f.do(t.Context(), http.MethodPut, promoteURL) }()
	f.settled(t, func(p Call) bool { return p.Fault == FaultHang })
	require.NoError(t, f.Close())
	<-ended
	<-ended
	require.NoError(t, f.Close(), "it can be closed again")
	require.Equal(t, Call{DeploymentID: promoteID, Fault: FaultHang}, f.settled(t, func(Call) bool { return true }))
}
