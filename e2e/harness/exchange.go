package harness

import (
	"bytes"
	"context"
	"encoding/json"
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

// Where Nomad takes promotions, and pauses and their ends, before the deployment's
// ID (nomad v1.11.3, command/agent/deployment_endpoint.go).
const (
	promotePath = "/v1/deployment/promote/"
	pausePath   = "/v1/deployment/pause/"
)

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
	// call is nil for everything else. The API's lock guards it.
	call *Call
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
		x.arrive(r, body)
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

// arrive counts a write, and lets the hooks see a promotion or the end of a pause.
func (x *exchange) arrive(r *http.Request, body []byte) {
	f := x.api
	promoted, resumed := calls(r, body)
	f.mu.Lock()
	if promoted == "" {
		f.writes[r.URL.Path]++
	}
	var hook func(string)
	switch {
	case promoted != "":
		x.call, hook = &Call{DeploymentID: promoted, Arrived: time.Now()}, f.onPromote
		f.promotions = append(f.promotions, x.call)
	case resumed != "":
		x.call, hook = &Call{DeploymentID: resumed, Arrived: time.Now()}, f.onResume
		f.resumes = append(f.resumes, x.call)
	default:
		f.mu.Unlock()
		return
	}
	id := x.call.DeploymentID
	f.mu.Unlock()
	if hook != nil {
		hook(id)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x.call.Fault = f.fault
}

// calls returns the deployment that a request promotes, or whose pause it ends;
// empty for any other.
func calls(r *http.Request, body []byte) (promoted, resumed string) {
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		return "", ""
	}
	if id, ok := strings.CutPrefix(r.URL.Path, promotePath); ok {
		return id, ""
	}
	var pause struct{ Pause *bool }
	id, ok := strings.CutPrefix(r.URL.Path, pausePath)
	if !ok || json.Unmarshal(body, &pause) != nil || pause.Pause == nil || *pause.Pause {
		return "", ""
	}
	return "", id
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
	if x.call != nil {
		x.call.Forwarded = x.fault != Fault429 && x.fault != Fault500
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
	if x.call != nil && x.client.Err() == nil {
		x.call.Answered = code
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
	if x.call != nil {
		x.api.mu.Lock()
		x.call.Status = resp.StatusCode
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
	default: // no other fault lets an answer come, to be disturbed
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
