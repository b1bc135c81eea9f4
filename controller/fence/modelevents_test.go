package fence

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
		add(s.listed[v] != s.catalog(), "proxy %d refreshes", v, func(s *state) { s.refresh(v) })
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

func (s *state) nodeEvents(n int, add adder) {
	f := &s.fencers[n]
	runs := f.up && !f.frozen
	add(runs && f.stale == nil, "node %d passes", n, func(s *state) {
		in := s.reads(n)
		s.applies(n, in)
	})
	add(runs && f.stale == nil && s.allows("stale node"), "node %d reads, and is stopped", n, func(s *state) {
		s.left--
		in := s.reads(n)
		s.fencers[n].stale, s.fencers[n].frozen = &in, true
	})
	add(f.up && f.frozen, "node %d goes on", n, func(s *state) {
		in := *s.fencers[n].stale
		s.fencers[n].frozen, s.fencers[n].stale = false, nil
		s.applies(n, in)
	})
	add(runs && s.allows("node crash"), "node %d dies", n, func(s *state) {
		s.left--
		s.fencers[n] = fencer{present: true, mark: s.fencers[n].mark, gone: s.now, looked: -1}
	})
	add(!f.up, "node %d starts", n, func(s *state) { s.fencers[n].up, s.fencers[n].present = true, true })
	add(!f.up && f.present && s.now-f.gone >= ttlTicks, "node %d is not present any more", n, func(s *state) {
		s.fencers[n].present, s.fencers[n].mark = false, ""
	})
	add(runs && !f.blind && s.allows("node blind"), "node %d cannot read the records", n, func(s *state) {
		s.left--
		s.fencers[n].blind, s.fencers[n].since = true, s.now
	})
	add(runs && f.blind, "node %d reads again", n, func(s *state) { s.fencers[n].blind = false })
}

// reads is the first half of an instance's pass.
func (s *state) reads(n int) NodeInput {
	f := &s.fencers[n]
	in := NodeInput{Node: s.node[n], TTL: ttlTicks * tick, Records: model.Unseen[[]Held](at(s.now), "refused"), Standings: map[string]Standing{}}
	if !f.blind {
		in.Records = model.Seen(s.records(), at(s.now))
	}
	for _, key := range f.asked {
		in.Standings[key.Deployment] = s.standing()
	}
	return in
}

// applies is the second half: its own agent is asked and told at once.
func (s *state) applies(n int, in NodeInput) {
	f := &s.fencers[n]
	in.Locals, in.Memory, in.Now = model.Seen(s.locals(n), at(s.now)), f.mem, at(s.now)
	action, mem := Apply(in)
	f.mem, f.asked, f.passed = mem, action.Ask, true
	if in.Records.Known() && in.Records.At == at(s.now) {
		f.looked = s.now
	}
	if mark, ok := action.Acks["dep"]; ok && !f.blind {
		f.mark = mark
	}
	for i := range s.size() {
		if _, set := action.Set[s.service[i]]; set {
			s.sets(i)
		}
		if slices.Contains(action.Lift, s.service[i]) {
			s.lifts(n, i)
		}
	}
	if len(action.Pause) > 0 && s.status == model.DeploymentRunning {
		if s.rec == nil || !s.rec.Pause {
			s.fail("node %d pauses, and no record says that it is ours", n)
		}
		s.status = model.DeploymentPaused
	}
}

func (s *state) sets(i int) {
	if s.insts[i].maint != none {
		s.fail("maintenance is set over another on %d", i)
	}
	s.insts[i].maint, s.insts[i].sign, s.insts[i].fenced = ours, (s.insts[i].sign+1)%16, s.now
	serving := 0
	for j := range s.size() {
		in := s.insts[j]
		if in.there && !in.stopping && !in.ended && !in.critical && in.healthy && in.maint == none {
			serving++
		}
	}
	floor := Floor(Group{Count: s.count, MaxParallel: s.parallel})
	if serving < floor && !s.degraded && !s.insts[i].stopping {
		s.fail("%d instances serve, fewer than %d", serving, floor)
	}
}

func (s *state) lifts(n, i int) {
	in := &s.insts[i]
	switch {
	case in.maint != ours:
		s.fail("node %d lifts a maintenance that is not ours from %d", n, i)
	case in.stopping && s.byUs && s.isOld(i):
		s.fail("node %d lifts the fence of %d, which was told to stop", n, i)
	}
	in.maint, in.sign = none, (in.sign+1)%16
}

func (s *state) refresh(v int) {
	for i := range s.size() {
		if s.listed[v]&(1<<i) != 0 {
			s.insts[i].routed = s.now
		}
	}
	s.listed[v] = s.catalog()
}

func (s *state) nomadEvents(add adder) {
	add(s.eval, "Nomad schedules", 0, (*state).schedules)
	for i := range s.size() {
		in := s.insts[i]
		add(in.there && in.stopping && !in.ended, "alloc-%d ends", i, func(s *state) { s.ends(i) })
		add(in.there && !in.healthy && !in.stopping && s.now-in.told >= renewal, "alloc-%d becomes healthy", i, func(s *state) {
			s.insts[i].healthy, s.eval = true, true
		})
	}
}

// schedules is one evaluation, as computeStop and computeDestructiveUpdates do it.
func (s *state) schedules() {
	s.eval = false
	over := World{Status: s.status}.over()
	if !s.promoted {
		if over {
			s.stopCanaries()
		}
		return
	}
	for i := range s.canaries {
		s.stops(i, "promotion")
	}
	if s.status == model.DeploymentRunning {
		s.destructive()
	}
	s.completes()
}

func (s *state) stopCanaries() {
	for i := s.count; i < s.count+s.canaries; i++ {
		if s.insts[i].there && !s.insts[i].stopping {
			s.insts[i].stopping, s.insts[i].told = true, s.now
		}
	}
	s.degraded = true
}

// destructive stops the next batch, unless one that is not healthy yet counts
// against it.
func (s *state) destructive() {
	limit := s.parallel
	for i := s.count; i < s.size(); i++ {
		if s.insts[i].there && !s.insts[i].healthy {
			limit--
		}
	}
	for i := range s.count {
		in := s.insts[i]
		if limit > 0 && in.there && !in.stopping && !in.ended {
			s.stops(i, "the deployment that goes on")
			limit--
			// The replacement waits for the end of what it replaces.
			s.insts[s.count+i] = inst{there: true, told: s.now, routed: s.now - oldest}
		}
	}
}

// stops is the moment of truth.
func (s *state) stops(i int, why string) {
	in := &s.insts[i]
	if in.stopping || in.ended || !in.there {
		return
	}
	if s.byUs {
		if by := s.routedBy(i); by != "" {
			s.fail("%s stops %s, which %s routes to", why, s.alloc[i], by)
		}
		if s.now-in.routed < 1 {
			s.fail("%s stops %s, to which a request may be under way", why, s.alloc[i])
		}
	}
	in.stopping, in.told = true, s.now
	if !s.lingers {
		in.maint = none
	}
}

func (s *state) ends(i int) {
	s.insts[i].ended = true
	s.insts[i].maint = none
}

// completes marks the deployment successful in the step that stops the last.
func (s *state) completes() {
	if s.status != model.DeploymentRunning {
		return
	}
	for i := range s.size() {
		in := s.insts[i]
		if s.isOld(i) && !in.stopping && !in.ended || in.there && !in.healthy {
			return
		}
	}
	s.status = model.DeploymentSuccessful
}

func (s *state) outsideEvents(add adder) {
	quiet := !s.eval
	for i := range s.chiefs {
		// What happens between the last look and the stop is seen by nobody.
		quiet = quiet && s.chiefs[i].pend == nil
	}
	over := World{Status: s.status}.over()
	fault := func(kind string, possible bool, format string, of int, do func(*state)) {
		add(possible && s.allows(kind), format, of, func(s *state) {
			s.left--
			do(s)
		})
	}
	owed := s.rec != nil && s.rec.Pause
	fault("person pauses", s.status == model.DeploymentRunning && !owed && quiet, "a person pauses", 0, func(s *state) { s.status, s.person = model.DeploymentPaused, true })
	add(s.status == model.DeploymentPaused && s.person, "the person resumes", 0, func(s *state) {
		s.status, s.person, s.eval = model.DeploymentRunning, false, true
	})
	fault("person promotes", !s.promoted && !over, "a person promotes", 0, func(s *state) { s.promoted, s.eval, s.promotedAt, s.degraded = true, true, s.now, true })
	fault("newer version", !over && !s.promoted, "a newer version is submitted", 0, func(s *state) { s.status, s.eval, s.degraded = model.DeploymentCancelled, true, true })
	fault("person fails", !over, "a person fails the deployment", 0, func(s *state) { s.status, s.eval, s.degraded = model.DeploymentFailed, true, true })
	fault("person freezes", !s.unwanted, "a person freezes the job", 0, func(s *state) { s.unwanted = true })
	fault("canary critical", !s.insts[s.count].critical && !s.insts[s.count].stopping, "a canary turns critical", 0, func(s *state) { s.insts[s.count].critical, s.degraded = true, true })
	add(s.insts[s.count].critical, "the canary recovers", 0, func(s *state) { s.insts[s.count].critical = false })
	for i := range s.count {
		in := s.insts[i]
		lives := in.there && !in.stopping && !in.ended
		fault("maintenance", lives && in.maint == none && quiet, "a person sets maintenance on alloc-%d", i, func(s *state) {
			s.insts[i].maint, s.insts[i].sign, s.degraded = foreign, (s.insts[i].sign+1)%16, true
		})
		fault("maintenance ends", lives && in.maint == foreign && quiet, "the person ends it on alloc-%d", i, func(s *state) {
			s.insts[i].maint, s.insts[i].sign = none, (s.insts[i].sign+1)%16
		})
		fault("registered anew", lives && in.maint == ours && quiet, "Nomad registers alloc-%d anew", i, func(s *state) {
			s.insts[i].maint, s.insts[i].sign = none, (s.insts[i].sign+1)%16
		})
	}
}

// canTick is whether everyone who runs has made a pass, and nothing is overdue.
func (s *state) canTick() bool {
	for i := range s.chiefs {
		c := s.chiefs[i]
		if c.up && !c.frozen && (c.pend != nil || s.leading(i) && !c.passed) {
			return false
		}
		if s.sessions[i].alive && s.now-s.sessions[i].renewed >= 2*ttlTicks {
			return false
		}
	}
	for n := range s.nodes {
		if f := s.fencers[n]; f.up && !f.frozen && !f.passed {
			return false
		}
	}
	return !s.eval
}

// tick lets five seconds pass, at the end of which the bounds are looked at.
func (s *state) tick() {
	s.bounds()
	s.now++
	if s.flight != "" && at(s.now).After(s.until) {
		s.flight = ""
	}
	alive := false
	for i := range s.chiefs {
		c := &s.chiefs[i]
		c.passed = false
		if c.up && !c.frozen && s.sessions[i].alive && s.lock == i {
			s.sessions[i].renewed = s.now
			alive = alive || s.recLock == i
		}
	}
	for n := range s.nodes {
		s.fencers[n].passed = false
	}
	if alive || s.rec == nil {
		s.ownerless = s.now
	}
	for i := range s.size() {
		if s.routedBy(i) != "" {
			s.insts[i].routed = s.now
		}
	}
	if s.promoted && s.canaries < s.count && s.now-s.promotedAt >= progress && !(World{Status: s.status}).over() {
		// Before 2.0.1 Nomad fails a paused deployment, too.
		if s.status == model.DeploymentPaused && !s.person && alive && s.now-s.ownerless < 1 && s.left == s.budget {
			s.fail("a pause of ours is ended by the progress deadline")
		}
		s.status, s.eval, s.degraded = model.DeploymentFailed, true, true
	}
}

// bounds are those of how long a fence may stand.
func (s *state) bounds() {
	for i := range s.count {
		in, f := s.insts[i], s.fencers[s.nodeOf(i)]
		if in.maint != ours || in.stopping || !f.up || f.frozen || f.mem.Read == (time.Time{}) {
			continue
		}
		armed := s.rec != nil && s.rec.Step == StepArmed
		wanted := s.rec != nil && s.rec.Step != StepEnded && slices.ContainsFunc(s.rec.Set, func(t Target) bool { return t.Alloc == s.alloc[i] })
		alone := s.now - s.ownerless
		switch {
		case f.blind && (!armed || !s.landed()) && s.now-f.since > 2*ttlTicks+3:
			s.fail("the fence of %s stands although node cannot see its record for %d ticks", s.alloc[i], s.now-f.since)
		case f.blind || f.looked != s.now:
		case armed && s.landed():
			// It may be told to stop at any moment.
		case !wanted && s.now-s.changed > 1:
			s.fail("the fence of %s is not wanted for %d ticks", s.alloc[i], s.now-s.changed)
		case s.recLock < 0 && !armed && alone > 2*ttlTicks+1, s.recLock < 0 && armed && alone > 2*ttlTicks+3:
			s.fail("the fence of %s outlives its owner by %d ticks", s.alloc[i], alone)
		case s.left == s.budget && !s.promoted && s.now-in.fenced > longest:
			s.fail("the fence of %s stands for %d ticks", s.alloc[i], s.now-in.fenced)
		}
	}
}

// longest is how many ticks a fence may stand before a promotion where nothing
// goes wrong: the patience with a set, with the pause, and the window.
const longest = 13

func (s *state) landed() bool {
	return s.promoted && (s.rec.Call == CallPromote || s.status != model.DeploymentPaused)
}

// trace is how a state was reached.
func trace(names []string) string {
	return "\n  " + strings.Join(names, "\n  ")
}
