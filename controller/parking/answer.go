package parking

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-logr/logr"
)

// HeaderParked is on the answers that are the lot's own: refused or failed, and
// why, such as "refused; reason=time".
const HeaderParked = "X-Draingate-Parked"

// retryAfter is what a client is told to wait for: an instance is started in
// some seconds.
const retryAfter = 5 * time.Second

// refuse is the 503 of a request of which nothing was sent.
func (l *Lot) refuse(w http.ResponseWriter, reason Reason) {
	h := w.Header()
	h.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	h.Set(HeaderParked, "refused; reason="+string(reason))
	http.Error(w, fmt.Sprintf("draingate: no instance of %s takes requests, and %s. This one was not sent to any.",
		l.options.Name, l.why(reason)), http.StatusServiceUnavailable)
}

// why has the numbers.
func (l *Lot) why(reason Reason) string {
	total := l.garage.total
	switch reason {
	case ReasonRequests:
		return fmt.Sprintf("%d requests wait for one, which is the most", l.options.Bounds.Requests)
	case ReasonBytes:
		return fmt.Sprintf("the heads of those that wait for one have %d bytes, which is the most", l.options.Bounds.Bytes)
	case ReasonTotalRequests:
		return fmt.Sprintf("%d requests wait here for this and other services, which is the most", total.Requests)
	case ReasonTotalBytes:
		return fmt.Sprintf("the heads of those that wait here for this and other services have %d bytes, which is the most", total.Bytes)
	case ReasonTime:
		return fmt.Sprintf("this request has waited for %s, which is the longest", l.wait())
	case ReasonExpired:
		return "none is waited for any longer"
	default:
		return string(reason)
	}
}

// unanswered is the end of a request that got no answer from its backend: a 502,
// since it may have been processed. ReverseProxy calls it.
func unanswered(w http.ResponseWriter, r *http.Request, err error) {
	p := passageOf(r.Context())
	if r.Context().Err() != nil {
		// Nobody is there any more to read an answer.
		panic(http.ErrAbortHandler)
	}
	if p.close() {
		w.Header().Set(HeaderParked, "failed; reason=request")
		http.Error(w, fmt.Sprintf("draingate: this request cannot be passed on: %v. It was not sent.", err), http.StatusBadRequest)
		return
	}
	if n := p.lot.countFailed(time.Now()); n > 0 {
		logr.FromContextOrDiscard(r.Context()).Info("requests sent to an instance were not answered", "service", p.lot.options.Name, "requests", n,
			"instance", p.address, "error", err.Error())
	}
	w.Header().Set(HeaderParked, "failed; reason=instance")
	http.Error(w, fmt.Sprintf("draingate: the instance of %s at %s took this request and did not answer: %v. It was sent once, and is not sent again.",
		p.lot.options.Name, p.address, err), http.StatusBadGateway)
}

// sayEvery is how often the log tells of requests without an answer: an instance
// that is killed may leave thousands.
const sayEvery = time.Second

// countFailed returns how many the log is to tell of now.
func (l *Lot) countFailed(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.Failed++
	l.unsaid++
	if now.Sub(l.said) < sayEvery {
		return 0
	}
	n := l.unsaid
	l.said, l.unsaid = now, 0
	return n
}
