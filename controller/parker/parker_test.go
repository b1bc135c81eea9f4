package parker

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var keys = park.KeysUnder(model.DefaultLeaderKey)

const (
	mine    = "_draingate-park-web~n1"
	pausing = "draingate-pause/web"
)

// record is of a service that n1 parks for.
func record(mark string, step park.Step) park.Record {
	return park.Record{Format: park.Format, Service: "web", Mark: mark, Step: step, Nodes: []string{"n1", "n2"}, Tags: []string{"traefik.enable=true"}, Wait: 30 * time.Second, Written: time.Now(), Since: time.Now()}
}

// start runs an instance until the returned function is called.
func start(t *testing.T, c *fakeConsul) (*Parker, func()) {
	t.Helper()
	return startWith(t, c, parking.Ports{})
}

func startWith(t *testing.T, c *fakeConsul, ports parking.Ports) (*Parker, func()) {
	t.Helper()
	p := New(c, parking.New(parking.Options{}), Options{
		Keys: keys, TTL: 10 * time.Second, Instance: "pod/1", Ports: ports,
		Tags: func(r park.Record, at netip.AddrPort) []string { return append(r.Tags, at.String()) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- p.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-end)
	})
	t.Cleanup(stop)
	return p, stop
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 20*time.Second, 5*time.Millisecond, what)
}

// says waits until the instance says so with the mark.
func says(t *testing.T, c *fakeConsul, mark string, state park.LotState) park.Lot {
	t.Helper()
	eventually(t, "it says "+string(state), func() bool { l := c.said(); return l.Mark == mark && l.State == state })
	return c.said()
}

// instance is a real one, in the catalog and passing; /stream goes on until release
// is closed.
func instance(t *testing.T, release <-chan struct{}) model.Registration {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "served\n")
		if r.URL.Path == "/stream" {
			_ = http.NewResponseController(w).Flush()
			<-release
			_, _ = io.WriteString(w, "whole\n")
		}
	}))
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return model.Registration{ServiceID: "_nomad-new", AllocID: "new", Node: "n1", Address: host, Port: number, Status: model.StatusPassing}
}

// ask sends a request on a connection of its own, and returns where its answer comes.
func ask(t *testing.T, address, path string) <-chan *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	out := make(chan *http.Response, 1)
	go func() {
		defer close(out)
		if answer, err := client.Do(request); err == nil { //nolint:bodyclose // who takes it closes it
			out <- answer
		}
	}()
	return out
}

func status(t *testing.T, answers <-chan *http.Response) int {
	t.Helper()
	answer := <-answers
	require.NotNil(t, answer)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// A park from its beginning to its end. A request that streams its answer outlives it, and
// keeps nothing open for others.
func TestAParkIsCarriedOut(t *testing.T) {
	t.Parallel()
	c := newConsul()
	_, stop := start(t, c)
	c.store(t, record("m1", park.StepParking))
	address := says(t, c, "m1", park.LotIn).Address
	require.Equal(t, address, c.at(mine).Address)
	require.Equal(t, []string{"traefik.enable=true", address}, c.stands[mine].Tags)
	waits := ask(t, address, "/") //nolint:bodyclose // status closes it
	eventually(t, "it is known to wait", func() bool { return c.said().Waiting == 1 })

	release := make(chan struct{})
	one := instance(t, release)
	c.with(func() { c.catalog = []model.Registration{one} })
	require.Equal(t, http.StatusOK, status(t, waits))
	stream := <-ask(t, address, "/stream")
	body := bufio.NewReader(stream.Body)
	line, err := body.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "served\n", line)

	c.store(t, record("m2", park.StepLeaving))
	eventually(t, "it leaves the catalog", func() bool { return c.at(mine).ID == "" })
	require.Equal(t, http.StatusOK, status(t, ask(t, address, "/")), "proxies still route to it") //nolint:bodyclose // status closes it
	says(t, c, "m2", park.LotLeft)
	require.Equal(t, http.StatusOK, status(t, ask(t, address, "/")), "nobody said yet that they do not") //nolint:bodyclose // status closes it
	c.store(t, record("m3", park.StepOut))
	says(t, c, "m3", park.LotClosed)
	_, open := <-ask(t, address, "/") //nolint:bodyclose // there is none
	require.False(t, open, "the listener is closed")
	c.store(t, record("m4", park.StepParking))
	require.NotEqual(t, address, says(t, c, "m4", park.LotIn).Address, "the next park does not wait for the stream")
	close(release)
	line, err = body.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "whole\n", line, "nothing was cut off")
	require.NoError(t, stream.Body.Close())
	stop()
	require.Empty(t, c.keys[keys.Parker("n1", "pod/1")].Session)
	require.Equal(t, "deregister "+mine, c.done()[len(c.done())-1])
}

func TestAPauseIsCarriedOutAndOnlyItsOwnIsLifted(t *testing.T) {
	t.Parallel()
	c := newConsul()
	c.services["a"] = model.LocalService{ID: "a"}
	c.services["b"] = model.LocalService{ID: "b", Maintenance: true, Reason: "disk is full"}
	_, stop := start(t, c)
	r := record("m1", park.StepParking)
	r.ByHand, r.Until, r.Fenced = true, time.Now().Add(time.Hour), []park.Target{{Node: "n1", Service: "a"}, {Node: "n1", Service: "b"}, {Node: "n2", Service: "c"}}
	c.store(t, r)
	eventually(t, "it is in maintenance", func() bool { return c.at("a").Reason == pausing })
	says(t, c, "m1", park.LotIn)
	r.Mark, r.Fenced = "m2", nil
	c.store(t, r)
	eventually(t, "it is in none", func() bool { return !c.at("a").Maintenance })
	r.Mark, r.Fenced = "m3", []park.Target{{Node: "n1", Service: "a"}}
	c.store(t, r)
	eventually(t, "it is again", func() bool { return c.at("a").Maintenance })
	stop()
	require.False(t, c.at("a").Maintenance, "a process that ends leaves nothing behind")
	require.Equal(t, "disk is full", c.at("b").Reason)
	require.Empty(t, c.at(mine).ID)
}

func TestAtTheEndOfTheProcessWhatWaitsIsRefused(t *testing.T) {
	t.Parallel()
	c := newConsul()
	_, stop := start(t, c)
	r := record("m1", park.StepParking)
	r.Wait = 2 * time.Second
	c.store(t, r)
	waits := ask(t, says(t, c, "m1", park.LotIn).Address, "/") //nolint:bodyclose // status closes it
	eventually(t, "it is known to wait", func() bool { return c.said().Waiting == 1 })
	stop()
	require.Equal(t, http.StatusServiceUnavailable, status(t, waits))
	require.Empty(t, c.at(mine).ID)
}

// A process that died has left a placeholder with another port, and a session.
func TestWhatADeadProcessLeftIsReplaced(t *testing.T) {
	t.Parallel()
	c := newConsul()
	dead, err := park.EncodePresence(park.Presence{Instance: "dead", Lots: map[string]park.Lot{"web": {Mark: "m0", Address: "127.0.0.1:1", State: park.LotIn}}})
	require.NoError(t, err)
	c.keys[keys.Parker("n1", "dead")] = model.Stored{Key: keys.Parker("n1", "dead"), Value: dead, Session: "s"}
	c.services[mine] = model.LocalService{ID: mine, Name: "web", Address: "127.0.0.1:1"}
	start(t, c)
	c.store(t, record("m1", park.StepParking))
	says(t, c, "m1", park.LotIn)
	require.Equal(t, "127.0.0.1:1", c.at(mine).Address, "as long as it may be alive it stays")
	c.with(func() {
		c.services[mine] = model.LocalService{ID: mine, Name: "web", Address: "127.0.0.1:1", Critical: true}
	})
	eventually(t, "it is replaced", func() bool { a := c.at(mine).Address; return a != "127.0.0.1:1" && a == c.said().Address })
}

// One that died listened on the same port: the check of what it left has its secret, which
// the new listener refuses.
func TestWhatADeadProcessLeftOnTheSamePortIsReplaced(t *testing.T) {
	t.Parallel()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := netip.MustParseAddrPort(free.Addr().String())
	require.NoError(t, free.Close())
	c := newConsul()
	dead, err := park.EncodePresence(park.Presence{Instance: "dead", Lots: map[string]park.Lot{"web": {Mark: "m0", Address: at.String(), State: park.LotIn}}})
	require.NoError(t, err)
	c.keys[keys.Parker("n1", "dead")] = model.Stored{Key: keys.Parker("n1", "dead"), Value: dead, Session: "s"}
	c.services[mine] = model.LocalService{ID: mine, Name: "web", Address: at.String(), Critical: true}
	startWith(t, c, parking.Ports{First: at.Port(), Last: at.Port()})
	c.store(t, record("m1", park.StepParking))
	require.Equal(t, at.String(), says(t, c, "m1", park.LotIn).Address)
	require.Equal(t, []string{"register " + mine}, c.done())
}

func TestWhatCannotBeReadStays(t *testing.T) {
	t.Parallel()
	c := newConsul()
	p, _ := start(t, c)
	c.store(t, record("m1", park.StepParking))
	says(t, c, "m1", park.LotIn)
	c.with(func() { c.fail["list"] = errRefused })
	eventually(t, "it is told", func() bool { return p.State().Problem != "" })
	require.Equal(t, mine, c.at(mine).ID)
	c.with(func() { c.fail["services"] = errRefused })
	eventually(t, "both are told", func() bool { return p.State().Problem == "connection refused; connection refused" })
	c.with(func() { clear(c.fail) })
	eventually(t, "all is well", func() bool { return p.State() == State{Node: "n1"} })
	require.Equal(t, []string{"register " + mine}, c.done())
}

// A version that did not come up is given up, and the next one is waited for anew.
func TestAServiceThatWasGivenUpIsParkedForAnew(t *testing.T) {
	t.Parallel()
	c := newConsul()
	start(t, c)
	r := record("m1", park.StepParking)
	r.Wait, r.Gap = 300*time.Millisecond, time.Now()
	c.store(t, r)
	address := says(t, c, "m1", park.LotIn).Address
	eventually(t, "it is given up", func() bool {
		answer := <-ask(t, address, "/")
		if answer == nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.Header.Get(parking.HeaderParked) == "refused; reason=expired"
	})
	r.Mark, r.Gap, r.Wait = "m2", time.Now().Add(time.Second), time.Hour
	c.store(t, r)
	says(t, c, "m2", park.LotIn)
	_ = ask(t, address, "/") //nolint:bodyclose // no answer comes
	eventually(t, "what comes waits, and for as long as the new word says", func() bool { return c.said().Waiting == 1 })
}
