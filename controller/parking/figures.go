package parking

import "time"

// Reason is why a request was not passed on. It stands in HeaderParked.
type Reason string

// The reasons. Those of a 503 mean that nothing of the request was sent.
const (
	// ReasonRequests is a 503: as many requests wait at this lot as may.
	ReasonRequests Reason = "requests"
	// ReasonBytes is a 503: the heads of those that wait here have as many bytes as
	// they may.
	ReasonBytes Reason = "bytes"
	// ReasonTotalRequests and ReasonTotalBytes are the same over all lots.
	ReasonTotalRequests Reason = "total-requests"
	ReasonTotalBytes    Reason = "total-bytes"
	// ReasonTime is a 503: the request waited for as long as one may.
	ReasonTime Reason = "time"
	// ReasonExpired is a 503: the service is not waited for any longer.
	ReasonExpired Reason = "expired"
)

// Reasons returns all reasons of a refusal, in the order of their declaration.
func Reasons() []Reason {
	return []Reason{ReasonRequests, ReasonBytes, ReasonTotalRequests, ReasonTotalBytes, ReasonTime, ReasonExpired}
}

// Figures are what a lot, or all of them, did and do.
type Figures struct {
	// Waiting is how many requests wait now, Bytes what their heads have, and
	// Oldest for how long the first of them has waited.
	Waiting int
	Bytes   int64
	Oldest  time.Duration
	// Peak is the highest Waiting, Longest the longest wait of any that ended,
	// however it did.
	Peak    int
	Longest time.Duration
	// UnderWay is how many requests are at an instance now; Upgrades of them are
	// connections that have changed their protocol, such as WebSockets.
	UnderWay int
	Upgrades int
	// Forwarded is how many went to an instance without having waited, Released
	// how many after a wait.
	Forwarded uint64
	Released  uint64
	// Refused is how many got a 503, by reason. All reasons are there.
	Refused map[Reason]uint64
	// Gone is how many clients left before anything was sent.
	Gone uint64
	// Failed is how many got a 502: sent, and never answered.
	Failed uint64
	// Broken is how many ended in the middle: the client left after the request was
	// sent, or the instance did before its answer was complete.
	Broken uint64
	// FailedDials is how many connections to an instance could not be made. Their
	// requests were not sent and waited on.
	FailedDials uint64
}

func newFigures() Figures {
	f := Figures{Refused: map[Reason]uint64{}}
	for _, r := range Reasons() {
		f.Refused[r] = 0
	}
	return f
}

// add adds another lot's figures; of Peak and of times the largest stays.
func (f *Figures) add(other Figures) {
	f.Waiting += other.Waiting
	f.Bytes += other.Bytes
	f.UnderWay += other.UnderWay
	f.Upgrades += other.Upgrades
	f.Forwarded += other.Forwarded
	f.Released += other.Released
	f.Gone += other.Gone
	f.Failed += other.Failed
	f.Broken += other.Broken
	f.FailedDials += other.FailedDials
	f.Peak = max(f.Peak, other.Peak)
	f.Oldest = max(f.Oldest, other.Oldest)
	f.Longest = max(f.Longest, other.Longest)
	for _, r := range Reasons() {
		f.Refused[r] += other.Refused[r]
	}
}

// Figures are those of now.
func (l *Lot) Figures() Figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := newFigures()
	out.add(l.figures)
	if first := l.queue.Front(); first != nil {
		out.Oldest = time.Since(asWaiter(first).since)
	}
	return out
}
