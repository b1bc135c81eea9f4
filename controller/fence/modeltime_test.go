package fence

import (
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

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
	for v := range s.views {
		if l := s.under[v]; l.under && s.now-l.read >= reloading-1 {
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
		if in.maint != ours || in.stopping || !f.up || f.frozen || f.mem.Read.IsZero() {
			continue
		}
		armed := s.rec != nil && s.rec.Step == StepArmed
		wanted := s.rec != nil && s.rec.Step != StepEnded && slices.ContainsFunc(s.rec.Set, func(t Target) bool { return t.Alloc == s.alloc[i] })
		// What was killed leaves it until the next one begins.
		alone := s.now - max(s.ownerless, f.began)
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
