//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pausedFor is how long a person has a service paused.
const pausedFor = 10 * time.Second

// A person pauses a service and resumes it: requests wait meanwhile, and none is
// lost. The service stays up, and is a usual one that can overlap.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	p := fastPark().begin(t)
	code, out := draingate(t, p.s, nil, "pause", p.job.Name, "--job", p.job.Name, "--max", "50s", "--addr", p.g.addr)
	require.Zero(t, code, out)
	t.Log(out)
	paused := p.watch.now()
	require.Len(t, paused.maintained, 1)
	require.NotEmpty(t, paused.placeholders)
	before := p.answered()
	time.Sleep(pausedFor) // It is the length of the pause, and nothing is waited for.
	require.Equal(t, before, p.answered(), "answers while it is paused")
	code, out = draingate(t, p.s, nil, "resume", p.job.Name, "--job", p.job.Name, "--addr", p.g.addr)
	require.Zero(t, code, out)
	t.Log(out)
	p.over(time.Minute)
	require.Empty(t, p.watch.now().maintained)
	p.stop()
	for i, r := range p.reports {
		require.Zero(t, r.Lost, "lost through proxy %d: %v", i+1, r.LostBy)
		require.Greater(t, r.Slowest, pausedFor-time.Second)
	}
	p.leavesNothing()
}

// A pause that nobody ends ends by itself.
func TestPauseThatNobodyEnds(t *testing.T) {
	t.Parallel()
	const most = 15 * time.Second
	p := fastPark().begin(t)
	at := time.Now()
	code, out := draingate(t, p.s, nil, "pause", p.job.Name, "--job", p.job.Name, "--max", most.String(), "--addr", p.g.addr)
	require.Zero(t, code, out)
	p.over(time.Minute)
	t.Logf("over %s after it was asked for, with a maximum of %s", time.Since(at).Round(100*time.Millisecond), most)
	p.stop()
	for i, r := range p.reports {
		require.Zero(t, r.Lost, "lost through proxy %d: %v", i+1, r.LostBy)
		require.Less(t, r.Slowest, most+5*time.Second)
	}
	p.leavesNothing()
}

// answered counts the good answers of all loads.
func (p *parkedJob) answered() (out int) {
	for _, l := range p.loads {
		r := l.Snapshot()
		out += r.Requests - r.Lost
	}
	return out
}
