package fence

import (
	"github.com/draingate/draingate/controller/model"
)

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
