package harness

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// runLoad sends about n requests to the server and stops.
func runLoad(t *testing.T, opts LoadOptions, n int) LoadReport {
	t.Helper()
	l, err := StartLoad(opts)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return l.Snapshot().Requests >= n }, 20*time.Second, 5*time.Millisecond)
	r := l.Stop()
	t.Log(r)
	return r
}

func TestLoadCountsByKind(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		opts    LoadOptions
		want    string // the only kind of loss, empty for none
	}{
		"good answers are not lost":           {handler: func(http.ResponseWriter, *http.Request) {}},
		"any 2xx is good":                     {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
		"another 2xx than the expected one":   {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, opts: LoadOptions{Status: 200}, want: "204"},
		"503 is an answer, and lost":          {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, want: "503"},
		"a redirect is lost, not followed":    {handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) }, want: "302"},
		"an answer that does not come":        {handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, opts: LoadOptions{Timeout: 200 * time.Millisecond}, want: "timeout"},
		"a connection that is cut":            {handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: "closed"},
		"a body that is cut":                  {handler: cutBody, want: lostTruncated},
		"a body that does not come to an end": {handler: endlessBody, opts: LoadOptions{Timeout: 2 * time.Second}, want: lostTruncated},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.handler)
			t.Cleanup(server.Close)
			// A busy machine may send them late, which is not what this is about.
			tt.opts.URL, tt.opts.Rate, tt.opts.Late = server.URL, 30, time.Minute
			r := runLoad(t, tt.opts, 20)
			want := map[string]int{}
			if tt.want != "" {
				want[tt.want] = r.Requests
			}
			if diff := cmp.Diff(want, r.LostBy); diff != "" {
				t.Errorf("lost by kind (-want +got):\n%s", diff)
			}
		})
	}
}

func cutBody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "too short")
}

func endlessBody(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "and then")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestLoadOnNobody(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	r := runLoad(t, LoadOptions{URL: "http://" + l.Addr().String(), Rate: 200}, 50)
	if r.LostBy["refused"] != r.Requests || r.Lost != r.Requests || r.Success() != 0 {
		t.Errorf("load on a closed port: got %s, want all refused", r)
	}
	if r.Gap < 200*time.Millisecond {
		t.Errorf("gap of a load without a good answer: got %s, want all of it", r.Gap)
	}
}

// TestLoadIsOpenLoop has a server that holds every answer back: the rate must
// not depend on it.
func TestLoadIsOpenLoop(t *testing.T) {
	var arrived atomic.Int64
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Add(1)
		<-release
	}))
	t.Cleanup(server.Close)
	l, err := StartLoad(LoadOptions{URL: server.URL, Rate: 100})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return arrived.Load() >= 150 }, 10*time.Second, 5*time.Millisecond)
	took := time.Since(l.Snapshot().Began)
	close(release)
	r := l.Stop()
	if took < 1400*time.Millisecond || took > 2500*time.Millisecond {
		t.Errorf("150 requests at 100 a second took %s, want about 1.5s", took)
	}
	if r.Lost != 0 || r.Slowest < time.Second {
		t.Errorf("held answers: got %s, slowest %s; want none lost and the first held for more than a second", r, r.Slowest)
	}
}

// TestLoadReplaysNothing has a server that closes a shared connection after
// each answer without saying so, which is what makes net/http send twice.
func TestLoadReplaysNothing(t *testing.T) {
	var arrived atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if arrived.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	r := runLoad(t, LoadOptions{URL: server.URL, Rate: 100, KeepAlive: true}, 100)
	if r.Lost == 0 {
		t.Errorf("every second request was cut: got %s, want losses", r)
	}
	good := r.Requests - r.Lost
	if most := int(arrived.Load()+1) / 2; good > most {
		t.Errorf("%d good answers, but the server gave %d", good, most)
	}
	if r.LostBy[errReplayed.Error()] == 0 {
		t.Errorf("lost by kind: got %v, want requests that net/http sent twice", r.LostBy)
	}
}

func TestLoadKeepAliveSharesConnections(t *testing.T) {
	for name, keep := range map[string]bool{"shared": true, "one each": false} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			conns := map[string]bool{}
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				conns[r.RemoteAddr] = true
			}))
			t.Cleanup(server.Close)
			r := runLoad(t, LoadOptions{URL: server.URL, Rate: 100, KeepAlive: keep}, 50)
			require.Zero(t, r.Lost)
			if shared := len(conns) < r.Requests/2; shared != keep {
				t.Errorf("%d requests over %d connections, want shared %t", r.Requests, len(conns), keep)
			}
		})
	}
}

func TestLoadSetsHostAndCountsVersions(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "web.test" {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Header().Set("X-Version", []string{"1", "2"}[n.Add(1)%2])
	}))
	t.Cleanup(server.Close)
	r := runLoad(t, LoadOptions{URL: server.URL, Host: "web.test", Rate: 200}, 50)
	require.Zero(t, r.Lost)
	if r.Versions["1"] == 0 || r.Versions["2"] == 0 || r.Versions["1"]+r.Versions["2"] != r.Requests {
		t.Errorf("answers by version: got %v, want both and together %d", r.Versions, r.Requests)
	}
}

func TestBadLoads(t *testing.T) {
	for name, opts := range map[string]LoadOptions{
		"no address": {}, "a rate below zero": {URL: "http://127.0.0.1", Rate: -1}, "a bad address": {URL: "http://%zz"},
	} {
		if _, err := StartLoad(opts); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// The counter's arithmetic, without a network.
func TestCounter(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	ms := time.Millisecond
	tests := map[string]struct {
		sent     []sent
		stopped  time.Duration
		wantLost map[string]int
		wantGap  time.Duration
	}{
		"all on time": {
			sent:    []sent{{seq: 0, at: at(100 * ms), status: 200}, {seq: 1, at: at(200 * ms), status: 200}},
			stopped: 250 * ms, wantLost: map[string]int{}, wantGap: 100 * ms,
		},
		"one second late is on time, a little more is lost": {
			sent:    []sent{{seq: 0, at: at(1100 * ms), status: 200}, {seq: 1, at: at(1201 * ms), status: 200}},
			stopped: 1210 * ms, wantLost: map[string]int{lostLate: 1}, wantGap: 1100 * ms,
		},
		"due for more than a second and not sent": {
			sent:    []sent{{seq: 0, at: at(100 * ms), status: 200}},
			stopped: 2 * time.Second, wantLost: map[string]int{lostNotSent: 9}, wantGap: 1900 * ms,
		},
		"nothing sent at all": {
			stopped: 3 * time.Second, wantLost: map[string]int{lostNotSent: 20}, wantGap: 3 * time.Second,
		},
		"the gap follows the order of sending, not of answers": {
			sent: []sent{
				{seq: 3, at: at(400 * ms), status: 200}, {seq: 0, at: at(100 * ms), status: 200},
				{seq: 2, at: at(300 * ms), status: 502}, {seq: 1, at: at(200 * ms), status: 502},
			},
			stopped: 450 * ms, wantLost: map[string]int{"502": 2}, wantGap: 300 * ms,
		},
		"a loss that goes on to the end": {
			sent:    []sent{{seq: 0, at: at(100 * ms), status: 200}, {seq: 1, at: at(200 * ms), status: 404}},
			stopped: 900 * ms, wantLost: map[string]int{"404": 1}, wantGap: 800 * ms,
		},
		"an answer after the timeout": {
			sent:    []sent{{seq: 0, at: at(100 * ms), took: time.Minute + 1, status: 200}},
			stopped: 150 * ms, wantLost: map[string]int{"timeout": 1}, wantGap: 150 * ms,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCounter(LoadOptions{Rate: 10}.withDefaults(), start)
			for _, s := range tt.sent {
				c.add(s)
			}
			c.stopped = at(tt.stopped)
			r := c.final()
			if diff := cmp.Diff(tt.wantLost, r.LostBy); diff != "" {
				t.Errorf("lost by kind (-want +got):\n%s", diff)
			}
			if r.Gap != tt.wantGap {
				t.Errorf("gap: got %s, want %s", r.Gap, tt.wantGap)
			}
			if len(c.waiting) != 0 {
				t.Errorf("%d outcomes kept, want none", len(c.waiting))
			}
		})
	}
}

func TestReportIsOneLine(t *testing.T) {
	r := LoadReport{Requests: 4, Lost: 1, LostBy: map[string]int{"502": 1}, Versions: map[string]int{"2": 1, "1": 2}, Gap: 15 * time.Second, Slowest: 1234 * time.Microsecond}
	want := "4 requests, 1 lost, 75.00 % good, longest gap 15s, longest wait 1ms (502: 1); answers by version: 1: 2, 2: 1"
	if got := r.String(); got != want || strings.Contains(got, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Every request has an ID of its own, and what was worked on can be compared
// with what was sent.
func TestRequestsAreKnownByTheirIDs(t *testing.T) {
	var mu sync.Mutex
	worked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		worked[r.Header.Get("X-Request-Id")+" "+r.Method+" "+string(body)]++
	}))
	t.Cleanup(server.Close)
	l, err := StartLoad(LoadOptions{URL: server.URL, Rate: 200, Method: http.MethodPost, Body: "b", ID: "x"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return l.Snapshot().Requests >= 20 }, 10*time.Second, 5*time.Millisecond)
	r := l.Stop()
	want := map[string]int{}
	for _, id := range l.IDs() {
		want[id+" POST b"] = 1
	}
	require.Len(t, want, r.Requests)
	require.Empty(t, cmp.Diff(want, worked), "requests (-sent +worked on)")
}

func TestWorkIsComparedWithWhatWasSent(t *testing.T) {
	l := &Load{opts: LoadOptions{ID: "x"}}
	l.given.Store(3)
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"each once":             {files: map[string]string{"a": "x-0\nx-2\n", "b": "x-1\ny-9\n"}},
		"one never":             {files: map[string]string{"a": "x-0\n", "b": "x-1\n"}, want: "1 never worked on, such as x-2"},
		"one by two instances":  {files: map[string]string{"a": "x-0\nx-1\nx-2\n", "b": "x-1\n"}, want: "1 worked on more than once, such as x-1"},
		"one twice by the same": {files: map[string]string{"a": "x-0\nx-2\nx-2\n"}, want: "1 never worked on, such as x-1; 1 worked on more than once, such as x-2"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tt.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
			}
			worked, err := Worklog(dir).Worked()
			require.NoError(t, err)
			require.Equal(t, tt.want, l.Amiss(worked))
		})
	}
}
