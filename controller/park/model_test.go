package park_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// The model: two leaders, an instance of draingate on each node, Consul, Nomad and
// proxies around Build, Next and Apply themselves. Time goes in seconds, and in each of
// them whoever runs makes a pass, in any order. What is read and what is done because of it lie
// apart: a write comes a second late, a pass of a node up to two, and a proxy switches
// up to four seconds after it has read the catalog.
const (
	groupDelay, taskDelay = 12, 6 // seconds
	warmUp                = 5
	waits                 = 20 * time.Second
	refresh               = 3
	sessionTTL            = 10
	deadAfter, reaped     = 2, 60
	unborn                = -1
)

// walks is how many ways through the model are tried at random in each scenario.
var walks = flag.Int("walks", 60, "how many random walks to take through each scenario of the model")

// scenario is what may befall a service, and how often in all.
type scenario struct {
	nodes, proxies int
	faults         []string
	budget         int
}

// allocation is an instance of the service.
type allocation struct {
	id, address          string
	node, version        int
	born, told           int // seconds; told is negative where it is not
	bad                  bool
	maintenance          string
	passes, serves, ends bool
}

func (a *allocation) registered(now int) bool {
	return a.serves && (a.told < 0 || now < a.told+groupDelay)
}

// garage is the listener of one process.
type garage struct {
	address         string
	closing, closed bool
	registered      bool
	shut            int
	sighting        park.Sighting
	catalog         []model.Registration
}

// place is a node with an agent and an instance of draingate.
type place struct {
	up          bool
	memory      park.NodeMemory
	lot         *garage
	at          string // where the placeholder of the agent says to listen; empty for none
	died        int
	said        *park.Presence // nil where there is no session
	ended       int            // when the session of a process that died ends, or one that was lost is opened again
	read        *park.NodeInput
	since, lots int
}

type edge struct {
	pool, loaded map[string]bool
	begun, next  int
}

type pending struct {
	action park.Action
	index  uint64
}

// world is the state of the model.
type world struct {
	scenario
	choose      func(int) int
	now         int
	version     int
	stopped     bool
	asks        bool
	pausedUntil int
	allocations []*allocation
	places      []*place
	edges       []*edge
	record      *park.Record
	index       uint64
	seq, made   int
	ran         map[string]time.Time
	pend        *pending
	leaderless  int
	calm        bool // nothing befalls any more
	crashed     int  // when a process last died
	covered     bool
	shut        map[string]bool // addresses that were closed in an orderly way
	trace       []string
	violation   string
	happened    map[string]int
}

func newModel(s scenario, choose func(int) int) *world {
	w := &world{scenario: s, choose: choose, version: 1, asks: true, crashed: -1000, shut: map[string]bool{}, happened: map[string]int{}, ran: map[string]time.Time{}}
	w.allocations = []*allocation{{id: "a0", address: "10.0.0.0:8000", version: 1, told: -1, born: -100, passes: true, serves: true}}
	for range s.nodes {
		w.places = append(w.places, &place{up: true, said: &park.Presence{}})
	}
	for range s.proxies {
		w.edges = append(w.edges, &edge{pool: w.passing(), begun: -1})
	}
	return w
}

func (w *world) time() time.Time { return at(time.Duration(w.now) * time.Second) }

func (w *world) say(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%4d ", w.now)+fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	if w.violation == "" {
		w.violation = fmt.Sprintf(format, args...)
	}
}

func node(n int) string { return fmt.Sprintf("n%d", n) }

// live reports whether a process listens there.
func (w *world) live(address string) bool {
	return slices.ContainsFunc(w.places, func(p *place) bool { return p.up && p.lot != nil && !p.lot.closed && p.lot.address == address })
}

// answers reports whether something useful is there: an instance, or a listener.
func (w *world) answers(address string) bool {
	return w.live(address) || slices.ContainsFunc(w.allocations, func(a *allocation) bool { return a.address == address && a.serves && a.passes })
}

func parts(address string) (host string, port int) {
	_, _ = fmt.Sscanf(strings.Replace(address, ":", " ", 1), "%s %d", &host, &port)
	return host, port
}

// catalog is what Consul's servers have.
func (w *world) catalog() []model.Registration {
	var out []model.Registration
	for _, a := range w.allocations {
		if !a.registered(w.now) {
			continue
		}
		host, port := parts(a.address)
		r := model.Registration{ServiceID: "_nomad-" + a.id, AllocID: a.id, Node: node(a.node), Address: host, Port: port, Tags: []string{"traefik.enable=true"}, Status: model.StatusCritical}
		switch {
		case a.maintenance != "":
			r.Status = model.StatusMaintenance
			r.Checks = []model.CheckStatus{{ID: model.ServiceMaintenance + r.ServiceID, Status: model.StatusCritical, Notes: a.maintenance}}
		case a.passes:
			r.Status = model.StatusPassing
		}
		out = append(out, r)
	}
	for n, p := range w.places {
		if p.at == "" {
			continue
		}
		host, port := parts(p.at)
		r := model.Registration{ServiceID: keys.Placeholder("web", node(n)), Node: node(n), Address: host, Port: port, Status: model.StatusPassing}
		if w.critical(p) {
			r.Status = model.StatusCritical
		}
		out = append(out, r)
	}
	return out
}

func (w *world) critical(p *place) bool { return p.died > 0 && w.now-p.died >= deadAfter }

// passing is the pool of a proxy that reads the catalog now.
func (w *world) passing() map[string]bool {
	out := map[string]bool{}
	for _, r := range w.catalog() {
		if r.Status == model.StatusPassing {
			out[park.AddressOf(r)] = true
		}
	}
	return out
}

// facts are what a leader reads.
func (w *world) facts() park.Facts {
	now := w.time()
	w.seq++
	f := park.Facts{Now: now, Keys: keys, Service: "web", Self: "me", Mark: fmt.Sprint("m", w.seq), Ran: w.ran, Catalog: model.Seen(w.catalog(), now), Stored: model.Seen(w.stored(), now)}
	if w.asks || w.pausedUntil > 0 {
		f.Jobs = []park.JobFacts{w.job()}
	}
	var proxies []model.Proxy
	for i, e := range w.edges {
		p := model.Proxy{Name: fmt.Sprint("edge-", i), Tags: map[string]model.TagReading{}, Settings: model.Seen(model.ProxySettings{Prefix: "traefik"}, now)}
		s := model.ProxyService{Name: "web@consulcatalog", Status: model.StatusEnabled}
		for _, r := range f.Catalog.Value {
			p.Tags[r.ServiceID] = model.TagReading{Exposed: true, Services: []model.TagService{{Name: s.Name, HostPort: park.AddressOf(r)}}}
		}
		for address := range e.pool {
			s.Servers = append(s.Servers, model.Server{HostPort: address})
		}
		p.Routing = model.Seen(model.Routing{Services: []model.ProxyService{s}}, now)
		proxies = append(proxies, p)
	}
	f.Proxies = model.Seen(proxies, now)
	return f
}

func (w *world) job() park.JobFacts {
	j := &model.Job{ID: "web", Namespace: "default", Version: uint64(w.version), Stopped: w.stopped, Groups: []model.Group{{
		Name: "app", Count: 1, ShutdownDelay: groupDelay * second,
		Tasks: []model.Task{{Name: "app", ShutdownDelay: taskDelay * second, Services: []model.Service{{Name: "web", Task: "app"}}}},
	}}}
	overrides := model.Overrides{}
	if w.asks {
		j.Meta = map[string]string{"draingate_park": waits.String()}
	}
	if w.pausedUntil > 0 {
		until := at(time.Duration(w.pausedUntil) * time.Second)
		overrides.Add("draingate/jobs/web", map[string]string{model.OverridePause: park.WritePauses(map[string]time.Time{"web": until})}, until.Add(-park.PauseMost))
	}
	var all []model.Allocation
	for _, a := range w.allocations {
		one := model.Allocation{ID: a.id, Job: j, JobID: "web", Group: "app", DesiredStatus: model.DesiredRun, ClientStatus: model.ClientRunning}
		if a.told >= 0 {
			one.DesiredStatus = "stop"
			// Nomad's servers change it again when the client says what it does.
			changed := a.told
			if w.now >= a.told+groupDelay {
				changed += groupDelay
			}
			one.ModifiedAt = at(time.Duration(changed) * time.Second)
		}
		if a.ends {
			one.ClientStatus = model.ClientComplete
		}
		all = append(all, one)
	}
	return park.JobFacts{Job: model.Seen(j, w.time()), Allocations: model.Seen(all, w.time()), Overrides: model.Seen(overrides, w.time())}
}

func (w *world) stored() []model.Stored {
	var out []model.Stored
	if w.record != nil {
		value, _ := w.record.Encode()
		out = append(out, model.Stored{Key: keys.Record("web"), Value: value, Index: w.index})
	}
	for n, p := range w.places {
		if p.said != nil {
			value, _ := park.EncodePresence(*p.said)
			out = append(out, model.Stored{Key: keys.Parker(node(n), "x"), Value: value, Session: "s"})
		}
	}
	return out
}

// check looks at what must always be so.
func (w *world) check() {
	parking := w.record != nil && w.record.Step == park.StepParking
	if !parking {
		w.covered = false
	}
	all := parking && slices.ContainsFunc(w.places, func(p *place) bool { return p.at != "" && w.live(p.at) })
	for i, e := range w.edges {
		useful, placeholder, coming := false, false, e.loaded == nil
		for address := range e.pool {
			if w.shut[address] {
				w.fail("edge-%d routes to %s, which was closed", i, address)
			}
			useful, placeholder = useful || w.answers(address), placeholder || w.live(address)
		}
		for address := range e.loaded {
			if w.shut[address] {
				w.fail("edge-%d is about to route to %s, which was closed", i, address)
			}
			coming = coming || w.live(address)
		}
		all = all && placeholder && coming
		if w.covered && !useful {
			w.fail("edge-%d has nothing that takes a request, though placeholders had been everywhere", i)
		}
	}
	w.covered = w.covered || all
	for n, p := range w.places {
		if p.up && p.lot != nil {
			w.checkLot(n, p.lot)
		}
	}
}

// checkLot sees that requests are passed on only to what serves.
func (w *world) checkLot(n int, l *garage) {
	for _, b := range park.Backends(l.sighting, l.catalog) {
		if b.Until.IsZero() || !w.time().Before(b.Until) {
			continue
		}
		if !slices.ContainsFunc(w.allocations, func(a *allocation) bool { return a.address == b.Address && a.serves }) {
			w.fail("n%d may pass requests to %s, which has ended", n, b.Address)
		}
	}
}

// What may happen: faults, and what people do.
var (
	processes = []string{"leader dies", "node dies", "session ends", "late node", "late write"}
	people    = []string{"deploy", "bad deploy", "pause", "resume", "stop", "ask no more"}
)

func scenarios() map[string]scenario {
	return map[string]scenario{
		"deploys":                       {2, 2, []string{"deploy"}, 3},
		"one node":                      {1, 1, append([]string{"session ends"}, people...), 4},
		"people":                        {2, 2, people, 4},
		"deploys and sessions that end": {2, 2, []string{"deploy", "pause", "resume", "session ends", "late node", "late write"}, 6},
		"everything":                    {3, 2, slices.Concat(people, processes), 8},
	}
}

// walk goes one way through a scenario, and then lets everything come to rest.
func walk(t rapid.TB, s scenario, choose func(int) int, happened map[string]int) {
	w := newModel(s, choose)
	w.happened = happened
	for range 150 {
		w.second()
		if w.violation != "" {
			break
		}
	}
	w.calm = true
	if w.violation == "" && w.pausedUntil > 0 && choose(2) == 0 {
		w.pausedUntil = 0
	}
	for range 260 {
		if w.second(); w.violation != "" {
			break
		}
	}
	if w.violation == "" {
		w.rest()
	}
	if w.violation != "" {
		t.Fatalf("%s\n%s", w.violation, strings.Join(w.trace, "\n"))
	}
}

// rest sees that nothing is left behind.
func (w *world) rest() {
	if w.record != nil && w.record.Step != park.StepOver {
		w.fail("a record in step %s is left behind: %+v", w.record.Step, *w.record)
	}
	for n, p := range w.places {
		if p.at != "" || p.lot != nil {
			w.fail("n%d has left a placeholder %q or a listener %+v", n, p.at, p.lot)
		}
	}
	for _, a := range w.allocations {
		if a.maintenance != "" && a.serves {
			w.fail("%s is left in maintenance", a.id)
		}
	}
}

// Ways through the model at random, each with its own seed.
func TestNoWayThroughTheModelIsWrong(t *testing.T) {
	t.Parallel()
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			happened := map[string]int{}
			for seed := range uint64(*walks) {
				random := rand.New(rand.NewPCG(seed, 7))
				walk(t, s, random.IntN, happened)
			}
			t.Log(happened)
			for _, what := range []string{"parking", "leaving", "out"} {
				require.Positive(t, happened[what], what)
			}
		})
	}
}

// The same with ways that are made shorter where they go wrong.
func TestPropTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		walk(rt, scenarios()["everything"], func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "next") }, map[string]int{})
	})
}
