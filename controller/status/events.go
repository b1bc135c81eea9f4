package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// What is kept of the events, and how many may listen.
const (
	// MaxEvents bounds the history of all deployments together.
	MaxEvents = 4096
	// MaxEventsEach bounds the history of one deployment, so that one that flaps
	// does not push out the others.
	MaxEventsEach = 256
	// MaxSubscribers bounds the streams that are open at the same time.
	MaxSubscribers = 2000
	// subscriberBuffer is how many events a subscriber may be behind before it
	// is dropped. It comes back with the ID of its last one and loses nothing.
	subscriberBuffer = 128
)

// What can go wrong with a subscription.
var (
	ErrTooManySubscribers = fmt.Errorf("%d streams are open, which is the most there may be", MaxSubscribers)
	ErrEventID            = errors.New("this is no ID of an event")
)

// Filter says which events or deployments are wanted; what is empty fits all.
type Filter struct {
	Namespace, Job string
}

func (f Filter) fits(namespace, job string) bool {
	return (f.Namespace == "" || f.Namespace == namespace) && (f.Job == "" || f.Job == job)
}

// Select returns the deployments that are wanted, in their order.
func (f Filter) Select(all []Deployment) []Deployment {
	out := make([]Deployment, 0, len(all))
	for _, d := range all {
		if f.fits(d.Namespace, d.Job) {
			out = append(out, d)
		}
	}
	return out
}

// kept is an event of the history, encoded once for all that read it.
type kept struct {
	seq   uint64
	key   model.Key
	event Event
	frame []byte
}

// events is the bounded history and those that follow it. Its methods never
// wait for a subscriber.
type events struct {
	mu sync.Mutex
	// epoch tells the IDs of one process from those of another.
	epoch string
	last  uint64
	// lost is the highest number that the history does not have any more.
	lost        uint64
	history     []*kept
	each        map[model.Key]int
	subscribers map[*subscription]struct{}
}

func newEvents() *events {
	return &events{
		epoch: strconv.FormatInt(time.Now().UnixMilli(), 36),
		each:  map[model.Key]int{}, subscribers: map[*subscription]struct{}{},
	}
}

// add gives the events their IDs, keeps them and hands them to the subscribers.
func (l *events) add(key model.Key, list []Event) []Event {
	if len(list) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range list {
		l.last++
		list[i].ID = l.id(l.last)
		k := &kept{seq: l.last, key: key, event: list[i], frame: frame(list[i])}
		l.history = append(l.history, k)
		l.each[key]++
		l.trim(key)
		for s := range l.subscribers {
			l.send(s, k)
		}
	}
	return list
}

func (l *events) id(seq uint64) string { return l.epoch + "-" + strconv.FormatUint(seq, 10) }

// trim drops the oldest of the deployment, or of all, where there are too many.
func (l *events) trim(key model.Key) {
	var at int
	switch {
	case l.each[key] > MaxEventsEach:
		at = slices.IndexFunc(l.history, func(k *kept) bool { return k.key == key })
	case len(l.history) > MaxEvents:
		at = 0
	default:
		return
	}
	gone := l.history[at]
	l.lost = max(l.lost, gone.seq)
	l.history = slices.Delete(l.history, at, at+1)
	l.forgetOne(gone.key)
}

func (l *events) forgetOne(key model.Key) {
	if l.each[key]--; l.each[key] == 0 {
		delete(l.each, key)
	}
}

// send hands an event over without waiting; whoever is too far behind is
// dropped.
func (l *events) send(s *subscription, k *kept) {
	if !s.filter.fits(k.event.Namespace, k.event.Job) {
		return
	}
	select {
	case s.next <- k:
	default:
		delete(l.subscribers, s)
		close(s.next)
	}
}

// forget drops the history of a deployment.
func (l *events) forget(key model.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history = slices.DeleteFunc(l.history, func(k *kept) bool {
		if k.key == key {
			l.lost = max(l.lost, k.seq)
		}
		return k.key == key
	})
	delete(l.each, key)
}

// of returns the events of a deployment, the oldest first.
func (l *events) of(key model.Key) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Event, 0, l.each[key])
	for _, k := range l.history {
		if k.key == key {
			out = append(out, k.event)
		}
	}
	return out
}

// subscription is what one stream gets: first the backlog, then what comes.
type subscription struct {
	filter  Filter
	backlog []*kept
	// next is closed when the subscriber was too slow.
	next chan *kept
}

// subscribe begins after the event with the ID; with none, with what comes.
// An ID of another process, or one whose followers are not kept, begins with a
// gap and all that there is.
func (l *events) subscribe(after string, f Filter) (*subscription, error) {
	epoch, seq, err := parseEventID(after)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.subscribers) >= MaxSubscribers {
		return nil, ErrTooManySubscribers
	}
	s := &subscription{filter: f, next: make(chan *kept, subscriberBuffer)}
	if after != "" {
		same := after == fromStart || epoch == l.epoch && seq <= l.last
		if !same || seq < l.lost {
			s.backlog = append(s.backlog, l.gap())
		}
		if !same {
			seq = 0
		}
		for _, k := range l.history {
			if k.seq > seq && f.fits(k.event.Namespace, k.event.Job) {
				s.backlog = append(s.backlog, k)
			}
		}
	}
	l.subscribers[s] = struct{}{}
	return s, nil
}

func (l *events) unsubscribe(s *subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.subscribers, s)
}

// count is how many follow now.
func (l *events) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.subscribers)
}

// gap has the ID of the last event that is missing.
func (l *events) gap() *kept {
	e := Event{
		Version: EventVersion, ID: l.id(l.lost), Type: EventGap, At: time.Now().UTC(),
		Message: "events in between are not kept any more: read /v1/deployments for what stands now",
	}
	return &kept{seq: l.lost, event: e, frame: frame(e)}
}

// fromStart stands for an ID before all others.
const fromStart = "0"

// parseEventID reads an ID; none and fromStart have no epoch.
func parseEventID(id string) (epoch string, seq uint64, err error) {
	if id == "" || id == fromStart {
		return "", 0, nil
	}
	epoch, number, ok := strings.Cut(id, "-")
	if ok && len(id) <= 64 && epoch != "" {
		seq, err = strconv.ParseUint(number, 10, 64)
	}
	if !ok || err != nil || len(id) > 64 || epoch == "" {
		return "", 0, ErrEventID
	}
	return epoch, seq, nil
}

// frame is an event as a stream has it. JSON has no line breaks, so one line
// of data is enough.
func frame(e Event) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		data = []byte(`{}`) // not possible: an Event has nothing that JSON lacks
	}
	return fmt.Appendf(nil, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, data)
}
