package parking

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/park"
)

// TestCloseFinishesWhatIsThere: what waits and what is under way have their
// answers, nothing is cut off, and then the port is free.
func TestCloseFinishesWhatIsThere(t *testing.T) {
	release := make(chan struct{})
	backend := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		_, _ = io.WriteString(w, "whole")
	})
	g := New(Options{})
	l := openIn(t, g, LotOptions{Quiet: 50 * time.Millisecond})
	client := newClient(t)
	waits := get(t, client, l, "/waits")
	waiting(t, l, 1)

	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Equal(t, Left{Waiting: 1}, l.Close(short))
	l.Serve([]Backend{backend.backend()})
	require.Equal(t, "whole", receive(t, waits).body)

	require.Equal(t, Left{}, l.Close(t.Context()))
	require.Empty(t, g.Lots())
	require.EqualValues(t, 1, g.Figures().Released, "the figures of a closed lot stay")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.Equal(t, Left{}, l.Close(t.Context()), "a second time")

	l = openIn(t, g, LotOptions{Quiet: 50 * time.Millisecond})
	l.Serve([]Backend{backend.backend()})
	slow := get(t, client, l, "/slow")
	eventually(t, "it is under way", func() bool { return len(backend.requests()) == 2 })
	short, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Equal(t, Left{UnderWay: 1}, l.Close(short))
	close(release)
	require.Equal(t, "whole", receive(t, slow).body)
	require.Equal(t, Left{}, l.Close(t.Context()))
}

// TestCloseWaitsUntilNothingComes: as long as any proxy sends requests the
// listener stays, and each answer says that its connection ends with it.
func TestCloseWaitsUntilNothingComes(t *testing.T) {
	backend := newInstance(t, nil)
	l := open(t, LotOptions{Quiet: time.Hour})
	l.Serve([]Backend{backend.backend()})
	client := newClient(t)
	before := do(client, request(t.Context(), t, l, http.MethodGet, "/before", nil))
	require.Empty(t, before.header.Get("Connection"))

	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan Left, 1)
	go func() { closed <- l.Close(ctx) }()
	eventually(t, "answers end their connections", func() bool {
		conn := dialRaw(t, l.Addr().String())
		conn.say(t, "GET /late HTTP/1.1", "Host: x", "", "")
		res := conn.response(t) //nolint:bodyclose // it ends with its connection
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, "served /late", string(body))
		return res.Close
	})
	cancel()
	require.True(t, (<-closed).Coming)
	require.Equal(t, http.StatusOK, do(client, request(t.Context(), t, l, http.MethodGet, "/later", nil)).status, "the listener is open still")
}

// TestQuiet counts from the last request that is not a check.
func TestQuiet(t *testing.T) {
	l := open(t, LotOptions{Quiet: time.Minute, Secret: "s", Probes: []park.Probe{{Path: "/ready", Method: http.MethodGet, Status: http.StatusOK}}})
	l.Expire()
	client := newClient(t)
	l.leaveNow()
	left := l.leftAt
	require.False(t, l.quiet(left.Add(time.Minute-1)))
	require.True(t, l.quiet(left.Add(time.Minute)))

	check := request(t.Context(), t, l, http.MethodGet, "/", nil)
	check.Header.Set(HeaderCheck, "s")
	for _, r := range []*http.Request{check, request(t.Context(), t, l, http.MethodGet, "/ready", nil)} {
		require.Equal(t, http.StatusOK, do(client, r).status)
	}
	require.True(t, l.quiet(left.Add(time.Minute)), "checks do not count")
	require.Equal(t, http.StatusServiceUnavailable, do(client, request(t.Context(), t, l, http.MethodGet, "/", nil)).status)
	require.False(t, l.quiet(left.Add(time.Minute)))
	require.True(t, l.quiet(time.Now().Add(time.Minute)))
}

// TestCloseLeavesUpgradesAlone: they are counted and go on; the end of the process
// is theirs too.
func TestCloseLeavesUpgradesAlone(t *testing.T) {
	backend := newRawInstance(t, func(r raw) {
		head(r)
		r.say(t, "HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: echo", "", "")
		_, _ = io.Copy(r.Conn, r)
	})
	g := New(Options{})
	l := openIn(t, g, LotOptions{Quiet: 20 * time.Millisecond})
	l.Serve([]Backend{backend.backend()})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "GET / HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: echo", "", "")
	require.Equal(t, http.StatusSwitchingProtocols, conn.response(t).StatusCode) //nolint:bodyclose // it ends with its connection

	l.leaveNow()
	late := dialRaw(t, l.Addr().String())
	late.say(t, "GET / HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: echo", "", "")
	require.Equal(t, []string{"Upgrade"}, late.response(t).Header["Connection"], "one that came late is an upgrade all the same") //nolint:bodyclose // it ends with its connection
	require.NoError(t, late.Close())
	eventually(t, "that one ends", func() bool { return l.Figures().Upgrades == 1 })

	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Equal(t, Left{UnderWay: 1, Upgrades: 1}, l.Close(short))
	conn.say(t, "still")
	got := make([]byte, len("still"))
	_, err := io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, "still", string(got))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, Left{UnderWay: 1, Upgrades: 1}, g.Close(ended))
	_, err = conn.Peek(1)
	require.Error(t, err)
	require.Empty(t, g.Lots())
}

// TestTheEndDoesNotWaitForAClientThatDoesNotRead: an upgrade is ended although
// nobody takes what the instance sends.
func TestTheEndDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	var sent atomic.Int64
	backend := newRawInstance(t, func(r raw) {
		head(r)
		r.say(t, "HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: flood", "", "")
		_, _ = io.Copy(r.Conn, &counted{Reader: zeros{}, n: &sent})
	})
	g := New(Options{})
	l := openIn(t, g, LotOptions{})
	l.Serve([]Backend{backend.backend()})
	conn := dialRaw(t, l.Addr().String())
	conn.say(t, "GET / HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: flood", "", "")
	heldUp(t, &sent)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, Left{UnderWay: 1, Upgrades: 1}, g.Close(ended))
}

// TestTheGarageRefusesAtItsEnd what waits, rather than hang up on it.
func TestTheGarageRefusesAtItsEnd(t *testing.T) {
	g := New(Options{})
	l := openIn(t, g, LotOptions{})
	a := get(t, newClient(t), l, "/")
	waiting(t, l, 1)
	require.Equal(t, Left{}, g.Close(t.Context()))
	got := receive(t, a)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "refused; reason=expired", got.header.Get(HeaderParked))
}

// TestTheClientClosesIdleConnections: the listener never is the first, or a
// request that is on its way meets the close. Both times are longer than any that
// a proxy has.
func TestTheClientClosesIdleConnections(t *testing.T) {
	l := open(t, LotOptions{})
	const traefik = 90 * time.Second
	require.Greater(t, l.server.IdleTimeout, 2*traefik)
	require.Greater(t, l.server.ReadHeaderTimeout, 2*traefik, "a connection that was opened and never used")
	require.Zero(t, l.server.ReadTimeout)
	require.Zero(t, l.server.WriteTimeout)
}

func TestListen(t *testing.T) {
	taken := open(t, LotOptions{}).Addr().Port()
	g := New(Options{})
	for name, c := range map[string]struct {
		options LotOptions
		want    string
	}{
		"the port is taken":              {LotOptions{Name: "web", Address: "127.0.0.1", Ports: Ports{taken, taken}}, "listen for the requests of web: all ports "},
		"the range is the wrong way":     {LotOptions{Name: "web", Address: "127.0.0.1", Ports: Ports{2000, 1000}}, "listen for the requests of web: the range of ports ends before it begins: give it as FIRST-LAST, not 2000-1000"},
		"the address is not of the host": {LotOptions{Name: "web", Address: "192.0.2.1"}, "listen for the requests of web: listen tcp 192.0.2.1:0: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := g.Open(t.Context(), c.options)
			require.ErrorContains(t, err, c.want)
		})
	}
	t.Run("the next one is taken instead", func(t *testing.T) {
		l := open(t, LotOptions{Ports: Ports{taken, taken + 50}})
		require.Greater(t, l.Addr().Port(), taken)
		require.LessOrEqual(t, l.Addr().Port(), taken+50)
	})
}

// TestLotsAreSorted by name and address.
func TestLotsAreSorted(t *testing.T) {
	g := New(Options{})
	for _, name := range []string{"web", "api", "web"} {
		openIn(t, g, LotOptions{Name: name})
	}
	var names strings.Builder
	for _, l := range g.Lots() {
		names.WriteString(l.Name() + " ")
	}
	require.Equal(t, "api web web ", names.String())
}
