//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// usual are the reasons of a deploy that nothing disturbs.
func usual() []string {
	return []string{
		"CanaryNotPlaced", "CanaryNotHealthy", "CanaryNotRegistered", "CanaryNotPassing", "CanaryNotListed", "OldNotRegistered",
		"WindowRunning", "PredictedSafe", "Promoted", "DeploymentEnded", "LeaderChanged",
	}
}

// listen collects the reasons that the draingates give until it is told to stop.
func (c *cell) listen() (stop func()) {
	end := make(chan struct{})
	var listening sync.WaitGroup
	client := &http.Client{Timeout: 3 * time.Second}
	for _, g := range c.gates {
		listening.Go(func() {
			for {
				select {
				case <-end:
					return
				case <-time.After(200 * time.Millisecond):
					c.hear(client, g.addr)
				}
			}
		})
	}
	var once sync.Once
	stop = func() { once.Do(func() { close(end); listening.Wait() }) }
	c.t.Cleanup(stop)
	return stop
}

// hear notes what one draingate says of the deploy, if it answers.
func (c *cell) hear(client *http.Client, addr string) {
	resp, err := client.Get("http://" + addr + "/v1/deployments")
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var all []deployment
	if json.NewDecoder(resp.Body).Decode(&all) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range all {
		if d.Job == c.job.Name && d.JobVersion == 1 && !slices.Contains(c.reasons, d.Reason) {
			c.reasons = append(c.reasons, d.Reason)
			c.messages = append(c.messages, d.Decision+" "+d.Reason+": "+d.Message)
		}
	}
}

// judge requires of the cell what the matrix is about, and says it in a few words.
func (c *cell) judge(reports []harness.LoadReport) string {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t.Log("draingate said:\n" + strings.Join(c.messages, "\n"))
	require.Empty(c.t, c.wrong, "promoted although")
	promoted := c.once()
	c.saysWhy()
	c.tellsNothing()
	words := c.lost(reports, promoted)
	if c.tookOver > 0 {
		words += fmt.Sprintf("; led again after %s", c.tookOver.Round(100*time.Millisecond))
	}
	c.t.Logf("%s; reasons: %s", words, strings.Join(c.reasons, ", "))
	return words
}

// once requires that Nomad accepted one promotion, that of this deployment, and
// that nothing else was written. It returns when it was asked for.
func (c *cell) once() time.Time {
	c.t.Helper()
	var accepted []harness.Call
	for _, api := range c.nomadAPI {
		require.Empty(c.t, api.Writes(), "draingate wrote something else")
		for _, p := range api.Promotions() {
			c.t.Logf("promotion asked for: %+v", p)
			if p.Status == http.StatusOK {
				accepted = append(accepted, p)
			}
		}
	}
	require.Len(c.t, accepted, 1, "promotions that Nomad accepted")
	require.Equal(c.t, deploymentOf(c.t, c.s, c.job.Name, 1).ID, accepted[0].DeploymentID)
	return accepted[0].Arrived
}

// saysWhy requires that every reason is one that was true, and that a fault
// which hides facts from a deploy that waits was named.
func (c *cell) saysWhy() {
	c.t.Helper()
	known := append(usual(), c.fault.says...)
	for i, r := range c.reasons {
		if slow(c.messages[i]) {
			known = append(known, r, "CatalogRecovering")
		}
		require.Contains(c.t, known, r, "a reason that is not true under this fault")
	}
	if c.fault.blinds && c.at.before && c.at.await != nil {
		require.True(c.t, slices.ContainsFunc(c.reasons, func(r string) bool { return slices.Contains(c.fault.says, r) }), "none of %v in %v", c.fault.says, c.reasons)
	}
}

// slow tells of an answer that took longer than a fact may be old, as it can
// where other work keeps the machine busy. It is a true reason under every fault.
func slow(message string) bool {
	return strings.Contains(message, "deadline exceeded") || strings.Contains(message, "longer than 2s") || strings.Contains(message, "in time") ||
		strings.Contains(message, "Client.Timeout exceeded")
}

// lost counts what was lost before and after the promotion. What is asked of a
// proxy that is down or hangs is counted apart.
func (c *cell) lost(reports []harness.LoadReport, promoted time.Time) string {
	c.t.Helper()
	var before, after, apart int
	kinds := map[string]bool{}
	for i, r := range reports {
		if i == 0 && c.fault.apart {
			apart = r.Lost
			continue
		}
		for second, n := range r.Seconds {
			if n.Lost > 0 && !r.Began.Add(time.Duration(second)*time.Second).After(promoted) {
				before += n.Lost
			}
			if n.Lost > 0 {
				c.t.Logf("through %s: %d of %d lost %s after the promotion was asked for", c.proxies[i].Name, n.Lost, n.Lost+n.Good,
					r.Began.Add(time.Duration(second)*time.Second).Sub(promoted).Round(100*time.Millisecond))
			}
		}
		after += r.Lost
		for kind := range r.LostBy {
			kinds[kind] = true
		}
	}
	after -= before
	require.Zero(c.t, before, "lost before the promotion")
	if c.fault.loses == "" {
		require.Zero(c.t, after, "lost after the promotion")
	}
	words := "lost 0"
	if after > 0 {
		words = fmt.Sprintf("lost %d after: %s", after, c.fault.loses)
	}
	if apart > 0 {
		words += fmt.Sprintf("; %d in that proxy", apart)
	}
	if c.fault.of != "" {
		words = c.fault.of + ": " + words
	}
	return words
}

// tellsNothing requires that no secret is in what the draingates print or answer.
func (c *cell) tellsNothing() {
	c.t.Helper()
	for _, g := range c.gates {
		log, err := os.ReadFile(g.process.Log)
		require.NoError(c.t, err)
		var said strings.Builder
		said.Write(log)
		for _, path := range []string{"/v1/deployments", "/v1/proxies", "/v1/leader", "/metrics"} {
			_, body := g.get(path)
			said.WriteString(body)
		}
		for _, secret := range []string{c.tokens.nomad, c.tokens.consul, harness.RootToken} {
			require.NotContains(c.t, said.String(), secret, "a secret")
		}
	}
}

// tokens are those of draingate in a stack with ACLs on.
type tokens struct{ nomad, consul string }

// tokensOf makes tokens with the policies that the pack documents.
func tokensOf(t *testing.T, s *harness.Stack) tokens {
	t.Helper()
	rules := func(names ...string) string {
		var b strings.Builder
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join("..", "charts", "draingate", "policies", name))
			require.NoError(t, err)
			b.Write(text)
		}
		return b.String()
	}
	_, err := s.Nomad.ACLPolicies().Upsert(&nomad.ACLPolicy{Name: "draingate", Rules: rules("nomad.hcl", "nomad-outside.hcl")}, nil)
	require.NoError(t, err)
	n, _, err := s.Nomad.ACLTokens().Create(&nomad.ACLToken{Name: "draingate", Type: "client", Policies: []string{"draingate"}}, nil)
	require.NoError(t, err)
	policy, _, err := s.Consul.ACL().PolicyCreate(&consul.ACLPolicy{Name: "draingate", Rules: rules("consul.hcl")}, nil)
	require.NoError(t, err)
	k, _, err := s.Consul.ACL().TokenCreate(&consul.ACLToken{Policies: []*consul.ACLLink{{ID: policy.ID}}}, nil)
	require.NoError(t, err)
	return tokens{nomad: n.SecretID, consul: k.SecretID}
}
