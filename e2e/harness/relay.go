package harness

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// RelayMode is what a Relay does with connections.
type RelayMode int

// The modes of a relay.
const (
	// RelayOpen passes everything on.
	RelayOpen RelayMode = iota
	// RelayRefuse resets every connection, those that exist included.
	RelayRefuse
	// RelayHang accepts connections and never answers; those that exist are reset.
	RelayHang
)

// Relay stands in front of a TCP server and can cut it off from its clients
// while the server itself goes on.
type Relay struct {
	// Addr is the relay's own host:port.
	Addr string

	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	target string
	mode   RelayMode
	conns  map[net.Conn]bool
	closed bool
}

// NewRelay listens on the port of the loopback and relays to target.
func NewRelay(port int, target string) (*Relay, error) {
	l, err := net.Listen("tcp", address(port)) //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, fmt.Errorf("start a relay to %s: %w", target, err)
	}
	r := &Relay{Addr: l.Addr().String(), listener: l, target: target, conns: map[net.Conn]bool{}}
	r.running.Go(r.accept)
	return r, nil
}

// Set changes the mode and resets every connection that exists.
func (r *Relay) Set(mode RelayMode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
	r.reset()
}

// Retarget sends new connections elsewhere and resets those that exist.
func (r *Relay) Retarget(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
	r.reset()
}

// Close ends the relay and every connection. It can be called again.
func (r *Relay) Close() error {
	err := r.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	r.mu.Lock()
	r.closed = true
	r.reset()
	r.mu.Unlock()
	r.running.Wait()
	return err
}

// reset closes what is open, with a TCP reset rather than an orderly end.
func (r *Relay) reset() {
	for c := range r.conns {
		abort(c)
	}
	clear(r.conns)
}

func abort(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func (r *Relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(c) })
	}
}

func (r *Relay) serve(client net.Conn) {
	mode, target := r.admit(client)
	switch mode {
	case RelayRefuse:
		abort(client)
	case RelayHang:
		// Reading until the reset keeps the connection open without an answer.
		_, _ = io.Copy(io.Discard, client)
	default:
		r.pass(client, target)
	}
}

// admit records a connection so that it can be reset.
func (r *Relay) admit(c net.Conn) (RelayMode, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return RelayRefuse, ""
	}
	if r.mode != RelayRefuse {
		r.conns[c] = true
	}
	return r.mode, r.target
}

func (r *Relay) pass(client net.Conn, target string) {
	server, err := net.Dial("tcp", target) //nolint:noctx // over the loopback it hardly waits
	if err != nil {
		r.forget(client)
		return
	}
	if mode, now := r.admit(server); mode != RelayOpen || now != target {
		r.forget(server, client)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { copyThenEnd(server, client) })
	both.Go(func() { copyThenEnd(client, server) })
	both.Wait()
	r.forget(client, server)
}

// copyThenEnd passes on the end of the stream too.
func copyThenEnd(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if t, ok := to.(*net.TCPConn); ok && err == nil {
		_ = t.CloseWrite()
		return
	}
	abort(to)
}

func (r *Relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.conns, c)
		abort(c)
	}
}
