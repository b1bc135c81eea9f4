package parking

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// serve passes a request on, now or when there is an instance that takes it.
func (l *Lot) serve(w http.ResponseWriter, r *http.Request) {
	if l.checked(w, r) {
		return
	}
	if l.begin() && r.Header.Get("Upgrade") == "" {
		// The proxy then closes the connection by itself: it knows that none of its
		// requests is on its way. An answer to an upgrade has its own word there.
		w.Header().Set("Connection", "close")
	}
	defer l.end()
	if r.Method == http.MethodConnect {
		http.Error(w, "draingate: a tunnel (CONNECT) cannot be parked for", http.StatusNotImplemented)
		return
	}
	p, err := l.passage(r)
	if refused, is := errors.AsType[refusal](err); is {
		l.refuse(w, Reason(refused))
		return
	}
	if err != nil {
		// Nobody is there any more to read an answer.
		panic(http.ErrAbortHandler)
	}
	l.forward(w, r, p)
}

// begin returns whether the lot is about to close.
func (l *Lot) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handling++
	l.last = time.Now()
	return l.leaving
}

func (l *Lot) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handling--
}

// passage is a connection to a backend that one request was given.
type passage struct {
	lot    *Lot
	slot   *slot
	client client
	// address is the backend's.
	address string
	// header is that of the answer.
	header http.Header
	// conn has the connection until it is handed over.
	conn chan net.Conn
	// upgraded is true once the answer has changed the protocol.
	upgraded bool
}

// passage waits for a turn and for a connection. Its error is a refusal or
// errGone, and then nothing was sent.
func (l *Lot) passage(r *http.Request) (*passage, error) {
	w := &waiter{client: clientOf(r), head: headOf(r), answer: make(chan turn, 1)}
	for {
		s, err := l.turn(r.Context(), w)
		if err != nil {
			return nil, l.settle(w, err)
		}
		conn, err := l.dial(r.Context(), w, s)
		err = l.land(w, s, err, r.Context().Err() != nil || w.client.gone())
		if err == nil {
			p := &passage{lot: l, slot: s, client: w.client, address: s.backend.Address, conn: make(chan net.Conn, 1)}
			p.conn <- conn
			return p, nil
		}
		if conn != nil {
			_ = conn.Close() // nothing was sent on it
		}
		if !errors.Is(err, errAgain) {
			return nil, l.settle(w, err)
		}
	}
}

// dial makes the request's own connection: one that had served another request
// could be about to close, and package http would then send some requests again.
func (l *Lot) dial(ctx context.Context, w *waiter, s *slot) (net.Conn, error) {
	end := time.Now().Add(dialTime)
	if w.until.Before(end) {
		end = w.until
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	return l.garage.dialer.DialContext(ctx, "tcp", s.backend.Address)
}

// land looks at what a dial has come to. With an error the turn is over and
// nothing may be sent; errAgain means that the request is to wait for another one.
func (l *Lot) land(w *waiter, s *slot, failed error, gone bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := s.backend
	if failed == nil {
		b.suspect = false
	} else if !gone {
		// A client that leaves ends the dial, which says nothing of the backend.
		b.suspect, b.notBefore = true, now.Add(retryPause)
		l.figures.FailedDials++
	}
	switch {
	case gone:
		l.giveBack(s)
		return errGone
	case failed != nil || b.ended(now):
		l.giveBack(s)
		return errAgain
	}
	b.dialing--
	if w.kept {
		l.figures.Released++
	} else {
		l.figures.Forwarded++
	}
	l.figures.UnderWay++
	l.unkeep(w)
	l.dispatch(now)
	return nil
}

// settle counts a request that ends without anything sent.
func (l *Lot) settle(w *waiter, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unkeep(w)
	if refused, is := errors.AsType[refusal](err); is {
		l.figures.Refused[Reason(refused)]++
	} else {
		l.figures.Gone++
	}
	return err
}

// headOf is how many bytes the line and the headers had, to within a few.
func headOf(r *http.Request) int64 {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len(r.Host) + len("  \r\nHost: \r\n\r\n")
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return int64(size)
}
