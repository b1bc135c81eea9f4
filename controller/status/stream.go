package status

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// EventsPath is where the stream of events is.
const EventsPath = "/v1/events"

const (
	// heartbeat is how often a stream says something though nothing happened,
	// so that clients and proxies in between know that it lives.
	heartbeat = 15 * time.Second
	// streamWriteTimeout bounds one write to a stream; a client that reads
	// nothing for so long is dropped.
	streamWriteTimeout = 10 * time.Second
	// reconnectAfter is when a client whose stream ended comes back.
	reconnectAfter = 2 * time.Second
)

// streams gives requests for events what a stream needs: no deadline for the
// whole of it but one for each write, and an end when the server shuts down. It
// stands around whatever handler there is, also one that passes the request on
// to another instance.
func streams(ending context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != EventsPath {
			next.ServeHTTP(w, r)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			fail(w, http.StatusBadRequest, "a request for events has no body")
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ending, cancel)()
		next.ServeHTTP(streamWriter{w, http.NewResponseController(w)}, r.WithContext(ctx))
	})
}

// streamWriter sets a deadline before each write.
type streamWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write writes, or fails after streamWriteTimeout.
func (s streamWriter) Write(b []byte) (int, error) {
	s.extend()
	return s.ResponseWriter.Write(b)
}

// FlushError flushes, or fails after streamWriteTimeout.
func (s streamWriter) FlushError() error {
	s.extend()
	return s.control.Flush()
}

// Unwrap returns the writer below, for http.ResponseController.
func (s streamWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// extend is in vain with a writer that has no connection, as in tests.
func (s streamWriter) extend() {
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
}

// events is a stream of server-sent events (WHATWG HTML, 9.2). It ends when
// the client goes, is too slow, or the server shuts down.
func (h handler) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = query.Get("after")
	}
	sub, err := h.Store.events.subscribe(after, Filter{Namespace: query.Get("namespace"), Job: query.Get("job")})
	switch {
	case errors.Is(err, ErrTooManySubscribers):
		w.Header().Set("Retry-After", "5")
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	case err != nil:
		fail(w, http.StatusBadRequest, fmt.Sprintf("Last-Event-ID, or ?after=: %s: give one as /v1/events has it, or 0 for all that is kept", err))
		return
	}
	defer h.Store.events.unsubscribe(sub)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would wait for more
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	out := stream{w, http.NewResponseController(w)}
	if out.send(fmt.Appendf(nil, "retry: %d\n\n", reconnectAfter.Milliseconds())) == nil && out.backlog(sub.backlog) == nil {
		sub.backlog = nil
		out.follow(r.Context(), sub.next)
	}
}

// stream is one client's answer.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s stream) send(frame []byte) error {
	if _, err := s.w.Write(frame); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s stream) backlog(list []*kept) error {
	for _, k := range list {
		if err := s.send(k.frame); err != nil {
			return err
		}
	}
	return nil
}

// follow sends what comes until something ends the stream.
func (s stream) follow(ctx context.Context, next <-chan *kept) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		frame := []byte(": still here\n\n")
		select {
		case <-ctx.Done():
			return
		case k, open := <-next:
			if !open {
				return
			}
			frame = k.frame
		case <-beat.C:
		}
		if s.send(frame) != nil {
			return
		}
	}
}
