//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

// pausedFor is how long a person has a service paused.
const pausedFor = 10 * time.Second

// personPauses has somebody pause the service and resume it, with a token of their
// own: requests wait meanwhile, and none is lost. The service stays up, and is a usual
// one that can overlap.
func (c *parkCrash) personPauses() {
	fastPark().start(c.parkedJob, nil)
	c.g = c.gates[1]
	named, searching := c.personWith("read-job"), c.personWith("read-job", "list-jobs")
	c.pauseRefused(5, c.personWith("list-jobs"), "the token needs read-job", "--job", c.job.Name)
	c.pauseRefused(5, named, "the token needs list-jobs")
	c.pauseRefused(1, named, "readTimeout = 1m0s", "--job", c.job.Name, "--max", "2m")

	c.says(searching, "pause", c.job.Name)
	paused := c.watch.now()
	require.Len(c.t, paused.maintained, 1)
	require.NotEmpty(c.t, paused.placeholders)
	before := c.answered()
	time.Sleep(pausedFor) // It is the length of the pause, and nothing is waited for.
	require.Equal(c.t, before, c.answered(), "answers while it is paused")
	c.says(named, "resume", c.job.Name, "--job", c.job.Name)
	c.over(time.Minute)
	require.Empty(c.t, c.watch.now().maintained)
	c.stop()
	for i, r := range c.reports {
		require.Zero(c.t, r.Lost, "lost through proxy %d: %v", i+1, r.LostBy)
		require.Greater(c.t, r.Slowest, pausedFor-time.Second)
	}
	c.leavesNothing()
}

// personWith makes a token with the rule that docs/overrides.md gives people, and
// capabilities.
func (c *parkCrash) personWith(capabilities ...string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "overrides.md"))
	require.NoError(c.t, err)
	rule := regexp.MustCompile(`(?m)^    namespace "default" \{\n(?:     .*\n)+    \}\n`).FindString(string(text))
	require.NotEmpty(c.t, rule, "the docs have no rule for people")
	var names []string
	for _, rules := range []string{rule, fmt.Sprintf("namespace \"default\" {\n  capabilities = [\"%s\"]\n}\n", strings.Join(capabilities, `", "`))} {
		names = append(names, c.s.Name("person"))
		_, err := c.s.Nomad.ACLPolicies().Upsert(&nomad.ACLPolicy{Name: names[len(names)-1], Rules: rules}, nil)
		require.NoError(c.t, err, rules)
	}
	token, _, err := c.s.Nomad.ACLTokens().Create(&nomad.ACLToken{Name: names[0], Type: "client", Policies: names}, nil)
	require.NoError(c.t, err)
	return token.SecretID
}

// says runs a command with the token of a person, which must succeed.
func (c *parkCrash) says(token string, args ...string) {
	c.t.Helper()
	code, out := draingate(c.t, c.s, []string{"NOMAD_TOKEN=" + token}, append(args, "--addr", c.g.addr)...)
	require.Zero(c.t, code, out)
	c.t.Log(out)
}

// pauseRefused has a pause fail with an exit code, for what is named.
func (c *parkCrash) pauseRefused(want int, token, why string, args ...string) {
	c.t.Helper()
	code, out := draingate(c.t, c.s, []string{"NOMAD_TOKEN=" + token}, append([]string{"pause", c.job.Name, "--addr", c.g.addr}, args...)...)
	require.Equal(c.t, want, code, out)
	require.Contains(c.t, out, why)
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
