package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// LoadOptions describe the requests. Zero values mean what each field says.
type LoadOptions struct {
	// URL is where requests go, such as http://127.0.0.1:80/path.
	URL string
	// Host is the Host header, by which Traefik picks the router.
	Host string
	// Method is GET if empty.
	Method string
	// Rate is requests a second, 100 if zero.
	Rate int
	// Status is the only expected status; any 2xx if zero.
	Status int
	// Timeout is how long an answer may take, 60 s if zero: from then on the
	// request counts as lost, and the generator gives up on it.
	Timeout time.Duration
	// Late is how long after its slot a request may be sent, 1 s if zero. One
	// that is sent later, or was due for longer than that when the load
	// stopped and not sent at all, counts as lost: a generator that pauses
	// while a service is down must not make the service look well.
	Late time.Duration
	// ID begins the X-Request-Id of each request: "ID-0", "ID-1" and so on, none
	// used twice. Without it requests have none.
	ID string
	// Body is what each request carries. An answer that gives another hash of it
	// than ours in X-Body-Sha256 counts as lost.
	Body string
	// Upload is how long each request takes to send its body, at once if zero. It
	// is part of Timeout.
	Upload time.Duration
	// KeepAlive lets requests share connections. Each has its own if false.
	KeepAlive bool
	// HTTP2 speaks HTTP/2 from the first byte, in clear text, which Traefik's
	// entry points understand. Requests share connections then.
	HTTP2 bool
}

func (o LoadOptions) withDefaults() LoadOptions {
	if o.Method == "" {
		o.Method = http.MethodGet
	}
	if o.Rate == 0 {
		o.Rate = 100
	}
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Late == 0 {
		o.Late = time.Second
	}
	return o
}

func (o LoadOptions) check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("%q is not the address of an HTTP server", o.URL)
	case o.Upload > 0 && o.Body == "":
		return errors.New("an upload takes time, but there is no body")
	case o.Rate < 0 || o.Rate > int(time.Second/time.Microsecond):
		return fmt.Errorf("%d is not a rate", o.Rate)
	default:
		return nil
	}
}

// interval is the time between two slots. Slot k, from 0, is due k+1
// intervals after the start (vegeta v12.13.0, lib/pacer.go, ConstantPacer).
func (o LoadOptions) interval() time.Duration { return time.Second / time.Duration(o.Rate) }

// Load is an open-loop generator: it sends at a constant rate whether or not
// answers come back, and sends nothing twice. Requests are paced by vegeta;
// what counts as lost is decided here.
type Load struct {
	opts     LoadOptions
	attacker *vegeta.Attacker
	// body is that of all requests, and sum its hash.
	body  []byte
	sum   string
	ended sync.WaitGroup
	// given counts the IDs that were given to requests.
	given atomic.Int64

	mu    sync.Mutex
	count counter
}

// StartLoad starts sending.
func StartLoad(opts LoadOptions) (*Load, error) {
	opts = opts.withDefaults()
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("start a load: %w", err)
	}
	sum := sha256.Sum256([]byte(opts.Body))
	l := &Load{opts: opts, body: []byte(opts.Body), sum: hex.EncodeToString(sum[:])}
	l.attacker = vegeta.NewAttacker(vegeta.Client(opts.client()), vegeta.MaxWorkers(opts.inFlight()), vegeta.MaxBody(0))
	l.count = newCounter(opts, time.Now())
	results := l.attacker.Attack(l.target, l.pacer(), 0, "")
	l.ended.Go(func() {
		for r := range results {
			l.add(r)
		}
	})
	return l, nil
}

// target is what vegeta sends next. It is called from many goroutines.
func (l *Load) target(t *vegeta.Target) error {
	*t = vegeta.Target{Method: l.opts.Method, URL: l.opts.URL, Header: http.Header{}, Body: l.body}
	if l.opts.Host != "" {
		t.Header.Set("Host", l.opts.Host)
	}
	if l.opts.ID != "" {
		t.Header.Set("X-Request-Id", l.id(l.given.Add(1)-1))
	}
	return nil
}

func (l *Load) id(n int64) string { return l.opts.ID + "-" + strconv.FormatInt(n, 10) }

// IDs are those of all requests that were sent until now.
func (l *Load) IDs() []string {
	if l.opts.ID == "" {
		return nil
	}
	out := make([]string, l.given.Load())
	for n := range out {
		out[n] = l.id(int64(n))
	}
	return out
}

// pacer is vegeta's constant one. It is asked before every request with the
// time since vegeta's own start, which is the only way to learn that start.
type pacer struct {
	vegeta.ConstantPacer
	start func(time.Time)
	once  sync.Once
}

// Pace implements vegeta.Pacer.
func (p *pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	p.once.Do(func() { p.start(time.Now().Add(-elapsed)) })
	return p.ConstantPacer.Pace(elapsed, hits)
}

func (l *Load) pacer() *pacer {
	return &pacer{
		ConstantPacer: vegeta.ConstantPacer{Freq: l.opts.Rate, Per: time.Second},
		start: func(began time.Time) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.count.began, l.count.gapFrom = began, began
		},
	}
}

// inFlight bounds the requests that can be under way, and so the memory: as
// many as fit into the timeout, and some. More would be late, and so lost.
func (o LoadOptions) inFlight() uint64 {
	return uint64(math.Ceil(o.Timeout.Seconds()+2)) * uint64(o.Rate)
}

// client follows no redirect, uses no proxy and replays nothing.
func (o LoadOptions) client() *http.Client {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{}).DialContext,
		DisableKeepAlives:   !o.KeepAlive && !o.HTTP2,
		DisableCompression:  true,
		MaxIdleConnsPerHost: o.Rate,
		IdleConnTimeout:     90 * time.Second,
		Protocols:           new(http.Protocols),
	}
	transport.Protocols.SetUnencryptedHTTP2(o.HTTP2)
	transport.Protocols.SetHTTP1(!o.HTTP2)
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     once{timeout: o.Timeout, next: slowly{during: o.Upload, next: transport}},
	}
}

func (l *Load) add(r *vegeta.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count.add(sent{
		seq: r.Seq, at: r.Timestamp, took: r.Latency, status: int(r.Code),
		err: r.Error, version: r.Headers.Get("X-Version"), garbled: l.garbled(r.Headers.Get("X-Body-Sha256")),
	})
}

// garbled reports whether who answered got another body than the one sent.
func (l *Load) garbled(sum string) bool { return sum != "" && sum != l.sum }

// Snapshot returns the count so far, without what has not been answered yet.
func (l *Load) Snapshot() LoadReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count.report(time.Now())
}

// Stop stops sending, waits until every request was answered or timed out, and
// returns the final count. It can be called again.
func (l *Load) Stop() LoadReport {
	l.mu.Lock()
	if l.count.stopped.IsZero() {
		l.count.stopped = time.Now()
	}
	l.mu.Unlock()
	l.attacker.Stop()
	l.ended.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count.final()
}
