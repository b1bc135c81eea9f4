package status

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// DefaultListen is where the endpoint listens unless told otherwise. It is on
// loopback because the endpoint asks nobody who they are.
const DefaultListen = "127.0.0.1:4689"

// ShutdownTimeout bounds how long Serve waits for answers under way.
const ShutdownTimeout = 3 * time.Second

// The server's limits on one connection.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
)

// Server is an HTTP server whose listener is bound. Make one with Listen.
type Server struct {
	listener net.Listener
	http     *http.Server
	// end ends the streams, which would otherwise last as long as their clients.
	end context.CancelFunc
}

// Listen binds the address, so that a port in use is an error before anything
// else starts. Port 0 takes a free one: see Addr. Serve must follow, or Close.
func Listen(ctx context.Context, addr string, handler http.Handler) (*Server, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for the status endpoint: %w", addr, err)
	}
	ending, end := context.WithCancel(context.WithoutCancel(ctx))
	server := &http.Server{
		Handler:           streams(ending, handler),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	server.RegisterOnShutdown(end)
	return &Server{listener: listener, http: server, end: end}, nil
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close closes the listener of a server that will not be served.
func (s *Server) Close() error {
	s.end()
	return s.listener.Close()
}

// Serve answers until ctx is done, then lets answers under way finish for at
// most ShutdownTimeout. It returns nil after a shutdown that ctx asked for,
// also where some answers had to be cut off.
func (s *Server) Serve(ctx context.Context) error {
	defer s.end()
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the status endpoint on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	err := s.shutdown(ctx)
	<-failed
	return err
}

func (s *Server) shutdown(ctx context.Context) error {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), ShutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(limit); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.http.Close()
}
