package parking

import (
	"context"
	"net"
	"net/http"
	"syscall"
)

// client is the connection that a request came on; its zero value is one that
// nothing is known of.
type client struct {
	conn net.Conn
	raw  syscall.RawConn
}

type clientKey struct{}

// withClient remembers a connection for all of its requests.
func withClient(ctx context.Context, conn net.Conn) context.Context {
	c, is := conn.(syscall.Conn)
	if !is {
		return ctx
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return ctx
	}
	return context.WithValue(ctx, clientKey{}, client{conn: conn, raw: raw})
}

func clientOf(r *http.Request) client {
	c, _ := r.Context().Value(clientKey{}).(client)
	return c
}

// gone tells whether the client has closed the connection, its sending half at
// least: a proxy never closes that half alone. What cannot be known is taken for
// a client that is there.
//
// The close of a client that has more of a body to send than fits into the
// buffers of the connection comes after that body, so it is not seen here.
func (c client) gone() bool {
	if c.raw == nil {
		return false
	}
	gone := false
	err := c.raw.Control(func(fd uintptr) { gone = closed(fd) })
	// A connection that is closed on our side cannot be asked.
	return gone || err != nil
}
