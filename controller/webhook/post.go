package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-logr/logr"
)

// try posts until the receiver takes the event, refuses it, or the time is up.
func (s *Sender) try(ctx context.Context, e Event) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = retryFirst, retryMost
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, s.post(ctx, e) },
		backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(RetryFor),
		backoff.WithNotify(func(err error, in time.Duration) {
			logr.FromContextOrDiscard(ctx).V(1).Info("webhook retrying", "webhook", s.shown, "event", e.ID, "in", in.String(), "why", err.Error())
		}))
	if err != nil {
		return fmt.Errorf("post event %s to %s: %w", e.ID, s.shown, err)
	}
	return nil
}

// post makes one attempt. Its time is in the signature, so each has its own.
func (s *Sender) post(ctx context.Context, e Event) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(e.Body))
	if err != nil {
		return backoff.Permanent(withoutURL(err))
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	req.Header.Set(HeaderID, e.ID)
	req.Header.Set(HeaderTimestamp, now)
	if s.key != nil {
		req.Header.Set(HeaderSignature, sign(s.key, e.ID, now, e.Body))
	}
	res, err := s.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer res.Body.Close() //nolint:errcheck // the answer is of no use
	// So that the connection can be used again.
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	return verdict(res)
}

// verdict tells what may pass from what will not.
func verdict(res *http.Response) error {
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return fmt.Errorf("the receiver answered %d", code)
	case code >= 300 && code < 400:
		return backoff.Permanent(fmt.Errorf("the receiver answered %d: give the URL that it leads to", code))
	default:
		return backoff.Permanent(fmt.Errorf("the receiver answered %d and will not take it", code))
	}
}

// withoutURL keeps of an error of package http what does not show the URL.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
