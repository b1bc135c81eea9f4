//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// replicas is the count and the canaries of a cell's job: one a node, so that
// the service goes on when everything of a node falls out of the catalog.
const replicas = 2

// cell is one fault at one moment of one deploy. Its two draingates and its two
// proxies, one each a node, are its own.
type cell struct {
	t     *testing.T
	s     *harness.Stack
	fault fault
	at    moment

	key     string
	proxies []*harness.Traefik
	gates   []*controller
	// Each draingate asks Nomad and Consul through one of these, and all ask a
	// proxy through its own.
	nomadAPI, consulAPI, traefikAPI []*harness.FaultyAPI
	tokens                          tokens
	job                             harness.Sample
	old                             []harness.Instance

	// leader leads, and broken led when the fault came.
	leader, broken *controller
	tookOver       time.Duration
	killed         *harness.Server
	late           *harness.Traefik

	// broke is closed when the fault was made, and mended when it is over.
	broke, mended chan struct{}
	breaking      sync.Once
	mending       sync.Once

	mu sync.Mutex
	// failed is why the fault could not be made.
	failed error
	// since and until is when the fault lasted; zero before.
	since, until time.Time
	// reasons are those that draingate gave, as they came, with their messages,
	// and wrong is what was true against a promotion that it asked for.
	reasons  []string
	messages []string
	wrong    []string
}

func newCell(t *testing.T, s *harness.Stack, tokens tokens, f fault, m moment) *cell {
	t.Helper()
	c := &cell{t: t, s: s, fault: f, at: m, tokens: tokens, key: s.Name("draingate/leader"), broke: make(chan struct{}), mended: make(chan struct{})}
	c.startProxies()
	program := binary(t)
	if f.clock {
		program = clockBinary(t)
	}
	for _, node := range s.Nodes {
		c.startGate(program, node)
	}
	return c
}

func (c *cell) startProxies() {
	c.t.Helper()
	service := c.s.Name("traefik")
	for i := range c.s.Nodes {
		p, err := c.s.StartTraefik(c.t.Context(), harness.TraefikOptions{Service: service, Prefix: service, RefreshInterval: 2 * time.Second, Node: i})
		require.NoError(c.t, err)
		c.t.Cleanup(func() { require.NoError(c.t, p.Stop()) })
		api := faultyAPI(c.t, p.Direct())
		p.Relay.Retarget(api.Addr())
		c.proxies, c.traefikAPI = append(c.proxies, p), append(c.traefikAPI, api)
	}
}

// faultyAPI stands before a server until the case ends.
func faultyAPI(t *testing.T, target string) *harness.FaultyAPI {
	t.Helper()
	api, err := harness.NewFaultyAPI(target)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, api.Close()) })
	return api
}

// startGate starts the draingate of a node. The first one leads.
func (c *cell) startGate(program string, node *harness.Node) {
	c.t.Helper()
	n, k := faultyAPI(c.t, "http://"+node.NomadAddr), faultyAPI(c.t, "http://"+node.ConsulAddr)
	c.nomadAPI, c.consulAPI = append(c.nomadAPI, n), append(c.consulAPI, k)
	n.OnPromote(c.onPromote)
	g := gateFrom(c.t, c.s, program, c.key, []string{
		"NOMAD_ADDR=" + n.URL(), "CONSUL_HTTP_ADDR=" + k.Addr(), "NOMAD_TOKEN=" + c.tokens.nomad, "CONSUL_HTTP_TOKEN=" + c.tokens.consul,
	}, "run", "--traefik-service", c.proxies[0].Options.Service, "--fence", "never")
	if c.leader == nil {
		c.leader, _ = awaitLead(c.t, 10*time.Second, g)
	}
	c.gates = append(c.gates, g)
}

// run makes the deploy and the fault, and returns what the table says of it.
func (c *cell) run() string {
	c.t.Helper()
	c.job = harness.Sample{
		Name: c.s.Name("fault"), Version: "1", Count: replicas, Canary: replicas, MaxParallel: replicas, Spread: true, Warmup: warmup,
		ShutdownDelay: 16 * time.Second, Meta: map[string]string{"draingate_mode": "enforce"},
	}
	c.job.Tags = c.job.Route(c.proxies[0].Options.Prefix)
	c.old = running(c.t, c.s, c.job, c.proxies)
	all := loads(c.t, c.job, 50, c.proxies)
	next := c.job
	next.Version = "2"
	require.NoError(c.t, c.s.Submit(within(c.t, 30*time.Second), next))
	silence := c.listen()

	c.breakAtItsMoment()
	c.fault.lasts(c)
	c.mend()
	c.untilPromoted()
	c.awaitGroup("success", func(d *nomad.Deployment, _ *nomad.DeploymentState) bool {
		return d.Status == nomad.DeploymentStatusSuccessful
	})
	require.NoError(c.t, c.s.AwaitEnd(within(c.t, cellLimit), c.job.Name, c.old, c.proxies...))
	reports := stop(c.t, all)
	silence()
	return c.judge(reports)
}

// breakAtItsMoment waits for the moment and makes the fault. Where the moment
// is the promotion itself, onPromote makes it.
func (c *cell) breakAtItsMoment() {
	c.t.Helper()
	// Others use the same servers after a cell that failed.
	c.t.Cleanup(c.mend)
	if c.at.await != nil {
		c.at.await(c)
		c.makeFault()
	}
	select {
	case <-c.broke:
	case <-within(c.t, cellLimit).Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.t.Fatalf("no promotion was asked for within %s; reasons: %v", cellLimit, c.reasons)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NoError(c.t, c.failed)
}

func (c *cell) makeFault() {
	c.breaking.Do(func() {
		err := c.fault.breaks(c)
		c.mu.Lock()
		c.failed, c.since = err, time.Now()
		c.mu.Unlock()
		close(c.broke)
	})
}

// mend ends the fault, once, if it was made.
func (c *cell) mend() {
	c.mending.Do(func() {
		select {
		case <-c.broke:
		default:
			return
		}
		c.mu.Lock()
		c.until = time.Now()
		c.mu.Unlock()
		// What waits for it is let go on also where it cannot be mended.
		defer close(c.mended)
		if c.fault.mends != nil {
			require.NoError(c.t, c.fault.mends(c))
		}
	})
}

// onPromote stands between a promotion that was decided and Nomad.
func (c *cell) onPromote(string) {
	if against := c.against(); len(against) > 0 {
		c.mu.Lock()
		c.wrong = append(c.wrong, against...)
		c.mu.Unlock()
	}
	if c.at.await != nil {
		return
	}
	c.makeFault()
	if c.fault.stalls {
		<-c.mended
	}
}

// against looks for itself, past every fault, and returns what speaks against
// a promotion that is asked for now.
func (c *cell) against() []string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var out []string
	c.mu.Lock()
	broken, lasted := !c.since.IsZero() && c.until.IsZero(), time.Since(c.since)
	c.mu.Unlock()
	// What was seen just before is a fact for two seconds.
	if settled := broken && lasted > 3*time.Second; settled && c.fault.blinds {
		out = append(out, fmt.Sprintf("a promotion %s into a fault that hides facts", lasted.Round(time.Millisecond)))
	}
	instances, err := c.s.Instances(ctx, c.job.Name)
	if err != nil {
		return append(out, err.Error())
	}
	passing := c.passing(ctx)
	for _, i := range instances {
		if !i.Canary {
			continue
		}
		if !slices.Contains(passing, i.Addr) {
			out = append(out, fmt.Sprintf("canary %s is not passing among %v", i.Addr, passing))
		}
		for _, p := range c.living(broken) {
			if servers, err := p.Servers(ctx); err != nil || !slices.Contains(servers, i.Addr) {
				out = append(out, fmt.Sprintf("%s does not list canary %s: %v %v", p.Name, i.Addr, servers, err))
			}
		}
	}
	return out
}

// living are the proxies that can be asked.
func (c *cell) living(broken bool) []*harness.Traefik {
	out := slices.Clone(c.proxies)
	if broken && c.fault.apart {
		return out[1:]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.late != nil && time.Since(c.since) > 3*time.Second {
		out = append(out, c.late)
	}
	return out
}
