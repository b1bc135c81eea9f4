package webhook

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// The bounds of a Sender.
const (
	// QueueSize is how many events may wait; the oldest makes room for another.
	QueueSize = 512
	// RetryFor is how long one event is tried.
	RetryFor = 2 * time.Minute
	// DrainTimeout is how long after its end a Sender goes on with what waits.
	DrainTimeout = 3 * time.Second
	// requestTimeout bounds one attempt.
	requestTimeout = 10 * time.Second
	retryFirst     = 500 * time.Millisecond
	retryMost      = 30 * time.Second
)

// The results of one event.
const (
	// Sent: the receiver answered with 2xx.
	Sent = "sent"
	// Failed: the receiver refused it, or did not take it within RetryFor.
	Failed = "failed"
	// Dropped: it had to make room, or the process ended.
	Dropped = "dropped"
)

// Results returns all results.
func Results() []string { return []string{Sent, Failed, Dropped} }

// Options say where to send and how to sign.
type Options struct {
	// URL is where events are posted. It may hold credentials.
	URL string
	// Secret signs every request; empty for no signature. One that begins with
	// whsec_ is base64 after that, as Standard Webhooks has it.
	Secret string
	// UserAgent is sent along.
	UserAgent string
	// Done is told the result of every event; it may be nil.
	Done func(result string)
}

// Event is what is posted: the ID, by which a receiver tells a repetition, and
// a body of JSON.
type Event struct {
	ID   string
	Body []byte
}

// Sender sends events one after another. Make one with New.
type Sender struct {
	url    string
	shown  string
	agent  string
	key    []byte
	client *http.Client
	done   func(string)

	mu      sync.Mutex
	waiting []Event
	// more has room for one, so that a signal is never lost and never waits.
	more chan struct{}
}

// New returns a Sender that posts nothing until Run. The error says what of
// the options is wrong, and never shows the URL.
func New(o Options) (*Sender, error) {
	target, err := url.Parse(o.URL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, fmt.Errorf("this is no URL of a webhook: give one such as https://hooks.example.com/draingate")
	}
	key, err := signingKey(o.Secret)
	if err != nil {
		return nil, err
	}
	if o.Done == nil {
		o.Done = func(string) {}
	}
	return &Sender{
		url: o.URL, shown: target.Scheme + "://" + target.Host, agent: o.UserAgent, key: key, done: o.Done, more: make(chan struct{}, 1),
		client: &http.Client{
			Timeout:   requestTimeout,
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment},
			// A body that was signed for one place is not for another.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Send queues an event and returns at once. Events are sent in the order of
// the calls.
func (s *Sender) Send(e Event) {
	s.mu.Lock()
	s.waiting = append(s.waiting, e)
	full := len(s.waiting) > QueueSize
	if full {
		s.waiting[0] = Event{}
		s.waiting = s.waiting[1:]
	}
	s.mu.Unlock()
	if full {
		s.done(Dropped)
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// Depth is how many events wait.
func (s *Sender) Depth() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

func (s *Sender) next() (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return Event{}, false
	}
	e := s.waiting[0]
	s.waiting[0] = Event{}
	s.waiting = s.waiting[1:]
	return e, true
}

// Run sends until ctx ends, and then what still waits for at most
// DrainTimeout. It always returns nil.
func (s *Sender) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	// Requests outlive ctx by as much as there is to drain.
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(DrainTimeout, stop) })()
	for {
		for e, ok := s.next(); ok; e, ok = s.next() {
			s.deliver(sending, e)
		}
		select {
		case <-ctx.Done():
			if s.Depth() == 0 {
				return nil
			}
		case <-s.more:
		}
	}
}

// deliver sends one event, and counts and logs what became of it.
func (s *Sender) deliver(ctx context.Context, e Event) {
	log := logr.FromContextOrDiscard(ctx).WithValues("webhook", s.shown, "event", e.ID)
	switch err := s.try(ctx, e); {
	case err == nil:
		log.V(1).Info("webhook sent")
		s.done(Sent)
	case ctx.Err() != nil:
		log.Info("webhook dropped at the end", "why", err.Error())
		s.done(Dropped)
	default:
		log.Error(err, "webhook not sent")
		s.done(Failed)
	}
}
