package harness

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"
)

// once makes every request a single try. net/http sends a request without a
// body a second time when a shared connection turns out to be dead; a client
// that does so hides a loss.
type once struct {
	next    http.RoundTripper
	timeout time.Duration
}

// errReplayed is a request for which net/http took a second connection.
var errReplayed = errors.New("sent twice")

// RoundTrip fails a request that was sent twice, and names the class of a failure.
func (o once) RoundTrip(req *http.Request) (*http.Response, error) {
	var conns atomic.Int32
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { conns.Add(1) }}
	// A time limit of http.Client's own ends in errors that do not say so.
	ctx, cancel := context.WithTimeout(req.Context(), o.timeout)
	resp, err := o.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		defer cancel()
		return nil, classedError{class: classOf(ctx, err), err: err}
	}
	resp.Body = cancelingBody{resp.Body, cancel}
	if conns.Load() > 1 {
		_ = resp.Body.Close()
		return nil, classedError{class: errReplayed.Error(), err: errReplayed}
	}
	return resp, nil
}

// cancelingBody frees the time limit's timer once the body was read.
type cancelingBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b cancelingBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// classedError carries the class of a failure through net/http and vegeta,
// which pass on its text only: the text ends with the class in brackets.
type classedError struct {
	class string
	err   error
}

func (e classedError) Error() string { return e.err.Error() + " [" + e.class + "]" }
func (e classedError) Unwrap() error { return e.err }

// classOf sorts failures into the few classes that tell causes apart.
func classOf(ctx context.Context, err error) string {
	switch {
	case ctx.Err() != nil:
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	default:
		return "failed"
	}
}
