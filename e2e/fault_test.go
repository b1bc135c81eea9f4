//go:build e2e

package e2e

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// fault is one row of the matrix.
type fault struct {
	name string
	// of names the system where there is a choice.
	of string
	// breaks and mends may be called from another goroutine than the cell's.
	breaks, mends func(c *cell) error
	// lasts returns when the fault has had its effect and is to be mended.
	lasts func(c *cell)
	// exclusive faults take something from every cell of the stack.
	exclusive bool
	// blinds is true where nobody sees everything while it lasts, so that nothing
	// may be promoted then.
	blinds bool
	// says are the reasons that it makes true, beside those of every deploy.
	says []string
	// stalls keeps a promotion that was decided on its way until the fault is mended.
	stalls bool
	// apart is true where the requests through the first proxy are counted apart.
	apart bool
	// loses says why requests may be lost after the promotion, if they may.
	loses string
	// soak faults are run in the whole matrix only; another of their kind is run always.
	soak bool
	// clock is true where the draingates have a wall clock that can be moved.
	clock bool
}

// short is how long a fault lasts that needs no longer to be seen: four times
// the age at which a fact is no longer one.
const short = 8 * time.Second

var (
	catalogAway = []string{"ConsulUnknown", "ProxySetUnknown", "CatalogRecovering", "LeaderChanged"}
	proxyAway   = []string{"ProxyUnknown", "SettingsUnknown", "OldNotListed", "RouterVanished"}
	nomadAway   = []string{"NomadUnknown", "OverridesUnknown"}
)

// faults are those of a moment, by its place in moments.
func faults(at int) []fault {
	out := []fault{
		{
			name:   "leader killed",
			breaks: toLeader(syscall.SIGKILL),
			lasts:  (*cell).untilAnotherLeads, mends: (*cell).startLeader, says: catalogAway,
		},
		{
			name:   "leader stopped and continued",
			breaks: toLeader(syscall.SIGSTOP),
			lasts:  (*cell).untilAnotherLeads, stalls: true,
			// What it had asked for when it was stopped is too old when it goes on.
			says:  slices.Concat(catalogAway, nomadAway, proxyAway),
			mends: func(c *cell) error { return c.broken.process.Signal(syscall.SIGCONT) },
		},
		{
			name: "leader restarted", soak: true,
			breaks: toLeader(syscall.SIGTERM),
			lasts:  (*cell).untilAnotherLeads, mends: (*cell).startLeader, says: catalogAway,
		},
		{name: "session lost", breaks: func(c *cell) error { return destroySession(c.s, c.key) }, lasts: (*cell).untilSomebodyLeads, says: catalogAway},
		{
			name: "Consul's leader killed", exclusive: true, breaks: (*cell).killConsul, lasts: lasting(short), mends: (*cell).startKilled,
			says: catalogAway, loses: "the proxies could not read the catalog",
		},
		{
			name: "Consul agent frozen", exclusive: true, blinds: true,
			breaks: func(c *cell) error { return c.s.Nodes[0].Consul.Signal(syscall.SIGSTOP) },
			lasts:  lasting(2 * short),
			mends:  func(c *cell) error { return c.s.Nodes[0].Consul.Signal(syscall.SIGCONT) },
			says:   slices.Concat(catalogAway, proxyAway), loses: "a proxy could not read the catalog",
		},
		{
			name: "Nomad's leader killed", exclusive: true, breaks: (*cell).killNomad, lasts: lasting(short), mends: (*cell).startKilled,
			says: nomadAway,
		},
		{
			name: "Traefik killed", blinds: true, apart: true, says: proxyAway,
			breaks: func(c *cell) error { return c.proxies[0].Process().Signal(syscall.SIGKILL) }, lasts: lasting(short),
			mends: func(c *cell) error { return c.proxies[0].Restart(c.t.Context()) },
		},
		{name: "Traefik started", breaks: (*cell).startProxy, lasts: lasting(0), says: slices.Concat(proxyAway, []string{"ProxySetUnknown"})},
		{
			name: "Traefik hung", blinds: true, apart: true, says: proxyAway,
			breaks: func(c *cell) error { return c.proxies[0].Process().Signal(syscall.SIGSTOP) }, lasts: lasting(short),
			mends: func(c *cell) error { return c.proxies[0].Process().Signal(syscall.SIGCONT) },
		},
	}
	out = append(out, apiFaults(at)...)
	return append(out,
		fault{
			name: "watch index backwards", lasts: lasting(short), mends: disturb(harness.FaultNone, everyAPI),
			breaks: disturb(harness.FaultIndexBack, everyAPI),
		},
		fault{name: "clock an hour ahead", clock: true, breaks: signalled(syscall.SIGUSR1), lasts: lasting(short), says: slices.Concat(nomadAway, catalogAway, proxyAway)},
		fault{name: "clock an hour back", soak: true, clock: true, breaks: signalled(syscall.SIGUSR2), lasts: lasting(short), says: slices.Concat(nomadAway, catalogAway, proxyAway)},
	)
}

// apiFaults disturb what one of the three answers to every draingate. Each kind
// meets each of the three at two of the six moments.
func apiFaults(at int) []fault {
	apis := []struct {
		name string
		of   func(*cell) []*harness.FaultyAPI
		says []string
	}{
		{"Nomad", func(c *cell) []*harness.FaultyAPI { return c.nomadAPI }, nomadAway},
		{"Consul", func(c *cell) []*harness.FaultyAPI { return c.consulAPI }, catalogAway},
		{"Traefik", func(c *cell) []*harness.FaultyAPI { return c.traefikAPI }, proxyAway},
	}
	var out []fault
	for i, kind := range []struct {
		name  string
		fault harness.Fault
		lasts time.Duration
	}{
		{"429", harness.Fault429, short}, {"500", harness.Fault500, short},
		{"10 s late", harness.FaultLate, 12 * time.Second}, {"cut short", harness.FaultCut, short},
	} {
		api := apis[(i+at)%len(apis)]
		out = append(out, fault{
			name: "answers " + kind.name, soak: kind.fault == harness.Fault429, of: api.name, blinds: true, says: api.says, lasts: lasting(kind.lasts),
			breaks: disturb(kind.fault, api.of), mends: disturb(harness.FaultNone, api.of),
		})
	}
	return out
}

func everyAPI(c *cell) []*harness.FaultyAPI {
	return slices.Concat(c.nomadAPI, c.consulAPI)
}

func disturb(f harness.Fault, of func(*cell) []*harness.FaultyAPI) func(*cell) error {
	return func(c *cell) error {
		for _, api := range of(c) {
			api.Set(f)
		}
		return nil
	}
}

// toLeader signals the draingate that leads.
func toLeader(sig syscall.Signal) func(*cell) error {
	return func(c *cell) error {
		c.broken = c.leader
		return c.broken.process.Signal(sig)
	}
}

// signalled moves the wall clock of every draingate.
func signalled(sig syscall.Signal) func(*cell) error {
	return func(c *cell) error {
		var errs []error
		for _, g := range c.gates {
			errs = append(errs, g.process.Signal(sig))
		}
		return errors.Join(errs...)
	}
}

func lasting(d time.Duration) func(*cell) { return func(*cell) { time.Sleep(d) } }

func (c *cell) untilAnotherLeads() {
	c.t.Helper()
	next, took := awaitLead(c.t, failoverBound, without(c.gates, c.leader)...)
	c.leader, c.tookOver = next, took
}

func (c *cell) untilSomebodyLeads() {
	c.t.Helper()
	c.leader.eventually(leaderTTL, "steps down", func() (bool, string) { return !c.leader.leads(), "leads" })
	c.leader, c.tookOver = awaitLead(c.t, failoverBound, c.gates...)
}

// startLeader starts the one that led before.
func (c *cell) startLeader() error {
	<-c.broken.process.Done()
	c.broken.start()
	return nil
}

func (c *cell) killConsul() (err error) {
	if c.killed, err = c.s.ConsulLeader(c.t.Context()); err != nil {
		return err
	}
	return c.killed.Kill()
}

func (c *cell) killNomad() (err error) {
	if c.killed, err = c.s.NomadLeader(c.t.Context()); err != nil {
		return err
	}
	return c.killed.Kill()
}

func (c *cell) startKilled() error {
	return errors.Join(c.killed.Start(c.t.Context()), c.s.AwaitQuorum(c.t.Context()))
}

// startProxy starts one more instance of the proxy set.
func (c *cell) startProxy() error {
	opts := c.proxies[0].Options
	p, err := c.s.StartTraefik(c.t.Context(), opts)
	if err != nil {
		return err
	}
	c.t.Cleanup(func() { require.NoError(c.t, p.Stop()) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = p
	return nil
}
