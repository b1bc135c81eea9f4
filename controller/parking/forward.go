package parking

import (
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"time"
)

type passageKey struct{}

func passageOf(ctx context.Context) *passage {
	p, _ := ctx.Value(passageKey{}).(*passage)
	return p
}

// forward sends the request, once, and passes the answer on.
func (l *Lot) forward(w http.ResponseWriter, r *http.Request, p *passage) {
	complete := false
	p.header = w.Header()
	defer func() {
		p.close()
		l.finish(p, complete)
	}()
	l.garage.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passageKey{}, p)))
	complete = true
}

// errSent is the end of a try of package http to send a request again.
var errSent = errors.New("the request was sent on its only connection and is not sent again")

// take hands over the connection, once.
func (p *passage) take() (net.Conn, error) {
	select {
	case conn := <-p.conn:
		return conn, nil
	default:
		return nil, errSent
	}
}

// close ends a connection that was not handed over, and tells whether there was
// one.
func (p *passage) close() bool {
	conn, err := p.take()
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was sent on it
	return true
}

// finish is the end of a request that was forwarded.
func (l *Lot) finish(p *passage, complete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.UnderWay--
	if p.upgraded {
		l.figures.Upgrades--
		delete(l.upgrades, p)
	}
	if !complete {
		l.figures.Broken++
	}
	l.free(p.slot)
}

// answered is the begin of the answer.
func (l *Lot) answered(p *passage, upgraded bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.upgraded = upgraded
	if upgraded {
		l.figures.Upgrades++
		l.upgrades[p] = struct{}{}
	}
	now := time.Now()
	if s := p.slot; s.pace != nil {
		s.pace.Answered(now, now.Sub(s.since))
		s.pace = nil
	}
	l.dispatch(now)
}

// newProxy returns what forwards the requests of all lots. What it knows of one is
// in the context.
func newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: rewrite,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return passageOf(ctx).take() },
			// A connection is for one request.
			DisableKeepAlives: true,
			// An answer is passed on as it is.
			DisableCompression: true,
			// As in Traefik: a backend that does not know Expect gets the body after a while.
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: headBytes,
		},
		FlushInterval: -1,
		BufferPool:    &buffers{pool: sync.Pool{New: func() any { return new([bufferBytes]byte) }}},
		// What it would say is in the answer or in the figures.
		ErrorLog: log.New(io.Discard, "", 0),
		ModifyResponse: func(res *http.Response) error {
			p := passageOf(res.Request.Context())
			if _, told := res.Header["Content-Type"]; !told {
				// Package http would put in what it takes the body for.
				p.header["Content-Type"] = nil
			}
			p.lot.answered(p, res.StatusCode == http.StatusSwitchingProtocols)
			return nil
		},
		ErrorHandler: unanswered,
	}
}

// rewrite names the backend, and puts back what ReverseProxy takes away: the
// request is to reach the instance as the proxy had sent it.
func rewrite(r *httputil.ProxyRequest) {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, is := r.In.Header[name]; is {
			r.Out.Header[name] = values
		}
	}
	p, u := passageOf(r.In.Context()), r.Out.URL
	u.Scheme, u.Host = "http", p.address
	if own := p.lot.host; own != "" && r.In.Host == own {
		r.Out.Host = p.address
	}
	u.RawQuery, u.ForceQuery = r.In.URL.RawQuery, r.In.URL.ForceQuery
	// Package url would write some paths in another way than it read them. Of one
	// that begins with two slashes Opaque would make an address.
	path, _, _ := strings.Cut(r.In.RequestURI, "?")
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		u.Opaque = path
	}
	// The trailers are filled in when the body ends.
	r.Out.Trailer = r.In.Trailer
	if strings.EqualFold(r.Out.Header.Get("Upgrade"), "websocket") {
		spellWebSocket(r.Out.Header)
	}
}

// spellWebSocket writes the headers of a WebSocket as their RFC does, which some
// servers insist on: Traefik sends them so (v3.6.12, pkg/proxy/httputil/proxy.go:
// cleanWebSocketHeaders), and package http has made Sec-Websocket of it.
func spellWebSocket(h http.Header) {
	const read, written = "Sec-Websocket-", "Sec-WebSocket-"
	for _, name := range slices.Collect(maps.Keys(h)) {
		if rest, is := strings.CutPrefix(name, read); is {
			h[written+rest] = h[name]
			delete(h, name)
		}
	}
}

// bufferBytes is what io.Copy has.
const bufferBytes = 32 << 10

// buffers are for bodies of answers: a request has one only while its answer is
// copied.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte { return b.pool.Get().(*[bufferBytes]byte)[:] }

func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferBytes]byte)(buffer)) }
