package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// ask returns status and body of one request to the handler.
func ask(h http.Handler, method, target string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), method, target, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// codes are the statuses of /, /readyz and /livez.
func codes(h http.Handler) [3]int {
	var out [3]int
	for i, path := range []string{"/", "/readyz", "/livez"} {
		out[i], _ = ask(h, http.MethodGet, path)
	}
	return out
}

func TestStatusesThroughALife(t *testing.T) {
	tests := map[string]struct {
		cfg     config
		prepare func(*service)
		want    [3]int
	}{
		"while it warms up only /livez is well": {cfg: config{warmup: time.Hour}, want: [3]int{425, 503, 200}},
		"once warm everything is well":          {want: [3]int{200, 200, 200}},
		"while it drains / is still served":     {prepare: func(s *service) { s.draining.Store(true) }, want: [3]int{200, 503, 200}},
		"never ready leaves / alone":            {cfg: config{neverReady: true}, want: [3]int{200, 503, 200}},
		"turned sick leaves / alone":            {prepare: func(s *service) { ask(s.handler(), http.MethodPut, "/admin/ready?ok=false") }, want: [3]int{200, 503, 200}},
		"turned sick and well again": {prepare: func(s *service) {
			ask(s.handler(), http.MethodPut, "/admin/ready?ok=false")
			ask(s.handler(), http.MethodPut, "/admin/ready?ok=true")
		}, want: [3]int{200, 200, 200}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newService(tt.cfg, time.Now())
			if tt.prepare != nil {
				tt.prepare(s)
			}
			if diff := cmp.Diff(tt.want, codes(s.handler())); diff != "" {
				t.Errorf("statuses of /, /readyz, /livez (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWarmupEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(config{warmup: 5 * time.Second}, time.Now())
		time.Sleep(5*time.Second - time.Nanosecond)
		if got, want := codes(s.handler()), [3]int{425, 503, 200}; got != want {
			t.Errorf("just before the warm-up ends: got %v, want %v", got, want)
		}
		time.Sleep(time.Nanosecond)
		if got, want := codes(s.handler()), [3]int{200, 200, 200}; got != want {
			t.Errorf("when the warm-up has ended: got %v, want %v", got, want)
		}
	})
}

func TestRequestsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(config{version: "7", sleep: time.Second}, time.Now())
		for target, want := range map[string]time.Duration{"/": time.Second, "/?sleep=2s": 2 * time.Second} {
			began := time.Now()
			code, body := ask(s.handler(), http.MethodGet, target)
			if took := time.Since(began); took != want || code != 200 || body != "version 7" {
				t.Errorf("GET %s: got %d %q after %s, want 200 \"version 7\" after %s", target, code, body, took, want)
			}
		}
	})
}

func TestBadRequestsAreRefused(t *testing.T) {
	h := newService(config{}, time.Now()).handler()
	for target, method := range map[string]string{"/?sleep=soon": http.MethodGet, "/admin/ready?ok=maybe": http.MethodPut} {
		if code, _ := ask(h, method, target); code != http.StatusBadRequest {
			t.Errorf("%s %s: got %d, want 400", method, target, code)
		}
	}
}

// A crash is asked for and answered, and the process then ends with an error.
func TestExitEndsTheProcess(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	ended := make(chan error, 1)
	go func() { ended <- serve(t.Context(), config{addr: addr, drain: time.Hour}, time.Now()) }()
	require.Eventually(t, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+addr+"/admin/exit", nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		return resp.StatusCode == http.StatusNoContent && resp.Body.Close() == nil
	}, 10*time.Second, 10*time.Millisecond)
	require.ErrorContains(t, <-ended, "exit")
}

func TestReadConfig(t *testing.T) {
	tests := map[string]struct {
		env     map[string]string
		want    config
		wantErr string
	}{
		"everything set": {
			env:  map[string]string{"ADDR": "127.0.0.1:1", "VERSION": "2", "WARMUP": "1s", "DRAIN": "2s", "SLEEP": "3s", "NEVER_READY": "true", "WORKED": "/w", "WRITER": "/l", "CRASH": "true"},
			want: config{addr: "127.0.0.1:1", version: "2", worked: "/w", warmup: time.Second, drain: 2 * time.Second, sleep: 3 * time.Second, neverReady: true, crash: true, lock: "/l"},
		},
		"only the address":         {env: map[string]string{"ADDR": "a:1"}, want: config{addr: "a:1"}},
		"no address":               {wantErr: "ADDR"},
		"a drain that is no time":  {env: map[string]string{"ADDR": "a:1", "DRAIN": "6"}, wantErr: "DRAIN"},
		"a warm-up below zero":     {env: map[string]string{"ADDR": "a:1", "WARMUP": "-1s"}, wantErr: "WARMUP"},
		"an empty duration is nil": {env: map[string]string{"ADDR": "a:1", "SLEEP": ""}, want: config{addr: "a:1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readConfig(func(k string) (string, bool) { v, ok := tt.env[k]; return v, ok })
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(config{})); diff != "" {
				t.Errorf("config of %v (-want +got):\n%s", tt.env, diff)
			}
		})
	}
}

func TestDrainAnswersWhatIsInFlight(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())

	stop, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(stop, config{addr: addr, version: "1", drain: 300 * time.Millisecond}, time.Now())
	}()
	require.Eventually(t, func() bool { return status(t, addr, "/readyz") == 200 }, 5*time.Second, 5*time.Millisecond)

	slow := make(chan int, 1)
	go func() { slow <- status(t, addr, "/?sleep=600ms") }()
	cancel()
	require.Eventually(t, func() bool { return status(t, addr, "/readyz") == 503 }, 5*time.Second, 5*time.Millisecond)
	if got := status(t, addr, "/"); got != 200 {
		t.Errorf("/ while it drains: got %d, want 200", got)
	}
	if got := <-slow; got != 200 {
		t.Errorf("a request that outlasts the drain: got %d, want 200", got)
	}
	require.NoError(t, <-ended)
}

func TestWithoutDrainItEndsAtOnce(t *testing.T) {
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	require.NoError(t, serve(stop, config{addr: "127.0.0.1:0"}, began))
	if took := time.Since(began); took > time.Second {
		t.Errorf("ended %s after the stop signal, want at once", took)
	}
}

// status is the status of a request over a socket, 0 if it failed.
func status(t *testing.T, addr, path string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// Nomad may give the port of an instance that still serves to another one, whose
// check must not be passed by it.
func TestOnlyItsOwnCheckPasses(t *testing.T) {
	s := newService(config{alloc: "a1"}, time.Now())
	for asked, want := range map[string]int{"": 200, "a1": 200, "a2": 503} {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil)
		r.Header.Set("X-Alloc", asked)
		s.handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("readyz for %q: got %d, want %d", asked, w.Code, want)
		}
	}
}

// What was worked on is known also of a process that was killed: it is written
// down before the work, and only for a request that has an ID.
func TestWhatIsWorkedOnIsNoted(t *testing.T) {
	s := newService(config{alloc: "a1", worked: t.TempDir()}, time.Now())
	closeLog, err := s.keepWorklog()
	require.NoError(t, err)
	ask := func(id string) int {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("X-Request-Id", id)
		s.handler().ServeHTTP(w, r)
		return w.Code
	}
	for _, id := range []string{"x-0", "", "x-1", "x-0"} {
		require.Equal(t, 200, ask(id), id)
	}
	text, err := os.ReadFile(filepath.Join(s.cfg.worked, "a1"))
	require.NoError(t, err)
	require.Equal(t, "x-0\nx-1\nx-0\n", string(text))
	s.warm = time.Now().Add(time.Hour)
	require.Equal(t, 425, ask("x-2"))
	closeLog()
	s.warm = time.Time{}
	require.Equal(t, 500, ask("x-3"), "what cannot be noted is not worked on")
	again, err := os.ReadFile(filepath.Join(s.cfg.worked, "a1"))
	require.NoError(t, err)
	require.Equal(t, text, again)
}
