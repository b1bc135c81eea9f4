package parking

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/park"
)

// LotOptions are the choices of a Lot.
type LotOptions struct {
	// Name is the service's, for people and metrics.
	Name string
	// Address is the host to listen on; empty for all addresses.
	Address string
	// Ports are those to try, one after another.
	Ports Ports
	// Wait is the longest that one request waits, until SetWait says otherwise;
	// DefaultWait where it is zero.
	Wait time.Duration
	// Bounds are this lot's.
	Bounds Bounds
	// Secret is the value of HeaderCheck that the lot answers with 200. Empty for
	// none.
	Secret string
	// Probes are the checks that proxies make of their servers, which the lot answers.
	Probes []park.Probe
	// Host is what proxies reach the lot by, without a port. A request for that host at
	// the lot's own port is one of a proxy that puts a server's address in the place of
	// the host (Traefik's passHostHeader = false): an instance then gets its own address
	// for it. Empty for none.
	Host string
	// Quiet is for how long no request may have come before Close shuts the listener;
	// DefaultQuiet where it is zero.
	Quiet time.Duration
}

// The defaults of LotOptions.
const (
	DefaultWait = 30 * time.Second
	// A proxy that does not list a server any more may send requests that it had
	// begun to route before: milliseconds later, or after the waits of a retry.
	DefaultQuiet = 3 * time.Second
)

// What the listener bears.
const (
	// idleTime is how long a connection may stay without a request. It has to be the
	// proxy that closes it, since a request that meets a close on its way is lost:
	// Traefik does so after 90 s where nothing else is set (v3.6.12,
	// pkg/server/service/transport.go: idleConnTimeout). It is the bound of a first
	// head as well, since Go's client keeps connections that it opened and then did
	// not need.
	idleTime = 15 * time.Minute
	// headBytes is the largest head: the 1 MiB that Traefik takes from its clients
	// (http.DefaultMaxHeaderBytes), and room for what it adds.
	headBytes = 1<<20 + 64<<10
)

// Lot is one service that is parked for, on one TCP port. Make one with
// Garage.Open; it is safe for concurrent use.
type Lot struct {
	garage  *Garage
	options LotOptions
	addr    netip.AddrPort
	// host is the Host header that is the lot's own address; empty where that is not
	// known.
	host   string
	server *http.Server
	// cut ends what is under way, running are the loops.
	cut     context.CancelFunc
	running sync.WaitGroup
	// stir wakes the loop that looks after those that wait.
	stir chan struct{}

	mu       sync.Mutex
	backends []*backend
	// queue has the waiters in the order of arrival, and arrivals counts them.
	queue    *list.List
	arrivals uint64
	figures  Figures
	// upgrades are those that have changed their protocol: package http does not
	// know their connections any more.
	upgrades map[*passage]struct{}
	// expired is true where the service is given up, leaving once Close was called,
	// which was first at leftAt.
	expired bool
	leaving bool
	leftAt  time.Time
	// handling are the requests of which a handler runs, last is when one came.
	handling int
	last     time.Time
	// unsaid are the requests without an answer that the log has not told of, which it
	// did last at said.
	unsaid int
	said   time.Time
}

// Open begins to listen. The lot has no backends, so requests wait. It does not
// end with ctx, of which it keeps the values only: Close it, or the Garage.
func (g *Garage) Open(ctx context.Context, options LotOptions) (*Lot, error) {
	options.Wait = cmp.Or(options.Wait, DefaultWait)
	options.Quiet = cmp.Or(options.Quiet, DefaultQuiet)
	options.Bounds = options.Bounds.or(DefaultRequests, DefaultBytes)
	listener, err := listen(ctx, options.Address, options.Ports)
	if err != nil {
		return nil, fmt.Errorf("listen for the requests of %s: %w", options.Name, err)
	}
	life, cut := context.WithCancel(context.WithoutCancel(ctx))
	l := &Lot{
		garage: g, options: options, cut: cut, stir: make(chan struct{}, 1), queue: list.New(), figures: newFigures(),
		upgrades: map[*passage]struct{}{},
		addr:     listener.Addr().(*net.TCPAddr).AddrPort(),
	}
	if options.Host != "" {
		l.host = net.JoinHostPort(options.Host, strconv.Itoa(int(l.addr.Port())))
	}
	logger := logr.FromContextOrDiscard(ctx).WithValues("service", options.Name, "listener", l.addr.String())
	l.server = &http.Server{
		Handler: http.HandlerFunc(l.serve), ReadHeaderTimeout: idleTime, IdleTimeout: idleTime, MaxHeaderBytes: headBytes,
		DisableGeneralOptionsHandler: true, ErrorLog: log.New(lines{logger}, "", 0),
		BaseContext: func(net.Listener) context.Context { return life },
		ConnContext: withClient,
	}
	g.add(l)
	l.running.Go(func() { l.tend(life) })
	l.running.Go(func() {
		if err := l.server.Serve(listener); err != http.ErrServerClosed {
			logger.Error(err, "listener of a parked service ended")
		}
	})
	return l, nil
}

// SetWait says how long a request waits at most that comes from now on. One that
// waits already keeps its time, but waits no longer than one that comes now.
func (l *Lot) SetWait(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = cmp.Or(wait, DefaultWait)
	if wait == l.options.Wait {
		return
	}
	l.options.Wait = wait
	last := time.Now().Add(wait)
	for e := l.queue.Front(); e != nil; e = e.Next() {
		if w := asWaiter(e); w.until.After(last) {
			w.until = last
		}
	}
}

// wait is the longest that a request waits which comes now.
func (l *Lot) wait() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.options.Wait
}

// Name is the service's.
func (l *Lot) Name() string { return l.options.Name }

// Addr is where it listens; the address is unspecified where it is on all.
func (l *Lot) Addr() netip.AddrPort { return l.addr }

// lines is the log that package http writes to.
type lines struct{ logr.Logger }

func (l lines) Write(text []byte) (int, error) {
	l.Info("listener of a parked service complained", "message", strings.TrimSpace(string(text)))
	return len(text), nil
}
