package harness

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LoadReport is what became of the requests of a load.
type LoadReport struct {
	// Requests are those that were answered or given up, and those that were
	// due and never sent.
	Requests int
	// Lost are requests answered by anything but the expected status, failed,
	// not answered in time, or not sent on schedule.
	Lost int
	// LostBy counts the lost by kind: the status code, or one of "refused",
	// "reset", "closed", "timeout", "failed", "truncated", "sent twice",
	// "garbled", "late" and "not sent".
	LostBy map[string]int
	// Versions counts the good answers by the version that gave them.
	Versions map[string]int
	// Gap is the longest time between the sending of two good requests that
	// follow each other, start and end of the load counted as good.
	Gap time.Duration
	// Slowest is the longest time a good answer took: the longest wait.
	Slowest time.Duration
	// Began and Ended are the start of the load and the end of its schedule.
	Began, Ended time.Time
	// Seconds has an element for each second in which requests were sent.
	Seconds []LoadSecond
}

// LoadSecond counts the requests sent in one second of the load.
type LoadSecond struct {
	Good, Lost int
}

// Success is the share of good answers in percent, 0 without any request.
func (r LoadReport) Success() float64 {
	if r.Requests == 0 {
		return 0
	}
	return 100 * float64(r.Requests-r.Lost) / float64(r.Requests)
}

// String is one line for people.
func (r LoadReport) String() string {
	s := fmt.Sprintf("%d requests, %d lost, %.2f %% good, longest gap %s, longest wait %s",
		r.Requests, r.Lost, r.Success(), r.Gap.Round(time.Millisecond), r.Slowest.Round(time.Millisecond))
	if r.Lost > 0 {
		s += " (" + joinCounts(r.LostBy) + ")"
	}
	return s + "; answers by version: " + joinCounts(r.Versions)
}

// LostAt says in which seconds how many requests were lost that had been sent,
// for comparison with the logs.
func (r LoadReport) LostAt() string {
	var parts []string
	for i, second := range r.Seconds {
		if second.Lost > 0 {
			parts = append(parts, fmt.Sprintf("%d in the second from %s", second.Lost, r.Began.Add(time.Duration(i)*time.Second).UTC().Format("15:04:05.000")))
		}
	}
	return strings.Join(parts, ", ")
}

func joinCounts(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+": "+strconv.Itoa(m[k]))
	}
	return strings.Join(parts, ", ")
}

// The kinds of loss that neither a status code nor a failed call names.
const (
	lostLate      = "late"
	lostNotSent   = "not sent"
	lostTruncated = "truncated"
	lostGarbled   = "garbled"
)

// sent is one request that was sent, and its answer.
type sent struct {
	seq     uint64
	at      time.Time
	took    time.Duration
	status  int
	err     string
	version string
	// garbled is an answer to another body than the one that was sent.
	garbled bool
}

// outcome is what the gap needs to know of a request.
type outcome struct {
	at   time.Time
	good bool
}

// counter counts requests as they are answered. Its memory grows by one
// LoadSecond a second; waiting holds no more than can be in flight.
type counter struct {
	opts    LoadOptions
	began   time.Time
	stopped time.Time

	total LoadReport
	// Answers come out of order; the gap is taken in the order of sending.
	waiting map[uint64]outcome
	next    uint64
	gapFrom time.Time
	sent    uint64
}

func newCounter(opts LoadOptions, began time.Time) counter {
	return counter{
		opts: opts, began: began, gapFrom: began, waiting: map[uint64]outcome{},
		total: LoadReport{LostBy: map[string]int{}, Versions: map[string]int{}},
	}
}

// slot is the time at which a request was due.
func (c *counter) slot(seq uint64) time.Time {
	return c.began.Add(time.Duration(seq+1) * c.opts.interval())
}

func (c *counter) add(r sent) {
	kind := c.kind(r)
	c.sent++
	c.total.Requests++
	second := c.second(r.at)
	if kind == "" {
		second.Good++
		c.total.Versions[r.version]++
		c.total.Slowest = max(c.total.Slowest, r.took)
	} else {
		second.Lost++
		c.lose(kind, 1)
	}
	c.waiting[r.seq] = outcome{at: r.at, good: kind == ""}
	c.advance()
}

// kind names the loss, and is empty for a good request.
func (c *counter) kind(r sent) string {
	good := r.status/100 == 2
	if c.opts.Status != 0 {
		good = r.status == c.opts.Status
	}
	switch {
	case r.status != 0 && !good:
		return strconv.Itoa(r.status)
	case r.status == 0:
		return errorClass(r.err)
	case r.garbled:
		return lostGarbled
	case r.took > c.opts.Timeout:
		return "timeout"
	case r.at.Sub(c.slot(r.seq)) > c.opts.Late:
		return lostLate
	default:
		return ""
	}
}

// errorClass finds the class that once appended. What has none failed after
// the header had come, while the body was read.
func errorClass(text string) string {
	from, to := strings.LastIndexByte(text, '['), strings.LastIndexByte(text, ']')
	if from < 0 || to < from {
		return lostTruncated
	}
	return text[from+1 : to]
}

func (c *counter) lose(kind string, n int) {
	if n > 0 {
		c.total.Lost += n
		c.total.LostBy[kind] += n
	}
}

func (c *counter) second(at time.Time) *LoadSecond {
	i := max(0, int(at.Sub(c.began)/time.Second))
	for len(c.total.Seconds) <= i {
		c.total.Seconds = append(c.total.Seconds, LoadSecond{})
	}
	return &c.total.Seconds[i]
}

// advance moves the gap along the requests that are known without a hole.
func (c *counter) advance() {
	for {
		o, ok := c.waiting[c.next]
		if !ok {
			return
		}
		delete(c.waiting, c.next)
		c.next++
		if o.good {
			c.total.Gap = max(c.total.Gap, o.at.Sub(c.gapFrom))
			c.gapFrom = o.at
		}
	}
}

// report copies the count so far.
func (c *counter) report(now time.Time) LoadReport {
	r := c.total
	r.LostBy, r.Versions = maps.Clone(r.LostBy), maps.Clone(r.Versions)
	r.Seconds = slices.Clone(r.Seconds)
	r.Began, r.Ended = c.began, now
	return r
}

// final adds what was due and not sent, and the gap up to the end.
func (c *counter) final() LoadReport {
	missing := c.due() - c.sent
	if c.sent > c.due() {
		missing = 0
	}
	r := c.report(c.stopped)
	r.Gap = max(r.Gap, c.stopped.Sub(c.gapFrom))
	if missing > 0 {
		r.Requests += int(missing)
		r.Lost += int(missing)
		r.LostBy[lostNotSent] += int(missing)
	}
	return r
}

// due counts the slots that were overdue by more than is allowed at the stop.
func (c *counter) due() uint64 {
	overdue := c.stopped.Sub(c.began) - c.opts.Late
	return uint64(max(0, overdue/c.opts.interval()))
}
