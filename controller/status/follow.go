package status

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrStreamEnded is what Events returns when the stream ended on the other
// side, as it does when the controller restarts or the client was too slow.
var ErrStreamEnded = errors.New("the stream of events ended")

const (
	// silence is how long a stream may say nothing, heartbeats included.
	silence = 3 * heartbeat
	// maxEventLine bounds one line of a stream, in bytes.
	maxEventLine = 1 << 20
)

// Events follows the changes after the event with the ID ("" is from now on,
// "0" all that is kept) and calls each with every one of them, until ctx ends,
// each returns an error, or the stream ends. It does not connect again: the
// caller does, with the ID of the last event. begun is called when the
// endpoint has accepted; it may be nil.
func (c *Client) Events(ctx context.Context, after string, f Filter, begun func(), each func(Event) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(silence, func() {
		cancel(fmt.Errorf("%w: nothing was heard for %s", ErrStreamEnded, silence))
	})
	defer quiet.Stop()
	res, err := c.openStream(ctx, after, f)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer res.Body.Close() //nolint:errcheck // nothing more is wanted of it
	if begun != nil {
		begun()
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 0, 4096), maxEventLine)
	for lines.Scan() {
		quiet.Reset(silence)
		// The data is all that is of use: it has the ID and the type as well.
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return causeOf(ctx, fmt.Errorf("%w: %w", ErrStreamEnded, err))
	}
	return ErrStreamEnded
}

// causeOf prefers what ended the context to what that did to the connection.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (c *Client) openStream(ctx context.Context, after string, f Filter) (*http.Response, error) {
	target := c.base.JoinPath(EventsPath)
	query := url.Values{}
	for key, value := range map[string]string{"namespace": f.Namespace, "job": f.Job} {
		if value != "" {
			query.Set(key, value)
		}
	}
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", target.Redacted(), err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	// The same connections, but no limit on the time of the whole answer.
	res, err := (&http.Client{Transport: c.http.Transport}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); res.StatusCode == http.StatusOK && kind == "text/event-stream" {
		return res, nil
	}
	defer res.Body.Close() //nolint:errcheck // the body was read or is of no use
	if err := decode(res, new(json.RawMessage)); err != nil {
		return nil, fmt.Errorf("read %s: %w", target.Redacted(), err)
	}
	return nil, fmt.Errorf("read %s: %w: no stream of events", target.Redacted(), ErrUnreachable)
}
