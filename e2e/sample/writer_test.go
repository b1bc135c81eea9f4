package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// journal returns what was noted beside a lock.
func journal(t *testing.T, lock string) string {
	t.Helper()
	text, err := os.ReadFile(lock + ".journal")
	require.NoError(t, err)
	return string(text)
}

// There is one writer at a time; the next one gets the lock when the first has
// ended, and not before.
func TestOneWriterAtATime(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	first, err := takeLock(lock, "a1")
	require.NoError(t, err)
	require.NoError(t, first.work("x-0", 3, "abc"))
	_, err = takeLock(lock, "a2")
	require.ErrorContains(t, err, "which a1 holds")
	require.NoError(t, first.end())
	require.ErrorIs(t, first.work("x-1", 3, "abc"), errNotHeld)
	require.NoError(t, first.end(), "a second end does nothing")
	next, err := takeLock(lock, "a3")
	require.NoError(t, err)
	require.NoError(t, next.end())
	require.Equal(t, "begin a1\nwork a1 x-0 3 abc\nrefused a2 by a1\nend a1\nbegin a3\nend a3\n", journal(t, lock))
}

// A lock whose file was taken away can be had twice. The first notices before
// it writes again.
func TestASecondHolderIsNoticed(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	first, err := takeLock(lock, "a1")
	require.NoError(t, err)
	require.NoError(t, os.Remove(lock))
	require.ErrorIs(t, first.work("x-0", 0, "-"), errRobbed, "the file is gone")
	second, err := takeLock(lock, "a2")
	require.NoError(t, err)
	require.ErrorIs(t, first.work("x-1", 0, "-"), errRobbed)
	require.NoError(t, second.work("x-2", 0, "-"))
	require.Equal(t, "begin a1\nrobbed a1 by nobody\nbegin a2\nrobbed a1 by a2\nwork a2 x-2 0 -\n", journal(t, lock))
}

// A process that is not the only writer ends, and says why.
func TestARobbedWriterEnds(t *testing.T) {
	s := newService(config{alloc: "a1", lock: filepath.Join(t.TempDir(), "lock")}, time.Now())
	end, err := s.beWriter()
	require.NoError(t, err)
	code, _ := ask(s.handler(), http.MethodPost, "/")
	require.Equal(t, 200, code)
	require.NoError(t, os.Remove(s.cfg.lock))
	code, _ = ask(s.handler(), http.MethodPost, "/")
	require.Equal(t, 500, code)
	require.ErrorIs(t, <-s.exit, errRobbed)
	require.NoError(t, end())
}

func TestWithoutTheLockItDoesNotStart(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	holder, err := takeLock(lock, "a1")
	require.NoError(t, err)
	defer func() { require.NoError(t, holder.end()) }()
	err = serve(t.Context(), config{addr: "127.0.0.1:0", alloc: "a2", lock: lock}, time.Now())
	require.ErrorContains(t, err, "which a1 holds")
}

func TestToldToCrashItDoesNotStart(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	require.ErrorContains(t, serve(t.Context(), config{addr: "127.0.0.1:0", crash: true, lock: lock}, time.Now()), "crash")
	require.NoFileExists(t, lock)
}

// What was worked on is noted with its ID, and the answer and the journal say
// of which body.
func TestBodiesAreHashed(t *testing.T) {
	s := newService(config{alloc: "a1", lock: filepath.Join(t.TempDir(), "lock")}, time.Now())
	end, err := s.beWriter()
	require.NoError(t, err)
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("hello"))
	r.Header.Set("X-Request-Id", "x-0")
	s.handler().ServeHTTP(w, r)
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	require.Equal(t, 200, w.Code)
	require.Equal(t, []string{"5", sum}, []string{w.Header().Get("X-Body-Bytes"), w.Header().Get("X-Body-Sha256")})
	require.NoError(t, end())
	require.Equal(t, "begin a1\nwork a1 x-0 5 "+sum+"\nend a1\n", journal(t, s.cfg.lock))
}

func TestStreamsComeToAnEnd(t *testing.T) {
	h := newService(config{version: "7"}, time.Now()).handler()
	code, body := ask(h, http.MethodGet, "/stream?for=250ms")
	require.Equal(t, 200, code)
	require.Equal(t, "version 7\nversion 7\nversion 7\nend", body)
	code, _ = ask(h, http.MethodGet, "/stream?for=ever")
	require.Equal(t, 400, code)
}

func TestWebSocketsAreEchoed(t *testing.T) {
	s := newService(config{version: "7", alloc: "a1"}, time.Now().Add(-time.Hour))
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	url := "ws" + strings.TrimPrefix(server.URL, "http") + "/echo"
	conn, resp, err := websocket.DefaultDialer.Dial(url, nil) //nolint:bodyclose // the dialer took the connection from it
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.Equal(t, "a1", resp.Header.Get("X-Alloc"))
	for _, text := range []string{"one", "two"} {
		require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(text)))
		_, back, err := conn.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, "7 "+text, string(back))
	}
	s.warm = time.Now().Add(time.Hour)
	_, resp, err = websocket.DefaultDialer.Dial(url, nil)
	require.Error(t, err)
	require.Equal(t, 425, resp.StatusCode, "not while it warms up")
	require.NoError(t, resp.Body.Close())
}
