package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Fault is how a FaultyAPI disturbs the answers of its server.
type Fault int

// The faults of an API.
const (
	// FaultNone passes everything on undisturbed.
	FaultNone Fault = iota
	// Fault429 answers 429 and passes nothing on.
	Fault429
	// Fault500 answers 500 and passes nothing on.
	Fault500
	// FaultLate passes a request on at once and the answer LateBy later.
	FaultLate
	// FaultCut passes a request on and half of the answer's body, then resets
	// the connection. An answer without a body is not passed on at all.
	FaultCut
	// FaultIndexBack lowers the index of an answer (X-Nomad-Index or
	// X-Consul-Index) to at most half, and further with each answer of the same
	// path until it is 1 and begins again.
	FaultIndexBack
	// FaultHang accepts requests and neither passes them on nor answers until
	// it is lifted.
	FaultHang
)

// LateBy is how long an answer is kept under FaultLate.
const LateBy = 10 * time.Second

func (f Fault) String() string {
	switch f {
	case FaultNone:
		return "none"
	case Fault429:
		return "429"
	case Fault500:
		return "500"
	case FaultLate:
		return "late"
	case FaultCut:
		return "cut"
	case FaultIndexBack:
		return "index back"
	case FaultHang:
		return "hang"
	default:
		return fmt.Sprintf("Fault(%d)", int(f))
	}
}

// Call is one request to promote a deployment, or to end its pause.
type Call struct {
	// DeploymentID is the last part of the request's path.
	DeploymentID string
	// Arrived is when the request had been read, before the hook was called.
	Arrived time.Time
	// Fault is the one in force after the hook had returned.
	Fault Fault
	// Forwarded reports whether it was passed on.
	Forwarded bool
	// Status is what the server answered, 0 while or where it did not, or
	// could not be reached.
	Status int
	// Answered is the status that the client got, 0 where it got none, was
	// cut off in the middle, or had gone away by then.
	Answered int
}

// FaultyAPI is a reverse proxy between one client and the HTTP API of one
// server, and disturbs what the server answers.
//
// What has arrived as a write (any method but GET and HEAD) is like a packet
// in flight: it is passed on even where its client goes away while it waits,
// in a hook or under FaultHang. A read whose client is gone is dropped.
type FaultyAPI struct {
	listener  net.Listener
	server    *http.Server
	transport http.RoundTripper
	late      time.Duration
	// closed ends with the API, for what waits for something else.
	closed  chan struct{}
	close   sync.Once
	serving sync.WaitGroup
	conns   sync.WaitGroup

	mu         sync.Mutex
	target     *url.URL
	fault      Fault
	changed    chan struct{} // closed by the next change
	open       map[*exchange]context.CancelFunc
	onPromote  func(deploymentID string)
	onResume   func(deploymentID string)
	promotions []*Call
	resumes    []*Call
	writes     map[string]int
	lowered    map[string]uint64 // the last index given, by path
}

// NewFaultyAPI listens on a free port of the loopback and passes requests on
// to target, such as "http://127.0.0.1:4646".
func NewFaultyAPI(target string) (*FaultyAPI, error) {
	u, err := apiURL(target)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0")) //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, fmt.Errorf("stand before %s: %w", target, err)
	}
	f := &FaultyAPI{
		listener: l, target: u, late: LateBy,
		// A connection of its own for each request: one that was kept and has
		// died would be a fault that nobody asked for.
		transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		closed:    make(chan struct{}), changed: make(chan struct{}),
		open: map[*exchange]context.CancelFunc{}, writes: map[string]int{}, lowered: map[string]uint64{},
	}
	f.server = &http.Server{Handler: http.HandlerFunc(f.serve), ConnContext: withConn, ConnState: f.count}
	f.serving.Go(func() { _ = f.server.Serve(l) })
	return f, nil
}

func apiURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read the target of a faulty API: %w", err)
	}
	if u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("read the target %q of a faulty API: want http://HOST:PORT", raw)
	}
	return u, nil
}

// Addr is the API's own host:port.
func (f *FaultyAPI) Addr() string { return f.listener.Addr().String() }

// URL is http:// and Addr.
func (f *FaultyAPI) URL() string { return "http://" + f.Addr() }

// Set brings a fault into force for every request from now on. Reads that the
// server has not answered in full are ended, so that a client with a blocking
// query meets the fault at once. What hangs goes on under the new fault; a
// write that has been passed on goes on under the fault that it met. Setting
// the fault that is in force does nothing.
func (f *FaultyAPI) Set(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == fault {
		return
	}
	f.fault = fault
	f.change()
}

// Retarget passes requests on to another server from now on and ends open
// reads as Set does. A target that is no URL panics: it is the test's mistake.
func (f *FaultyAPI) Retarget(target string) {
	u, err := apiURL(target)
	if err != nil {
		panic(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.target = u
	f.change()
}

// change ends what is open under the lock.
func (f *FaultyAPI) change() {
	close(f.changed)
	f.changed = make(chan struct{})
	clear(f.lowered)
	f.end(func(x *exchange) bool { return x.read })
}

// end gives up on the exchanges that have been passed on, under the lock.
func (f *FaultyAPI) end(which func(*exchange) bool) {
	for x, cancel := range f.open {
		if which(x) {
			cancel()
		}
	}
}

// OnPromote has hook called with the deployment's ID when a promotion (PUT or
// POST /v1/deployment/promote/ID) has arrived and before anything is passed on;
// the request waits until it returns. It may call everything but Close. Nil
// takes it away.
func (f *FaultyAPI) OnPromote(hook func(deploymentID string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onPromote = hook
}

// OnResume has hook called as OnPromote does when the end of a pause (PUT or POST
// /v1/deployment/pause/ID with Pause false) has arrived.
func (f *FaultyAPI) OnResume(hook func(deploymentID string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onResume = hook
}

// Promotions are the promotions that have arrived, in that order.
func (f *FaultyAPI) Promotions() []Call { return f.copied(func() []*Call { return f.promotions }) }

// Resumes are the ends of pauses that have arrived, in that order.
func (f *FaultyAPI) Resumes() []Call { return f.copied(func() []*Call { return f.resumes }) }

func (f *FaultyAPI) copied(which func() []*Call) []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Call
	for _, c := range which() {
		out = append(out, *c)
	}
	return out
}

// Writes counts the other writes (any method but GET and HEAD) that have
// arrived, by path, whether or not they were passed on.
func (f *FaultyAPI) Writes() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.writes)
}

// WritePaths are the keys of Writes, sorted.
func (f *FaultyAPI) WritePaths() []string { return slices.Sorted(maps.Keys(f.Writes())) }

// Close resets every connection and returns when everything has ended, a hook
// that still runs included. It can be called again.
func (f *FaultyAPI) Close() error {
	var err error
	f.close.Do(func() {
		f.mu.Lock()
		close(f.closed)
		f.end(func(*exchange) bool { return true })
		f.mu.Unlock()
		err = f.server.Close()
	})
	f.serving.Wait()
	f.conns.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the faulty API at %s: %w", f.Addr(), err)
	}
	return nil
}

// count makes Close wait for what serves a connection. The server counts a
// connection in before Serve can return.
func (f *FaultyAPI) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		f.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		f.conns.Done()
	default: // it stays open
	}
}
