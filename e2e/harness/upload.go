package harness

import (
	"context"
	"io"
	"net/http"
	"time"
)

// uploadPieces are what a slow upload is sent in.
const uploadPieces = 20

// slowly sends the bodies of requests over a time, in pieces of one size.
type slowly struct {
	next   http.RoundTripper
	during time.Duration
}

// RoundTrip passes the request on with a body that takes its time.
func (s slowly) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.during == 0 || req.Body == nil {
		return s.next.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	// Without it net/http cannot send the body again, however fast.
	req.GetBody = nil
	req.Body = &slowBody{
		ReadCloser: req.Body, ctx: req.Context(), pause: s.during / uploadPieces,
		piece: max(1, int(req.ContentLength/uploadPieces)),
	}
	return s.next.RoundTrip(req)
}

// slowBody gives at most a piece of the body after each pause.
type slowBody struct {
	io.ReadCloser
	ctx   context.Context //nolint:containedctx // A body has no other way to learn that its request ended.
	pause time.Duration
	piece int
	left  int
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		select {
		case <-time.After(b.pause):
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
		b.left = b.piece
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
