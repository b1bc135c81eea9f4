package parking

import (
	"cmp"
	"context"
	"net"
	"net/http/httputil"
	"slices"
	"sync"
	"time"
)

// Bounds are how much may wait; a zero field means its default.
type Bounds struct {
	// Requests is how many requests may wait at once; 10,000 by default in a lot,
	// which is 50 seconds of 200 requests a second, or 250 MB: each has some 22 KB
	// (BenchmarkWaiting), two goroutines and a file descriptor, and another one
	// while it is passed on.
	Requests int
	// Bytes is how many bytes the lines and headers of those that wait may have
	// together; 64 MiB by default in a lot: 6.5 KiB for each of 10,000 requests, so that
	// only heads that are larger than usual reach it first.
	Bytes int64
}

// The defaults of Bounds.
const (
	DefaultRequests = 10_000
	DefaultBytes    = 64 << 20
	// All lots together may keep twice of what one may, so that a single one cannot
	// take the room of all others.
	DefaultTotalRequests = 2 * DefaultRequests
	DefaultTotalBytes    = 2 * DefaultBytes
)

func (b Bounds) or(requests int, bytes int64) Bounds {
	return Bounds{Requests: cmp.Or(b.Requests, requests), Bytes: cmp.Or(b.Bytes, bytes)}
}

// refuse returns the reason for which one more request with this head may not
// wait beside those that do; nil where it may.
func (b Bounds) refuse(waiting int, bytes, head int64, requests, size Reason) error {
	switch {
	case waiting >= b.Requests:
		return refusal(requests)
	case bytes+head > b.Bytes:
		return refusal(size)
	default:
		return nil
	}
}

// Options are the choices of a Garage.
type Options struct {
	// Total are the bounds over all lots.
	Total Bounds
}

// Garage is all lots of a process. Make one with New; it is safe for concurrent
// use.
type Garage struct {
	total  Bounds
	proxy  *httputil.ReverseProxy
	dialer net.Dialer

	// mu is taken by those that have a lot's lock, lotsMu before it.
	mu      sync.Mutex
	waiting int
	bytes   int64

	lotsMu sync.Mutex
	lots   []*Lot
	// past are the figures of lots that are no more, by name.
	past map[string]Figures
}

// dialTime bounds one try to reach a backend. It is long enough for a first
// segment that is lost, which Linux sends again after one second.
const dialTime = 2 * time.Second

// New returns a Garage without lots.
func New(options Options) *Garage {
	return &Garage{
		total: options.Total.or(DefaultTotalRequests, DefaultTotalBytes),
		proxy: newProxy(), past: map[string]Figures{},
	}
}

// keep counts one that waits against the bounds over all lots.
func (g *Garage) keep(head int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.total.refuse(g.waiting, g.bytes, head, ReasonTotalRequests, ReasonTotalBytes); err != nil {
		return err
	}
	g.waiting++
	g.bytes += head
	return nil
}

func (g *Garage) unkeep(head int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting--
	g.bytes -= head
}

// Lots are those that are not closed, sorted by name and then by address.
func (g *Garage) Lots() []*Lot {
	g.lotsMu.Lock()
	defer g.lotsMu.Unlock()
	return slices.SortedFunc(slices.Values(g.lots), func(a, b *Lot) int {
		return cmp.Or(cmp.Compare(a.options.Name, b.options.Name), a.addr.Compare(b.addr))
	})
}

// Figures are those of all lots, also of those that are closed. Peak is that of
// the lot that had the highest.
func (g *Garage) Figures() Figures {
	out := newFigures()
	for _, f := range g.Named() {
		out.add(f)
	}
	return out
}

// Named are the figures of each service that there is or was a lot for, by name.
func (g *Garage) Named() map[string]Figures {
	out := map[string]Figures{}
	add := func(name string, f Figures) {
		sum, has := out[name]
		if !has {
			sum = newFigures()
		}
		sum.add(f)
		out[name] = sum
	}
	g.lotsMu.Lock()
	defer g.lotsMu.Unlock()
	for name, f := range g.past {
		add(name, f)
	}
	for _, l := range g.lots {
		add(l.Name(), l.Figures())
	}
	return out
}

func (g *Garage) add(l *Lot) {
	g.lotsMu.Lock()
	defer g.lotsMu.Unlock()
	g.lots = append(g.lots, l)
}

// remove keeps the figures of a lot that is closed.
func (g *Garage) remove(l *Lot) {
	g.lotsMu.Lock()
	defer g.lotsMu.Unlock()
	if i := slices.Index(g.lots, l); i >= 0 {
		g.lots = slices.Delete(g.lots, i, i+1)
		figures := l.Figures()
		figures.add(g.past[l.Name()])
		g.past[l.Name()] = figures
	}
}

// Close is for the end of the process: each request that waits gets its 503,
// those under way are finished until ctx is over, and what is left then is cut
// off. It returns what that was, over all lots.
func (g *Garage) Close(ctx context.Context) Left {
	lots := g.Lots()
	left := make([]Left, len(lots))
	var all sync.WaitGroup
	for i, l := range lots {
		all.Go(func() { left[i] = l.cutOff(ctx) })
	}
	all.Wait()
	var out Left
	for _, one := range left {
		out.Waiting += one.Waiting
		out.UnderWay += one.UnderWay
		out.Upgrades += one.Upgrades
	}
	return out
}
