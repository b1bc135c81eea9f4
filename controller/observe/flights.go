package observe

import (
	"context"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// proxyFlights lets deployments share one reading of the proxies. The zero
// value is ready to use.
type proxyFlights struct {
	mu     sync.Mutex
	last   model.Fact[[]model.Proxy]
	flight *flight
}

// flight is a reading that is under way. fact and shared are set before done is
// closed.
type flight struct {
	done   chan struct{}
	fact   model.Fact[[]model.Proxy]
	shared bool
}

// Proxies reads the proxy set, or returns a reading that is young enough or
// that began while the caller waited. The fact's time is when the reading
// began. The slice is shared and must not be changed. It is not known where the
// set itself is not, and never known and empty.
func (o *Observer) Proxies(ctx context.Context) model.Fact[[]model.Proxy] {
	asked := time.Now()
	for {
		last, under, lead := o.proxies.join(o.options.ProxyMaxAge)
		switch {
		case lead:
			return o.lead(ctx, under)
		case under == nil:
			return last
		}
		select {
		case <-under.done:
			if under.shared {
				return under.fact
			}
		case <-ctx.Done():
			return model.Unseen[[]model.Proxy](asked, "the proxies were not read in time")
		}
	}
}

// join returns a reading that is young enough, or the flight to wait for, or
// one to lead.
func (p *proxyFlights) join(maxAge time.Duration) (last model.Fact[[]model.Proxy], under *flight, lead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.last.At.IsZero() && time.Since(p.last.At) <= maxAge:
		return p.last, nil, false
	case p.flight != nil:
		return last, p.flight, false
	default:
		p.flight = &flight{done: make(chan struct{})}
		return last, p.flight, true
	}
}

// lead reads on behalf of all who wait. If its own caller gave up midway it
// shares nothing: the failures would be the caller's and not the proxies'.
func (o *Observer) lead(ctx context.Context, f *flight) model.Fact[[]model.Proxy] {
	ctx, cancel := context.WithTimeout(ctx, o.options.PassTimeout)
	defer cancel()
	defer func() {
		o.proxies.mu.Lock()
		defer o.proxies.mu.Unlock()
		o.proxies.flight = nil
		if f.shared {
			o.proxies.last = f.fact
		}
		close(f.done)
	}()
	f.fact = o.readProxies(ctx)
	f.shared = ctx.Err() == nil
	return f.fact
}
