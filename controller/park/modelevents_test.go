package park_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// second lets one pass: what befalls the world, and then everyone in some order.
func (w *world) second() {
	w.now++
	if !w.calm {
		w.befall()
	}
	w.nomad()
	w.consul()
	steps := []func(){w.leader}
	for n := range w.places {
		steps = append(steps, func() { w.node(n) }, func() { w.listener(n) })
	}
	for i := range w.edges {
		steps = append(steps, func() { w.proxy(i) })
	}
	for len(steps) > 0 {
		i := w.choose(len(steps))
		steps[i]()
		w.check()
		steps = slices.Delete(steps, i, i+1)
	}
}

func (w *world) once(what string, format string, args ...any) {
	w.happened[what]++
	w.say(format, args...)
}

// befall has at most one thing happen that is not of the protocol.
func (w *world) befall() {
	if w.budget == 0 || w.choose(12) > 0 {
		return
	}
	what := w.faults[w.choose(len(w.faults))]
	n := w.choose(len(w.places))
	p := w.places[n]
	switch {
	case what == "deploy" || what == "bad deploy":
		w.deploy(what == "bad deploy")
	case what == "pause":
		w.pausedUntil = w.now + 10 + w.choose(40)
	case what == "resume":
		w.pausedUntil = 0
	case what == "stop":
		w.stopped = true
		w.tell()
	case what == "ask no more":
		w.asks = !w.asks
	case what == "leader dies":
		// The next one knows nothing, and may have the write of the first before it.
		w.leaderless, w.ran = w.now+2+w.choose(4), map[string]time.Time{}
	case what == "node dies" && p.up:
		p.up, p.lot, p.memory, p.read, p.ended, p.died = false, nil, park.NodeMemory{}, nil, w.now+sessionTTL, w.now
		w.crashed, w.covered = w.now, false
	case what == "session ends" && p.up:
		p.said, p.ended = nil, w.now+1+w.choose(6)
	case what == "late node" && p.up:
		p.since = w.now + 2
	default:
		return
	}
	w.budget--
	w.once(what, "%s (n%d)", what, n)
}

func (w *world) deploy(bad bool) {
	w.version++
	w.stopped = false
	w.tell()
	w.made++
	a := &allocation{id: fmt.Sprint("a", w.made), address: fmt.Sprintf("10.0.0.%d:%d", w.choose(len(w.places)), 8000+w.choose(2)), node: w.choose(len(w.places)), version: w.version, told: -1, born: unborn, bad: bad}
	w.allocations = append(w.allocations, a)
}

// tell has all instances told to stop.
func (w *world) tell() {
	for _, a := range w.allocations {
		if a.told < 0 {
			a.told = w.now
		}
	}
}

// nomad goes on with all instances: a new one starts once all before it have ended.
func (w *world) nomad() {
	busy := false
	for _, a := range w.allocations {
		switch {
		case a.ends:
		case a.born == unborn && a.told >= 0:
			a.ends = true
		case a.born == unborn && busy:
		case a.born == unborn:
			a.born, a.serves = w.now, true
		case a.told >= 0 && w.now >= a.told+groupDelay+taskDelay:
			a.serves, a.passes, a.ends, a.maintenance = false, false, true, ""
			w.say("%s has ended", a.id)
		case !a.passes && !a.bad && w.now >= a.born+warmUp:
			a.passes = true
			w.say("%s passes at %s", a.id, a.address)
		}
		busy = busy || !a.ends
	}
}

// consul ends sessions, and removes what is dead.
func (w *world) consul() {
	for n, p := range w.places {
		if p.at == "" || w.live(p.at) {
			p.died = 0
		} else if p.died == 0 {
			p.died = w.now
		}
		if p.at != "" && p.died > 0 && w.now-p.died > reaped {
			p.at = ""
		}
		if !p.up && w.now == p.ended {
			p.said = nil
		}
		if !p.up && (w.calm || w.choose(8) == 0) {
			p.up = true
			w.say("n%d is up again", n)
		}
		if p.up && p.said == nil && w.now >= p.ended {
			p.said = &park.Presence{}
		}
	}
}

// leader makes a pass; what it writes may come a second late.
func (w *world) leader() {
	if w.pend != nil {
		w.write(*w.pend)
		w.pend = nil
		return
	}
	if w.now < w.leaderless {
		return
	}
	f := w.facts()
	built, err := park.Build(f)
	if err != nil {
		w.fail("build: %v", err)
		return
	}
	action := park.Next(built)
	w.ran = f.Remember()
	if action.Do == park.DoNothing {
		return
	}
	p := pending{action, f.Index()}
	if slices.Contains(w.faults, "late write") && w.choose(4) == 0 {
		w.pend = &p
		return
	}
	w.write(p)
}

// write is the transaction: only where the record is still the one that was read.
func (w *world) write(p pending) {
	current := w.index
	if w.record == nil {
		current = 0
	}
	if p.index != current {
		return
	}
	w.index++
	before := w.record
	w.record = p.action.Record
	switch {
	case w.record == nil:
		w.once("forgotten", "the record is forgotten")
	case before == nil || before.Step != w.record.Step || before.ByHand != w.record.ByHand || len(before.Fenced) != len(w.record.Fenced):
		w.once(string(w.record.Step), "record: %s by hand %t, nodes %v, fenced %v, reason %q", w.record.Step, w.record.ByHand, w.record.Nodes, w.record.Fenced, w.record.Reason)
		if w.record.Reason != "" {
			w.happened[string(w.record.Reason)]++
		}
	}
}

// node makes a pass: it reads, and acts now or up to two seconds later.
func (w *world) node(n int) {
	p := w.places[n]
	if !p.up {
		return
	}
	if p.read == nil {
		in := w.reads(n)
		p.read = &in
	}
	if w.now < p.since {
		return
	}
	in := *p.read
	p.read = nil
	in.Now = w.time()
	in.Memory = p.memory
	action, memory := park.Apply(in)
	p.memory = memory
	if p.lot != nil {
		p.lot.sighting = memory.Seen["web"]
	}
	if p.said != nil {
		p.said = &park.Presence{Lots: action.Lots}
	}
	w.acts(n, action)
}

func (w *world) reads(n int) park.NodeInput {
	p := w.places[n]
	now := w.time()
	in := park.NodeInput{Node: node(n), Keys: keys, Lots: map[string]park.Open{}}
	var records []park.Record
	if w.record != nil {
		records = []park.Record{*w.record}
	}
	in.Records = model.Seen(records, now)
	var locals []model.LocalService
	for _, a := range w.allocations {
		if a.node == n && a.registered(w.now) {
			locals = append(locals, model.LocalService{ID: "_nomad-" + a.id, Name: "web", Address: a.address, Maintenance: a.maintenance != "", Reason: a.maintenance})
		}
	}
	if p.at != "" {
		locals = append(locals, model.LocalService{ID: keys.Placeholder("web", node(n)), Name: "web", Address: p.at, Critical: w.critical(p)})
	}
	in.Locals = model.Seen(locals, now)
	if p.lot != nil {
		in.Lots["web"] = park.Open{Address: p.lot.address, Answers: w.passesOn(p.lot), Registered: p.lot.registered, Closing: p.lot.closing, Closed: p.lot.closed}
	}
	return in
}

func (w *world) passesOn(l *garage) bool {
	return slices.ContainsFunc(park.Backends(l.sighting, l.catalog), func(b park.Backend) bool { return b.Until.IsZero() || w.time().Before(b.Until) })
}

// acts does what the instance on a node is to do.
func (w *world) acts(n int, a park.NodeAction) {
	p := w.places[n]
	for range a.Open {
		p.lots++
		p.lot = &garage{address: fmt.Sprintf("10.0.0.%d:%d", n, 20000+p.lots), catalog: w.catalog()}
		w.say("n%d listens at %s", n, p.lot.address)
	}
	if len(a.Register) > 0 {
		p.at, p.died, p.lot.registered = p.lot.address, 0, true
		w.say("n%d registers %s", n, p.at)
	}
	if len(a.Deregister) > 0 {
		w.say("n%d deregisters %s", n, p.at)
		p.at = ""
	}
	if len(a.Close) > 0 {
		// A listener of package parking closes once no request has come for 3 s.
		p.lot.closing, p.lot.shut = true, w.now+3
	}
	for _, one := range w.allocations {
		id := "_nomad-" + one.id
		if reason, set := a.Set[id]; set && one.registered(w.now) {
			w.fences(one, reason)
		}
		if slices.Contains(a.Lift, id) {
			one.maintenance = ""
			w.once("lifted", "n%d lifts %s", n, one.id)
		}
	}
	if p.lot != nil && p.lot.closed {
		if lot, said := a.Lots["web"]; !said || lot.State == park.LotClosed {
			p.lot = nil
		}
	}
}

// fences is the moment of truth of a pause.
func (w *world) fences(a *allocation, reason string) {
	a.maintenance = reason
	w.once("fenced", "%s is put into maintenance", a.id)
	for i, e := range w.edges {
		if e.pool[a.address] && w.now-w.crashed > reaped && !slices.ContainsFunc(w.places, func(p *place) bool { return p.lot != nil && w.live(p.lot.address) && e.pool[p.lot.address] }) {
			w.fail("%s is taken out, and edge-%d has no placeholder", a.id, i)
		}
	}
}

// listener hears of the catalog, up to a second late, and closes.
func (w *world) listener(n int) {
	p := w.places[n]
	if !p.up || p.lot == nil {
		return
	}
	if w.choose(2) == 0 {
		p.lot.catalog = w.catalog()
	}
	if p.lot.closing && !p.lot.closed && w.now >= p.lot.shut {
		p.lot.closed, w.shut[p.lot.address] = true, true
		w.once("closed", "n%d closes %s", n, p.lot.address)
	}
}

// proxy loads at each refresh, and switches a while after.
func (w *world) proxy(i int) {
	e := w.edges[i]
	if e.loaded != nil && w.now >= e.next {
		e.pool, e.loaded = e.loaded, nil
		e.next = w.now + w.choose(refresh)
		return
	}
	if e.loaded == nil && w.now >= e.next {
		e.loaded, e.next = w.passing(), w.now+w.choose(5)
	}
}
