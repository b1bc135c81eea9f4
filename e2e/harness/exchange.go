package harness

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// promotePath is where Nomad takes promotions, before the deployment's ID
// (nomad v1.11.3, command/agent/deployment_endpoint.go).
const promotePath = "/v1/deployment/promote/"

// indexHeaders have the index that a blocking query waits to change.
func indexHeaders() []string { return []string{"X-Nomad-Index", "X-Consul-Index"} }

var (
	errFaultCut  = errors.New("the answer is cut off here")
	errFaultGone = errors.New("nobody waits for the answer")
)

// exchange is one request through a FaultyAPI and its answer.
type exchange struct {
	api  *FaultyAPI
	read bool
	// fault is what it met when it was passed on.
	fault  Fault
	target *url.URL
	// promotion is nil for everything else. The API's lock guards it.
	promotion *Promotion
	// client ends when the client has gone away.
	client context.Context
	conn   net.Conn
}

type connKey struct{}

// withConn keeps the connection, which a handler has no other way to reset.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

func (f *FaultyAPI) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{api: f, read: r.Method == http.MethodGet || r.Method == http.MethodHead, client: r.Context()}
	x.conn, _ = r.Context().Value(connKey{}).(net.Conn)
	// The server sees that a client goes away only when the body was read.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		x.reset()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	parent := r.Context()
	if !x.read {
		x.arrive(r)
		parent = context.WithoutCancel(parent)
	}
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	if !x.admit(ctx, cancel) {
		x.reset()
	}
	defer f.forget(x)
	switch x.fault {
	case Fault429:
		x.refuse(w, http.StatusTooManyRequests)
	case Fault500:
		x.refuse(w, http.StatusInternalServerError)
	default:
		x.proxy().ServeHTTP(w, r.WithContext(ctx))
	}
}

// arrive counts a write, and lets the hook see a promotion.
func (x *exchange) arrive(r *http.Request) {
	f := x.api
	id, promotes := strings.CutPrefix(r.URL.Path, promotePath)
	f.mu.Lock()
	if !promotes || (r.Method != http.MethodPut && r.Method != http.MethodPost) {
		f.writes[r.URL.Path]++
		f.mu.Unlock()
		return
	}
	x.promotion = &Promotion{DeploymentID: id, Arrived: time.Now()}
	f.promotions = append(f.promotions, x.promotion)
	hook := f.onPromote
	f.mu.Unlock()
	if hook != nil {
		hook(id)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x.promotion.Fault = f.fault
}

// admit waits while the API hangs and takes the fault that is in force then.
// It reports false where there is nothing left to do.
func (x *exchange) admit(ctx context.Context, cancel context.CancelFunc) bool {
	f := x.api
	for {
		f.mu.Lock()
		if f.fault != FaultHang {
			defer f.mu.Unlock()
			return x.begin(cancel)
		}
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		case <-f.closed:
			return false
		}
	}
}

// begin is called with the API's lock held.
func (x *exchange) begin(cancel context.CancelFunc) bool {
	f := x.api
	select {
	case <-f.closed:
		return false
	default:
	}
	x.fault, x.target = f.fault, f.target
	f.open[x] = cancel
	if x.promotion != nil {
		x.promotion.Forwarded = x.fault != Fault429 && x.fault != Fault500
	}
	return true
}

func (f *FaultyAPI) forget(x *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, x)
}

// refuse answers in the server's place.
func (x *exchange) refuse(w http.ResponseWriter, code int) {
	x.answered(code)
	http.Error(w, "injected: "+http.StatusText(code), code)
}

// answered records what the client gets.
func (x *exchange) answered(code int) {
	f := x.api
	f.mu.Lock()
	defer f.mu.Unlock()
	if x.promotion != nil && x.client.Err() == nil {
		x.promotion.Answered = code
	}
}

func (x *exchange) proxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(x.target) },
		Transport:      x.api.transport,
		FlushInterval:  -1,
		ModifyResponse: x.disturb,
		// Where the server itself cannot be reached, a client without the API
		// between would see a connection that ends.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { x.reset() },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
}

// disturb does to an answer what the fault asks for.
func (x *exchange) disturb(resp *http.Response) error {
	if x.promotion != nil {
		x.api.mu.Lock()
		x.promotion.Status = resp.StatusCode
		x.api.mu.Unlock()
	}
	switch x.fault {
	case FaultLate:
		if err := x.delay(resp); err != nil {
			return err
		}
	case FaultCut:
		return x.cut(resp)
	case FaultIndexBack:
		x.lower(resp)
	}
	x.answered(resp.StatusCode)
	return nil
}

// delay keeps the answer back, all of it: a server that dies meanwhile has
// answered.
func (x *exchange) delay(resp *http.Response) error {
	body, err := readBody(resp)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	timer := time.NewTimer(x.api.late)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-x.client.Done():
	case <-resp.Request.Context().Done():
	case <-x.api.closed:
	}
	return errFaultGone
}

// cut leaves half of the body under the header of the whole.
func (x *exchange) cut(resp *http.Response) error {
	body, err := readBody(resp)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return errFaultCut
	}
	x.linger()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), failingReader{}))
	return nil
}

func readBody(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	return io.ReadAll(resp.Body)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errFaultCut }

// lower takes the index back, further with each answer, so that none follows
// from the one before.
func (x *exchange) lower(resp *http.Response) {
	f, path := x.api, resp.Request.URL.Path
	for _, name := range indexHeaders() {
		index, err := strconv.ParseUint(resp.Header.Get(name), 10, 64)
		if err != nil {
			continue
		}
		f.mu.Lock()
		if last := f.lowered[path]; last > 1 {
			index = last - 1
		} else {
			index = max(index/2, 1)
		}
		f.lowered[path] = index
		f.mu.Unlock()
		resp.Header.Set(name, strconv.FormatUint(index, 10))
	}
}

// linger makes the end of the connection a reset rather than an orderly one.
func (x *exchange) linger() {
	if t, ok := x.conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
}

// reset ends the connection without another byte, and with it the handler.
func (x *exchange) reset() {
	x.linger()
	panic(http.ErrAbortHandler)
}
