package harness

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// once makes every request a single try. net/http sends a request without a
// body a second time when a shared connection turns out to be dead; a client
// that does so hides a loss.
type once struct{ next http.RoundTripper }

// errReplayed is a request for which net/http took a second connection.
var errReplayed = errors.New("sent twice")

// RoundTrip fails a request that was sent twice, and names the class of a failure.
func (o once) RoundTrip(req *http.Request) (*http.Response, error) {
	var conns atomic.Int32
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { conns.Add(1) }}
	resp, err := o.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, classedError{class: classOf(req.Context(), err), err: err}
	}
	if conns.Load() > 1 {
		_ = resp.Body.Close()
		return nil, classedError{class: errReplayed.Error(), err: errReplayed}
	}
	return resp, nil
}

// classedError carries the class of a failure through net/http and vegeta,
// which pass on its text only: the text ends with the class in brackets.
type classedError struct {
	class string
	err   error
}

func (e classedError) Error() string { return e.err.Error() + " [" + e.class + "]" }
func (e classedError) Unwrap() error { return e.err }

// classOf sorts failures into the few classes that tell causes apart. Nothing
// ends a request's context but its time limit, and net/http does not always
// return an error that says so.
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
