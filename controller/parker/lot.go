package parker

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
)

// lot is one listener of this process with what it is told.
type lot struct {
	*parking.Lot
	service, secret string
	// at is where proxies reach it.
	at netip.AddrPort
	// cancel ends its watch; work is what runs for it.
	cancel context.CancelFunc
	work   sync.WaitGroup
	// ended is true when not even a connection that lasts is left.
	ended atomic.Bool

	mu       sync.Mutex
	sighting park.Sighting
	catalog  []model.Registration
	read     bool
	closing  bool
	closed   bool
	// registered is true once its placeholder was.
	registered bool
}

// open begins to listen for a record's service. ctx is of the process.
func (p *Parker) open(ctx context.Context, r park.Record) error {
	address, err := p.address(ctx)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("the address of this node's listeners, %q, is no IP address: give one with --park-address: %w", address, err)
	}
	ip = ip.Unmap()
	secret := rand.Text()
	opened, err := p.garage.Open(ctx, parking.LotOptions{
		Name: r.Service, Address: cmp.Or(p.options.Bind, address), Ports: p.options.Ports, Wait: r.Wait,
		Bounds: p.options.Bounds, Secret: secret, Host: ip.String(), Probes: r.Probes,
	})
	if err != nil {
		return err
	}
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &lot{Lot: opened, service: r.Service, secret: secret, at: netip.AddrPortFrom(ip, opened.Addr().Port()), cancel: cancel}
	l.work.Go(func() { l.watch(watching, p.consul, p.options.TTL) })
	p.lots[r.Service] = l
	logr.FromContextOrDiscard(ctx).Info("parking: listening", "service", r.Service, "address", l.at.String())
	return nil
}

// address is where proxies reach this node.
func (p *Parker) address(ctx context.Context) (string, error) {
	if p.options.Address != "" {
		return p.options.Address, nil
	}
	return loop.Call(ctx, p.consul.AgentAddress)
}

// watch tells the listener of each answer of the catalog, until ctx ends. What is
// not known stays as it is: a dial finds out.
func (l *lot) watch(ctx context.Context, consul Consul, ttl time.Duration) {
	ask := func(ctx context.Context, index uint64, wait time.Duration) ([]model.Registration, uint64, error) {
		return consul.WatchService(ctx, l.service, index, wait)
	}
	loop.Watch(ctx, ttl, passGap, ask, nil, l.saw)
}

func (l *lot) saw(catalog []model.Registration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.catalog, l.read = catalog, true
	l.tell()
}

// follow takes over what the record says.
func (l *lot) follow(s park.Sighting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Dry.After(l.sighting.Dry) {
		l.Renew()
	}
	l.sighting = s
	l.SetWait(s.Record.Wait)
	l.tell()
}

// tell tells the listener which instances there are. The lock is held.
func (l *lot) tell() {
	if !l.read {
		return
	}
	var out []parking.Backend
	for _, b := range park.Backends(l.sighting, l.catalog) {
		out = append(out, parking.Backend{ID: b.ID, Address: b.Address, Until: b.Until})
	}
	l.Serve(out)
}

// state is how the listener stands.
func (l *lot) state() park.Open {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	answers := false
	for _, b := range park.Backends(l.sighting, l.catalog) {
		answers = answers || b.Until.IsZero() || now.Before(b.Until)
	}
	return park.Open{
		Address: l.at.String(), Answers: answers || !l.read, Registered: l.registered, Closing: l.closing, Closed: l.closed,
	}
}

// finish lets the listener take its last requests. It is closed for everyone else
// when all that is left are requests that an instance has, which go on for as long as ctx
// lasts: one that streams its answer may do so for hours, and another park has to wait for
// what is not closed.
func (l *lot) finish(ctx context.Context, done func()) {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.work.Go(func() {
		left := l.settle(ctx)
		l.cancel()
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		logr.FromContextOrDiscard(ctx).Info("parking: listener closed", "service", l.service, "waiting", left.Waiting, "underWay", left.UnderWay, "upgrades", left.Upgrades)
		done()
		l.Close(ctx)
		l.ended.Store(true)
	})
}

// settle returns when no request comes or waits any more, or ctx ends.
func (l *lot) settle(ctx context.Context) parking.Left {
	for {
		trying, cancel := context.WithTimeout(ctx, settleTime)
		left := l.Close(trying)
		cancel()
		if !left.Coming && left.Waiting == 0 || ctx.Err() != nil {
			return left
		}
	}
}

// settleTime is how often settle looks what is left. It is longer than the quiet that
// a listener waits for.
const settleTime = parking.DefaultQuiet + time.Second

// register brings the placeholder of a service into the catalog.
func (p *Parker) register(ctx context.Context, service string) error {
	l := p.lots[service]
	if err := p.consul.RegisterPlaceholder(ctx, p.placeholder(l, p.memory.Seen[service].Record)); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.registered = true
	return nil
}

// placeholder is the lot's instance in the catalog.
func (p *Parker) placeholder(l *lot, r park.Record) model.Placeholder {
	return model.Placeholder{
		ID: p.options.Keys.Placeholder(l.service, p.board.Node()), Service: l.service, Address: l.at.Addr().String(), Port: int(l.at.Port()),
		HostPort: net.JoinHostPort(l.at.Addr().String(), fmt.Sprint(l.at.Port())), Tags: p.options.Tags(r, l.at), Secret: l.secret,
		Meta: map[string]string{"draingate": "park", "draingate-instance": p.options.Instance},
	}
}
