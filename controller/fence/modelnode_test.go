package fence

import (
	"slices"

	"github.com/draingate/draingate/controller/model"
)

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
		s.dies(n)
	})
	add(!f.up, "node %d starts", n, func(s *state) { s.fencers[n].up, s.fencers[n].present, s.fencers[n].began = true, true, s.now })
	add(!f.up && f.present && s.now-f.gone >= ttlTicks, "node %d is not present any more", n, func(s *state) {
		s.fencers[n].present, s.fencers[n].mark = false, ""
	})
	add(runs && !f.blind && s.allows("node blind"), "node %d cannot read the records", n, func(s *state) {
		s.left--
		s.fencers[n].blind, s.fencers[n].since = true, s.now
	})
	add(runs && f.blind, "node %d reads again", n, func(s *state) { s.fencers[n].blind = false })
}

// dies ends the instance on a node; what it said stays until its session ends.
func (s *state) dies(n int) {
	s.fencers[n] = fencer{present: true, mark: s.fencers[n].mark, gone: s.now, looked: -1}
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
	// The answer to a question begins another pass.
	f.mem, f.asked, f.passed = mem, action.Ask, len(action.Ask) == 0 || len(in.Standings) > 0
	if in.Records.Known() && in.Records.At.Equal(at(s.now)) {
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

// routes has a proxy list these from now on, instead of those it listed until now.
func (s *state) routes(v int, listed uint16) {
	for i := range s.size() {
		if s.listed[v]&(1<<i) != 0 {
			s.insts[i].routed = s.now
		}
	}
	s.listed[v] = listed
}
