package fence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// event is one thing that can happen next.
type event struct {
	format string
	of     int
	do     func(*state)
}

func (e event) String() string {
	if strings.Contains(e.format, "%d") {
		return fmt.Sprintf(e.format, e.of)
	}
	return e.format
}

// events are all that can happen in the state, in a fixed order.
func (s *state) events() []event {
	var out []event
	add := func(possible bool, format string, of int, do func(*state)) {
		if possible {
			out = append(out, event{format: format, of: of, do: do})
		}
	}
	for i := range s.chiefs {
		s.leaderEvents(i, add)
	}
	for n := range s.nodes {
		s.nodeEvents(n, add)
	}
	for v := range s.views {
		stale := s.listed[v] != s.catalog()
		add(stale && !s.loads, "proxy %d refreshes", v, func(s *state) { s.routes(v, s.catalog()) })
		add(stale && s.loads && !s.under[v].under, "proxy %d reads", v, func(s *state) { s.under[v] = load{true, s.catalog(), s.now} })
		add(s.under[v].under, "proxy %d goes by what it has read", v, func(s *state) {
			s.routes(v, s.under[v].lists)
			s.under[v] = load{}
		})
	}
	add(s.flight != "" && !at(s.now).After(s.until), "the call that took long arrives", 0, func(s *state) {
		do := s.flight
		s.flight = ""
		s.call(0, do)
	})
	s.nomadEvents(add)
	s.outsideEvents(add)
	add(s.canTick(), "tick", 0, (*state).tick)
	return out
}

type adder func(possible bool, format string, of int, do func(*state))

func (s *state) allows(fault string) bool { return s.left > 0 && slices.Contains(s.faults, fault) }

func (s *state) leaderEvents(i int, add adder) {
	c := &s.chiefs[i]
	runs := c.up && !c.frozen
	free := s.lock < 0 && s.now >= s.delay
	add(runs && free && c.pend == nil, "leader %d takes the lock", i, func(s *state) {
		s.lock, s.sessions[i] = i, session{true, s.now}
		s.chiefs[i].mem = Memory{}
	})
	add(runs && s.leading(i) && c.pend == nil, "leader %d looks", i, func(s *state) { s.look(i) })
	add(runs && c.pend != nil, "leader %d writes", i, func(s *state) { s.writes(i, true) })
	add(runs && c.pend != nil && isCall(c.pend.action.Do) && s.allows("lost call"), "leader %d writes, and it is lost", i, func(s *state) {
		s.left--
		s.writes(i, false)
	})
	add(runs && c.pend != nil && !c.pend.action.Until.IsZero() && s.allows("slow call"), "leader %d writes, and it takes long", i, func(s *state) {
		s.left--
		s.flight, s.until = s.chiefs[i].pend.action.Do, s.chiefs[i].pend.action.Until
		s.writes(i, false)
	})
	add(runs && s.lock == i && s.allows("crash"), "leader %d dies", i, func(s *state) {
		s.left--
		s.chiefs[i] = chief{}
	})
	add(runs && s.lock == i && i < s.nodes && s.fencers[i].up && !s.fencers[i].frozen && s.allows("instance crash"), "leader %d dies, and with it the instance on its node", i, func(s *state) {
		s.left--
		s.chiefs[i] = chief{}
		s.dies(i)
	})
	add(!c.up, "leader %d starts", i, func(s *state) { s.chiefs[i] = chief{up: true} })
	add(runs && s.lock == i && s.allows("freeze"), "leader %d is stopped", i, func(s *state) {
		s.left--
		s.chiefs[i].frozen = true
	})
	add(c.up && c.frozen, "leader %d goes on", i, func(s *state) { s.chiefs[i].frozen = false })
	ends := s.sessions[i].alive && s.now-s.sessions[i].renewed >= ttlTicks
	add(ends, "the session of leader %d ends", i, func(s *state) { s.endSession(i) })
	add(s.sessions[i].alive && s.lock == i && s.allows("destroy"), "somebody destroys the session of leader %d", i, func(s *state) {
		s.left--
		s.endSession(i)
	})
}

func isCall(do Do) bool { return do == DoPromote || do == DoPause || do == DoResume || do == DoFail }

// leading is what the process itself believes, by its lease: nine tenths of a
// TTL from its last renewal, and five seconds of it left for a write.
func (s *state) leading(i int) bool {
	return s.lock == i && s.now-s.sessions[i].renewed <= 1 || s.believes(i)
}

// believes: a leader whose session was destroyed learns of it at its next renewal.
func (s *state) believes(i int) bool {
	return s.chiefs[i].mem != (Memory{}) && !s.sessions[i].alive && s.now == s.sessions[i].renewed
}

func (s *state) endSession(i int) {
	s.sessions[i].alive = false
	if s.lock == i {
		s.lock, s.delay = -1, s.now+ttlTicks
	}
	if s.recLock == i {
		s.recLock, s.changed = -1, s.now
	}
}

// look is the first half of a pass: read, and decide.
func (s *state) look(i int) {
	c := &s.chiefs[i]
	seq := uint64(0)
	if s.rec != nil {
		seq = s.rec.Seq
	}
	in := Input{Key: model.Key{Namespace: "default", Deployment: "dep"}, Job: "web", Self: fmt.Sprint(i), Mark: fmt.Sprintf("%d.%d", i, seq+1), World: s.world(),
		Record: s.rec, Owned: s.recLock == i, Memory: c.mem, Policy: Policy{Patience: patience, Ahead: aheadTick * tick}, Now: at(s.now)}
	action, mem := Next(in)
	c.mem, c.passed = mem, true
	if !action.Until.IsZero() && (s.unwanted && action.Do == DoPromote || in.World.Against != (Finding{})) {
		s.fail("leader %d lets Nomad stop what is fenced, although the world is against it: %+v", i, in.World.Against)
	}
	switch action.Do {
	case DoNothing, DoHold, DoWait, DoDone:
	default:
		c.pend = &pending{action: action, index: s.index, status: s.status, promoted: s.promoted, at: s.now}
	}
}

// writes is the second half: with the lease, and with the deployment as it was.
func (s *state) writes(i int, arrives bool) {
	c := &s.chiefs[i]
	p := c.pend
	c.pend = nil
	leased := s.now-s.sessions[i].renewed < 1 // 9 s less 5 s in the first tick only
	switch {
	case !leased || p.at != s.now:
	case p.action.Record != nil || p.action.Do == DoForget:
		s.store(i, p)
	case !arrives || p.status != s.status || p.promoted != s.promoted:
	case !p.action.Until.IsZero() && at(s.now).After(p.action.Until):
	default:
		s.call(i, p.action.Do)
	}
}

// store is the transaction: the leader's lock, the record's index.
func (s *state) store(i int, p *pending) {
	if s.lock != i || !s.sessions[i].alive || p.index != s.index {
		return
	}
	s.index++
	s.changed = s.now
	s.rec, s.recLock = p.action.Record, i
	// A pass of each instance begins with every change of a record.
	for n := range s.nodes {
		s.fencers[n].passed = false
	}
	if p.action.Do == DoForget {
		s.recLock = -1
	}
	s.didFence = s.didFence || p.action.Do == DoFence
}

// call is what Nomad does at once with a call.
func (s *state) call(i int, do Do) {
	terminal := World{Status: s.status}.over()
	switch {
	case terminal:
	case do == DoPromote && !s.promoted:
		s.promoted, s.byUs, s.eval, s.promotedAt = true, true, true, s.now
	case do == DoPause && s.status == model.DeploymentRunning:
		s.status = model.DeploymentPaused
	case do == DoResume && s.status == model.DeploymentPaused:
		if s.person {
			s.fail("leader %d ends the pause of a person", i)
		}
		s.status, s.eval = model.DeploymentRunning, true
	case do == DoFail:
		s.status, s.eval = model.DeploymentFailed, true
	}
}
