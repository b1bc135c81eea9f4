//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// The bounds on how long nobody leads, with the default TTL of 10 s: Consul may
// take two TTLs to end the session of a leader that went silent, its lock delay
// is one more, and whoever waits for it asks every second and a half at most.
const (
	leaderTTL     = 10 * time.Second
	failoverBound = 3*leaderTTL + 5*time.Second
	handoverBound = 2 * time.Second
)

// leadership is what /v1/leader says.
type leadership struct {
	Leader *struct{ ID, Name, Address string }
	Self   struct{ ID, Name, Address string }
	Role   string
}

func (c *controller) leadership() (leadership, bool) {
	code, body := c.get("/v1/leader")
	var out leadership
	return out, code == http.StatusOK && json.Unmarshal([]byte(body), &out) == nil
}

// leads reports whether the instance may write now, by its own metric.
func (c *controller) leads() bool {
	_, body := c.get("/metrics")
	return strings.Contains(body, "\ndraingate_leader 1\n")
}

// awaitLead returns which of the instances leads, and after how long it did.
func awaitLead(t *testing.T, within time.Duration, of ...*controller) (*controller, time.Duration) {
	t.Helper()
	for began := time.Now(); time.Since(began) < within; time.Sleep(20 * time.Millisecond) {
		for _, c := range of {
			if c.leads() {
				return c, time.Since(began)
			}
		}
	}
	t.Fatalf("nobody leads within %s", within)
	return nil, 0
}

func without(all []*controller, one *controller) []*controller {
	return slices.DeleteFunc(slices.Clone(all), func(c *controller) bool { return c == one })
}

// neverTwo watches, until the case ends, that at most one of the instances says
// that it may write. Two answers are never of one moment, so it asks the one
// that says yes again after the others.
func neverTwo(t *testing.T, all []*controller) {
	t.Helper()
	var watching sync.WaitGroup
	end := make(chan struct{})
	watching.Go(func() {
		for {
			select {
			case <-end:
				return
			case <-time.After(50 * time.Millisecond):
			}
			for _, a := range all {
				for _, b := range all {
					if a != b && a.leads() && b.leads() && a.leads() {
						t.Errorf("%s and %s lead at the same time", a.addr, b.addr)
						return
					}
				}
			}
		}
	})
	t.Cleanup(func() { close(end); watching.Wait() })
}

// Of three instances one leads and the others say who. When it is told to stop
// the next one leads at once; when it is killed, within the bound.
func TestLeaderChanges(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	key := s.Name("draingate/leader")
	var all []*controller
	for range 3 {
		all = append(all, gateIn(t, s, key, nil, "run", "--traefik-service", through[0].Options.Service, "--fence", "never"))
	}
	neverTwo(t, all)
	first, _ := awaitLead(t, 10*time.Second, all...)
	d := begin(t, s, harness.Sample{Name: s.Name("led"), Warmup: brief}, through, nil)
	for _, c := range all {
		// The followers ask the leader.
		c.holds(d.job.Name, "DrainUnsafe")
	}
	agreed(t, first, all)
	passesOnOnce(t, without(all, first)[0])

	began := time.Now()
	require.NoError(t, first.process.Signal(syscall.SIGTERM))
	rest := without(all, first)
	second, took := awaitLead(t, failoverBound, rest...)
	t.Logf("told to stop: another leads after %s", took.Round(10*time.Millisecond))
	require.Less(t, time.Since(began), handoverBound)
	require.NoError(t, first.process.Err(), "draingate ends cleanly")

	require.NoError(t, second.process.Signal(syscall.SIGKILL))
	<-second.process.Done()
	third, took := awaitLead(t, failoverBound, without(rest, second)...)
	t.Logf("killed: another leads after %s; the bound is %s", took.Round(10*time.Millisecond), failoverBound)
	third.holds(d.job.Name, "LeaderChanged")
	third.holds(d.job.Name, "DrainUnsafe")

	require.NoError(t, destroySession(s, key))
	began = time.Now()
	third.eventually(leaderTTL, "steps down", func() (bool, string) { return !third.leads(), "leads" })
	t.Logf("session destroyed: steps down after %s", time.Since(began).Round(10*time.Millisecond))
	_, took = awaitLead(t, failoverBound, third)
	t.Logf("session destroyed: leads again %s later", took.Round(10*time.Millisecond))
	d.keepsServing(third, time.Second)

	second.start()
	second.eventually(leaderTTL, "follows after a restart", func() (bool, string) {
		l, _ := second.leadership()
		return l.Role == "follower" && l.Leader != nil, l.Role
	})
}

// agreed requires that all name the same leader.
func agreed(t *testing.T, leader *controller, all []*controller) {
	t.Helper()
	want, ok := leader.leadership()
	require.True(t, ok)
	require.Equal(t, "leader", want.Role)
	for _, c := range all {
		seen, ok := c.leadership()
		require.True(t, ok)
		require.Equal(t, want.Leader, seen.Leader)
		if c != leader {
			require.Equal(t, "follower", seen.Role)
		}
	}
}

// passesOnOnce asks a follower, as a follower would.
func passesOnOnce(t *testing.T, follower *controller) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+follower.addr+"/v1/deployments", nil)
	require.NoError(t, err)
	req.Header.Set("X-Draingate-Forwarded-By", "another")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
}

// destroySession ends the session of whoever leads by the key.
func destroySession(s *harness.Stack, key string) error {
	pair, _, err := s.Consul.KV().Get(key, &consul.QueryOptions{RequireConsistent: true})
	if err != nil {
		return err
	}
	if pair == nil || pair.Session == "" {
		return fmt.Errorf("nobody holds %s", key)
	}
	_, err = s.Consul.Session().Destroy(pair.Session, nil)
	return err
}

// A leader that cannot reach Consul stops acting by itself, before another one
// begins.
func TestLeaderCutOff(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	port, err := s.Port()
	require.NoError(t, err)
	relay, err := harness.NewRelay(port, s.ConsulAddr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, relay.Close()) })
	first, second, writes := twoOf(t, s, through, relay.Addr)
	neverTwo(t, []*controller{first, second})
	d := begin(t, s, harness.Sample{Name: s.Name("cutoff"), Warmup: brief, ShutdownDelay: 6 * time.Second}, through, nil)
	first.holds(d.job.Name, "WindowRunning")
	relay.Set(harness.RelayHang)
	cut := time.Now()
	first.eventually(leaderTTL, "stops acting", func() (bool, string) { return !first.leads(), "leads" })
	stopped := time.Since(cut)
	require.False(t, second.leads())
	_, _ = awaitLead(t, failoverBound, second)
	t.Logf("cut off: stops acting after %s, another leads after %s", stopped.Round(10*time.Millisecond), time.Since(cut).Round(10*time.Millisecond))
	l, _ := first.leadership()
	require.Equal(t, "candidate", l.Role)
	require.Nil(t, l.Leader)
	d.losesNothing(second)
	relay.Set(harness.RelayOpen)
	first.eventually(failoverBound, "follows", func() (bool, string) {
		l, _ := first.leadership()
		return l.Role == "follower", l.Role
	})
	require.Empty(t, writes[0].Promotions(), "the old leader wrote")
	require.Len(t, writes[1].Promotions(), 1)
}

// twoOf starts two instances of one election, the first of which leads and asks
// Consul at an address of its own, and counts what each writes.
func twoOf(t *testing.T, s *harness.Stack, through []*harness.Traefik, consulAddr string) (first, second *controller, writes [2]*harness.FaultyAPI) {
	t.Helper()
	key := s.Name("draingate/leader")
	var out [2]*controller
	for i, addr := range []string{consulAddr, s.ConsulAddr} {
		writes[i] = faultyAPI(t, "http://"+s.NomadAddr)
		out[i] = gateIn(t, s, key, []string{"NOMAD_ADDR=" + writes[i].URL(), "CONSUL_HTTP_ADDR=" + addr},
			"run", "--traefik-service", through[0].Options.Service)
		if i == 0 {
			_, _ = awaitLead(t, 10*time.Second, out[0])
		}
	}
	return out[0], out[1], writes
}

// A token without the rights for the election ends the start, and the message
// names the rule that is missing.
func TestElectionWithoutRights(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{Consul: map[string]any{"acl": map[string]any{"enabled": true, "default_policy": "allow"}}})
	root, _, err := s.Consul.ACL().Bootstrap()
	require.NoError(t, err)
	as := &consul.WriteOptions{Token: root.SecretID}
	cases := map[string]struct{ rules, says string }{
		"no sessions": {`session_prefix "" { policy = "deny" }`, `session_prefix "" { policy = "write" }`},
		"no key":      {`key_prefix "" { policy = "deny" }`, `key "draingate/leader" { policy = "write" }`},
		"only reads":  {`key_prefix "" { policy = "read" }`, `key "draingate/leader" { policy = "write" }`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			policy, _, err := s.Consul.ACL().PolicyCreate(&consul.ACLPolicy{Name: s.Name("policy"), Rules: c.rules}, as)
			require.NoError(t, err)
			token, _, err := s.Consul.ACL().TokenCreate(&consul.ACLToken{Policies: []*consul.ACLLink{{ID: policy.ID}}}, as)
			require.NoError(t, err)
			p, err := s.Run(s.Name("denied"), binary(t), []string{"CONSUL_HTTP_TOKEN=" + token.SecretID}, "run", "--listen", "127.0.0.1:0", "--traefik-service", "traefik")
			require.NoError(t, err)
			select {
			case <-p.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("still running")
			}
			require.Equal(t, 5, exitCode(p.Err()))
			out, err := os.ReadFile(p.Log)
			require.NoError(t, err)
			require.Contains(t, string(out), c.says)
			require.NotContains(t, string(out), token.SecretID)
		})
	}
}
