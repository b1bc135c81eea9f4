//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// parkRow is a deploy of a single writer that stops before it starts.
type parkRow struct {
	proxies []harness.TraefikOptions
	// notice is the group's shutdown_delay, for which the catalog goes on listing an
	// instance that was told to stop.
	notice time.Duration
	load   harness.LoadOptions
}

func parkRows() map[string]parkRow {
	return map[string]parkRow{
		"2s": {proxies: polls(2 * time.Second), notice: 6 * time.Second},
	}
}

func TestPark(t *testing.T) {
	t.Parallel()
	for name, row := range parkRows() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := row.begin(t)
			p.deploy()
			p.lostNothing()
		})
	}
}

// parkedJob is a single writer under load, with a draingate and proxies of its
// own.
type parkedJob struct {
	t       *testing.T
	s       *harness.Stack
	g       *controller
	through []*harness.Traefik
	job     harness.Sample
	old     []harness.Instance
	version uint64
	loads   []*harness.Load
	// gap is the longest time between the end of an old process and the first
	// passing check of the new one.
	gap time.Duration
}

func (r parkRow) begin(t *testing.T) *parkedJob {
	t.Helper()
	s := Shared(t)
	p := &parkedJob{t: t, s: s, through: proxySet(t, s, r.proxies...)}
	p.g = gate(t, s, p.through)
	p.job = singleWriter(t, s, p.through[0].Options.Prefix)
	p.job.ShutdownDelay, p.job.TaskShutdownDelay, p.job.Park = r.notice, r.notice, 60*time.Second
	p.old = running(t, s, p.job, p.through)
	for _, proxy := range p.through {
		opts := r.load
		opts.Host, opts.Method, opts.ID = p.job.Host(), "POST", s.Name("request")
		if opts.Body == "" {
			opts.Body = strings.Repeat("b", 1<<10)
		}
		load, err := proxy.LoadOf(opts)
		require.NoError(t, err)
		t.Cleanup(func() { load.Stop() })
		p.loads = append(p.loads, load)
	}
	return p
}

// deploy deploys the next version, and returns when the old instance has ended and
// no proxy routes to a placeholder any more.
func (p *parkedJob) deploy() {
	p.t.Helper()
	ctx := within(p.t, 5*time.Minute)
	p.version++
	p.job.Version = string(rune('1' + p.version))
	require.NoError(p.t, p.s.Submit(ctx, p.job))
	_, err := p.s.AwaitDeployment(ctx, p.job.Name, "a successful deployment", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == p.version && d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(p.t, err)
	require.NoError(p.t, p.s.AwaitEnd(ctx, p.job.Name, p.old, p.through...))
	instances, err := p.s.Instances(ctx, p.job.Name)
	require.NoError(p.t, err)
	p.old = instances[len(instances)-1:]
	require.NoError(p.t, harness.AwaitRouted(ctx, p.old, p.through...))
}

func (p *parkedJob) lostNothing() {
	p.t.Helper()
	reports := make([]harness.LoadReport, len(p.loads))
	for i, load := range p.loads {
		reports[i] = load.Stop()
		p.t.Logf("proxy %d: %s", i+1, reports[i])
	}
	journal := journalOf(p.t, p.job)
	for i, load := range p.loads {
		r := reports[i]
		require.Zero(p.t, r.Lost, "lost through proxy %d: %v", i+1, r.LostBy)
		require.Empty(p.t, load.Amiss(harness.Wrote(journal)))
	}
}
