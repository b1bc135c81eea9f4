//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// A job of the soak is deployed at least as often as this, so that instances
// are fenced which have come in place of fenced ones.
const soakAtLeast = 3

// soakJob is one job of the soak, with proxies of its own.
type soakJob struct {
	name string
	row  fenceRow
	// canaries are those of its deploys in turn.
	canaries []int
}

func soakJobs() []soakJob {
	load := harness.LoadOptions{Rate: 50}
	three := harness.Sample{Count: 3, Canary: 3}
	return []soakJob{
		{"one proxy of 2s", fenceRow{proxies: polls(2 * time.Second), load: load}, []int{1}},
		{"one proxy of 15s", fenceRow{proxies: polls(15 * time.Second), job: three, load: load}, []int{3, 1}},
		{"two proxies of 2s and 15s", fenceRow{proxies: polls(2*time.Second, 15*time.Second), load: load}, []int{1}},
		{"two proxies of 15s and 2s", fenceRow{proxies: polls(15*time.Second, 2*time.Second), job: three, load: load}, []int{3, 1}},
	}
}

// TestFenceSoak deploys one version after the other, each fenced, under a load
// that goes on through all of them. DRAINGATE_SOAK_FENCE is the number of
// deploys, which the jobs share.
func TestFenceSoak(t *testing.T) {
	t.Parallel()
	left := soakAtLeast
	if text := os.Getenv("DRAINGATE_SOAK_FENCE"); text != "" {
		_, err := fmt.Sscan(text, &left)
		require.NoError(t, err, "DRAINGATE_SOAK_FENCE")
	}
	sum := &soakSum{began: time.Now(), wanted: left}
	t.Cleanup(func() { sum.tell(t) })
	jobs := soakJobs()
	for i, job := range jobs {
		n := min(left, max(soakAtLeast, left/(len(jobs)-i)))
		if left -= n; n == 0 {
			break
		}
		t.Run(job.name, func(t *testing.T) {
			t.Parallel()
			job.run(t, n, sum)
		})
	}
}

// run makes n deploys of the job.
func (j soakJob) run(t *testing.T, n int, sum *soakSum) {
	t.Helper()
	f := j.row.begin(t)
	for i := range n {
		before, began := f.answered(), time.Now()
		canaries := j.canaries[i%len(j.canaries)]
		f.deploy(func(s *harness.Sample) { s.Canary, s.Count = canaries, max(s.Count, 1) })
		now := f.answered()
		requests, lost := now.Requests-before.Requests, now.Lost-before.Lost
		t.Logf("deploy %d of %d, %d canaries of %d: %s, %d requests, %d lost", i+1, n, canaries, f.job.Count, time.Since(began).Round(100*time.Millisecond), requests, lost)
		sum.deployed()
	}
	f.lostNothing()
	sum.add(f.answered())
}

// answered counts the requests of all loads together.
func (f *fencedJob) answered() (out harness.LoadReport) {
	for _, l := range f.loads {
		r := l.Snapshot()
		out.Requests, out.Lost = out.Requests+r.Requests, out.Lost+r.Lost
	}
	return out
}

// soakSum is the sum of all jobs.
type soakSum struct {
	began  time.Time
	wanted int

	mu                      sync.Mutex
	deploys, requests, lost int
}

func (s *soakSum) deployed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deploys++
}

func (s *soakSum) add(r harness.LoadReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.lost = s.requests+r.Requests, s.lost+r.Lost
}

// tell logs the sum, and requires of a long soak that it was one.
func (s *soakSum) tell(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("%d of %d deploys in %s, %d requests, %d lost", s.deploys, s.wanted, time.Since(s.began).Round(time.Second), s.requests, s.lost)
	if s.deploys < s.wanted || s.wanted >= 100 && s.requests < 100_000 {
		t.Errorf("%d deploys and %d requests: want %d deploys and, of 100 or more, 100000 requests", s.deploys, s.requests, s.wanted)
	}
}
