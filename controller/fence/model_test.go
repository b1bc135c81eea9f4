package fence

import (
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// The model: leaders, instances of draingate on nodes, Nomad, Consul and proxies
// around Next and Apply themselves. Time goes in ticks of five seconds, so that
// a TTL of ten is two of them and the window one. Whoever runs makes a pass in
// each tick, at any moment of it and as often as it likes.
const (
	tick      = 5 * time.Second
	ttlTicks  = 2
	maxInst   = 8
	maxViews  = 3
	maxNodes  = 2
	leaders   = 2
	oldest    = 16 // ages are told apart up to here
	patience  = 3 * tick
	progress  = 14 // ticks until Nomad fails a promoted deployment
	aheadTick = 5
	renewal   = 2 // ticks from a stop to a healthy replacement
	reloading = 2 // ticks after which nothing is under way that was read before
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(t int) time.Time { return epoch.Add(time.Duration(t) * tick) }

// scenario is a job and what may befall its deployment.
type scenario struct {
	count, canaries, parallel int
	views, nodes              int
	// lingers is true where services stay registered while their instance stops,
	// as those of tasks do during a delay of the group.
	lingers bool
	// loads is true where a proxy puts into force what it has read at a later
	// step, up to a tick on.
	loads bool
	// rolling begins after the promotion, with the canaries' namesakes ended.
	rolling bool
	// first is the leader that leads at the beginning.
	first int
	// faults are what may happen, budget how often in all.
	faults []string
	budget int
}

type maint int8

const (
	none maint = iota
	ours
	foreign
)

// inst is one allocation: the old ones first, then the canaries, then what
// replaces old ones.
type inst struct {
	there, stopping, ended bool
	told                   int // tick
	critical, healthy      bool
	maint                  maint
	sign                   int8
	routed                 int // tick in which a proxy last routed to it
	fenced                 int // tick in which our maintenance was set
}

type session struct {
	alive   bool
	renewed int
}

type pending struct {
	action   Action
	index    int // of the record as read
	status   string
	promoted bool
	at       int
}

type chief struct {
	up, frozen, passed bool
	mem                Memory
	pend               *pending
}

type fencer struct {
	up, frozen, blind, passed bool
	mem                       NodeMemory
	stale                     *NodeInput
	asked                     []model.Key
	present                   bool
	mark                      string
	gone                      int
	since                     int // tick since when it is blind
	began                     int // tick in which it began
	looked                    int // tick in which it last read the records
}

// load is one of the catalog that a proxy has read and not put into force yet.
type load struct {
	under bool
	lists uint16
	read  int // tick
}

type state struct {
	*scenario
	*names
	now         int
	status      string
	person      bool // the pause is a person's
	promoted    bool
	byUs        bool
	eval        bool
	unwanted    bool
	promotedAt  int
	insts       [maxInst]inst
	lock, delay int // leader, and the tick until which nobody gets the lock
	sessions    [leaders]session
	rec         *Record
	recLock     int
	index       int
	chiefs      [leaders]chief
	fencers     [maxNodes]fencer
	listed      [maxViews]uint16
	under       [maxViews]load
	left        int
	degraded    bool
	ownerless   int // tick since when the record has no living owner
	violation   string
	didFence    bool
	flight      Do // a call that is on its way, until then
	until       time.Time
	changed     int // tick of the record's last change
}

func (s *state) isOld(i int) bool { return i < s.count }

func (s *state) isCanary(i int) bool { return i >= s.count && i < s.count+s.canaries }

func (s *state) size() int { return 2 * s.count }

// names are the texts of the model, made once: it asks for them all the time.
type names struct {
	name, alloc, service [maxInst]string
	services             [maxInst][]string
	node                 [maxNodes]string
	view                 [maxViews]string
}

func newNames() *names {
	var n names
	for i := range maxInst {
		n.name[i], n.alloc[i], n.service[i] = fmt.Sprintf("web.web[%d]", i), fmt.Sprintf("alloc-%d", i), fmt.Sprintf("svc-%d", i)
		n.services[i] = []string{n.service[i]}
	}
	for i := range maxNodes {
		n.node[i] = fmt.Sprintf("node-%d", i)
	}
	for i := range maxViews {
		n.view[i] = fmt.Sprintf("proxy-%d", i)
	}
	return &n
}

// names: a canary has the name of an old one, a replacement that of the one it
// replaces.
func (s *state) instName(i int) string {
	switch {
	case s.isOld(i):
		return s.name[i]
	default:
		return s.name[i-s.count]
	}
}

func (s *state) nodeOf(i int) int { return i % s.nodes }

func (s *state) target(i int) Target {
	return Target{Alloc: s.alloc[i], Name: s.instName(i), Group: "web", Node: s.node[s.nodeOf(i)], Services: s.services[i]}
}

func newState(sc *scenario) *state {
	s := &state{scenario: sc, names: newNames(), status: model.DeploymentRunning, lock: sc.first, recLock: -1, left: sc.budget}
	for i := range sc.count + sc.canaries {
		s.insts[i] = inst{there: true, healthy: true}
	}
	for i := range s.chiefs {
		s.chiefs[i].up = true
	}
	s.sessions[sc.first].alive = true
	for n := range sc.nodes {
		s.fencers[n] = fencer{up: true, present: true, looked: -1, began: -oldest}
	}
	if sc.rolling {
		s.roll()
	}
	for v := range sc.views {
		s.listed[v] = s.catalog()
	}
	return s
}

// roll is the state between the promotion and the first batch.
func (s *state) roll() {
	s.status, s.promoted, s.byUs, s.didFence, s.index, s.recLock = model.DeploymentPaused, true, true, true, 3, s.first
	for i := range s.canaries {
		s.insts[i].stopping, s.insts[i].ended, s.insts[i].told = true, true, -oldest
	}
	s.rec = &Record{Format: Format, Namespace: "default", Deployment: "dep", Job: "web", Seq: 3, Mark: "0.3", Step: StepFencing, Pause: true, Rolling: true}
}

func (s *state) clone() *state {
	out := *s
	return &out
}

// registered are the instances in the catalog, whatever their status.
func (s *state) registered(i int) bool {
	in := s.insts[i]
	return in.there && !in.ended && (!in.stopping || s.lingers && s.isOld(i))
}

// catalog are the instances that a proxy takes from the catalog.
func (s *state) catalog() uint16 {
	var out uint16
	for i := range s.size() {
		if s.registered(i) && !s.insts[i].critical && s.insts[i].healthy && s.insts[i].maint == none {
			out |= 1 << i
		}
	}
	return out
}

func (s *state) routedBy(i int) string {
	for v := range s.views {
		if s.listed[v]&(1<<i) != 0 {
			return s.view[v]
		}
	}
	return ""
}

// good is what the leader takes for an instance that carries load.
func (s *state) good(i int) bool {
	in := s.insts[i]
	if !in.there || in.stopping || in.ended || in.critical || !in.healthy || in.maint != none {
		return false
	}
	return s.listedByAll(i)
}

func (s *state) listedByAll(i int) bool {
	for v := range s.views {
		if s.listed[v]&(1<<i) == 0 {
			return false
		}
	}
	return true
}

// world is what a leader reads.
func (s *state) world() World {
	w := World{Status: s.status, Read: at(s.now), Wanted: !s.unwanted, Unwanted: "frozen", Longest: time.Second, Fencers: map[string][]string{}}
	if s.loads {
		w.Reload = reloading * tick
	}
	g := Group{Name: "web", Count: s.count, Canaries: s.canaries, MaxParallel: s.parallel, Promoted: s.promoted, Total: s.count}
	for i := range s.size() {
		in := s.insts[i]
		if !in.there {
			continue
		}
		x := Instance{Target: s.target(i), Version: 1, New: !s.isOld(i), Canary: s.isCanary(i), Stopping: in.stopping, Ended: in.ended,
			Good: s.good(i), Listed: s.listedByAll(i), Out: in.maint != none || !s.registered(i), Ours: in.maint == ours && s.registered(i), RoutedBy: s.routedBy(i), Sign: string(rune('a' + in.sign))}
		w.Instances = append(w.Instances, x)
		if x.New {
			g.Placed++
			if in.healthy {
				g.HealthyOnes++
			}
			if in.healthy && !x.Good && w.Against == (Finding{}) {
				w.Against = Finding{"CanaryNotPassing", s.alloc[i] + " is not passing and listed by every proxy"}
			}
		}
	}
	w.Groups = []Group{g}
	for n := range s.nodes {
		if f := s.fencers[n]; f.present {
			w.Fencers[s.node[n]] = []string{f.mark}
		}
	}
	if s.promoted && s.canaries < s.count {
		w.ProgressBy = at(s.promotedAt + progress)
	}
	return w
}

// standing is what an instance reads of Nomad.
func (s *state) standing() Standing {
	st := Standing{Read: at(s.now), Status: s.status, Promoted: s.promoted, Told: map[string]bool{}}
	for i := range s.size() {
		if s.insts[i].stopping || s.insts[i].ended {
			st.Told[s.alloc[i]] = true
		}
	}
	return st
}

func (s *state) records() []Held {
	if s.rec == nil {
		return nil
	}
	return []Held{{Record: *s.rec, Locked: s.recLock >= 0}}
}

func (s *state) locals(n int) []Local {
	var out []Local
	for i := range s.size() {
		if s.nodeOf(i) != n || !s.registered(i) {
			continue
		}
		l := Local{ID: s.service[i], Maintenance: s.insts[i].maint != none}
		switch s.insts[i].maint {
		case ours:
			l.Reason = Keys{}.Reason("dep")
		case foreign:
			l.Reason = "disk is full"
		case none:
		}
		out = append(out, l)
	}
	return out
}

func (s *state) fail(format string, args ...any) {
	if s.violation == "" {
		s.violation = fmt.Sprintf(format, args...)
	}
}

// key tells states apart: by ages and not by times, and by what a mark is equal
// to and not by what it is.
func (s *state) key() string {
	var b strings.Builder
	age := func(t int) byte { return byte('a' + min(max(s.now-t, 0), oldest)) }
	when := func(t time.Time) byte {
		if t.IsZero() {
			return '-'
		}
		return age(int(t.Sub(epoch) / tick))
	}
	flag := func(bits ...bool) {
		var n byte
		for _, bit := range bits {
			n <<= 1
			if bit {
				n |= 1
			}
		}
		b.WriteByte('0' + n)
	}
	set := func(r []Target) {
		for _, t := range r {
			b.WriteByte(t.Alloc[len(t.Alloc)-1])
		}
		b.WriteByte('/')
	}
	record := func(r *Record) {
		if r == nil {
			b.WriteByte('-')
			return
		}
		b.WriteString(string(r.Step)[:2])
		b.WriteString(string(r.Call))
		flag(r.Final, r.Pause, r.Rolling, r.Reason == "")
		set(r.Set)
		set(r.Kept)
	}
	b.WriteString(s.status[:2])
	flag(s.person, s.promoted, s.byUs, s.eval, s.unwanted)
	flag(s.degraded, s.didFence)
	b.WriteByte(age(s.promotedAt))
	for i := range s.size() {
		in := s.insts[i]
		flag(in.there, in.stopping, in.ended, in.critical, in.healthy)
		b.WriteByte('0' + byte(in.maint))
		b.WriteByte('0' + byte(min(s.now-in.routed, 2)))
		if in.stopping || !in.healthy {
			b.WriteByte(age(in.told))
		}
		if in.maint == ours && s.left == s.budget && !s.promoted {
			b.WriteByte(age(in.fenced))
		}
	}
	b.WriteByte('0' + byte(s.lock+1))
	b.WriteByte('0' + byte(max(s.delay-s.now, 0)))
	b.WriteByte('0' + byte(s.recLock+1))
	b.WriteByte('0' + byte(min(s.now-s.changed, 2)))
	b.WriteString(string(s.flight))
	if s.flight != "" {
		b.WriteByte('a' + byte(s.until.Sub(at(s.now))/time.Second))
	}
	record(s.rec)
	mark := func(m string) byte {
		switch {
		case s.rec != nil && m == s.rec.Mark:
			return '='
		case m == "":
			return '-'
		default:
			return '!'
		}
	}
	for i := range s.chiefs {
		c := s.chiefs[i]
		flag(c.up, c.frozen, c.passed, s.sessions[i].alive)
		b.WriteByte('0' + byte(min(s.now-s.sessions[i].renewed, 5)))
		if s.rec != nil && c.mem.Mark == s.rec.Mark {
			flag(c.mem.Mine, c.mem.Sent, c.mem.Fresh, c.mem.Signs == "" || c.mem.Signs == s.signsNow())
			b.WriteByte(when(c.mem.Since))
			b.WriteByte(when(c.mem.Out))
			if s.loads {
				b.WriteByte(when(c.mem.In))
				flag(c.mem.Signs == "")
			}
		}
		b.WriteByte(when(c.mem.Over))
		if c.pend != nil {
			b.WriteString(string(c.pend.action.Do))
			record(c.pend.action.Record)
			flag(c.pend.index == s.index, c.pend.status == s.status, c.pend.promoted == s.promoted, c.pend.at == s.now)
			if c.pend.action.Record != nil {
				flag(c.mem.Mark == c.pend.action.Record.Mark)
			}
		}
		b.WriteByte(';')
	}
	for n := range s.nodes {
		f := s.fencers[n]
		flag(f.up, f.frozen, f.blind, f.passed, f.present)
		flag(f.looked == s.now)
		b.WriteByte('0' + byte(min(s.now-f.began, 8)))
		b.WriteByte(mark(f.mark))
		b.WriteByte(when(f.mem.Read))
		b.WriteByte('0' + byte(len(f.asked)))
		if f.blind {
			b.WriteByte('0' + byte(min(s.now-f.since, 6)))
		}
		if !f.present || !f.up {
			b.WriteByte(age(f.gone))
		}
		sightings := func(all []Sighting) {
			for _, r := range all {
				b.WriteByte(mark(r.Record.Mark))
				flag(r.Locked)
				b.WriteByte(when(r.Since))
				b.WriteByte(when(r.Over))
				record(&r.Record)
			}
		}
		sightings(f.mem.Records)
		if f.stale != nil {
			for _, h := range f.stale.Records.Value {
				b.WriteByte(mark(h.Record.Mark))
				flag(h.Locked)
				record(&h.Record)
			}
			b.WriteByte(when(f.stale.Records.At))
			flag(len(f.stale.Standings) > 0)
		}
		b.WriteByte(';')
	}
	for v := range s.views {
		b.WriteByte(byte(s.listed[v]))
		if l := s.under[v]; l.under {
			b.WriteByte(byte(l.lists))
			b.WriteByte(age(l.read))
		}
		b.WriteByte('/')
	}
	b.WriteByte('0' + byte(s.left))
	b.WriteByte('0' + byte(min(s.now-s.ownerless, 8)))
	return b.String()
}

// signsNow is what a leader would make of the signs of the record's set.
func (s *state) signsNow() string {
	p := pass{Input: Input{World: s.world(), Record: s.rec}}
	return p.signs()
}
