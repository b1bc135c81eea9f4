package main

import (
	"maps"
	"slices"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// scene is what the display shows at one moment.
type scene struct {
	// at is the time since the demo began, doing what it does.
	at    time.Duration
	doing string
	sides []sideView
}

// sideView is one side of an act at one moment.
type sideView struct {
	gated bool
	phase string
	// seconds are those of the load that are over; the last one is not.
	seconds        []harness.LoadSecond
	requests, lost int
	// versions answered in the last second.
	versions []string
	// sending is false before the load begins and after it has ended.
	sending bool
	// said is what draingate says now, told what it decided so far.
	said decision
	told []decision
}

// lastSecond is the last second of the load that is over.
func (v sideView) lastSecond() harness.LoadSecond {
	if len(v.seconds) == 0 {
		return harness.LoadSecond{}
	}
	return v.seconds[len(v.seconds)-1]
}

// pace finds out which versions answer now, from counts since the start.
type pace struct {
	at       time.Time
	counts   map[string]int
	versions []string
}

// look takes a count. The versions change once a second at most, so that a
// version that answers a part of the requests does not come and go.
func (p *pace) look(now time.Time, counts map[string]int) {
	if now.Sub(p.at) < time.Second {
		return
	}
	p.versions = nil
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if counts[v] > p.counts[v] {
			p.versions = append(p.versions, v)
		}
	}
	p.at, p.counts = now, counts
}

// view is the side as it is now.
func (s *side) view(now time.Time) sideView {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := sideView{gated: s.gated, phase: s.phase, sending: s.load != nil && !s.ended}
	v.said, _ = s.stage.gate.of(s.job.Name, s.version)
	if s.gated {
		v.told = s.stage.gate.told(s.job.Name)
	}
	if v.phase == waiting && v.said.Decision == "Fence" {
		v.phase = "version 1 is taken out of rotation in Consul; Traefik drops it at its next refresh"
	}
	if s.load == nil {
		return v
	}
	r := s.load.Snapshot()
	v.requests, v.lost = r.Requests, r.Lost
	v.seconds = r.Seconds[:max(0, len(r.Seconds)-1)]
	if !s.ended {
		s.pace.look(now, r.Versions)
	}
	v.versions = s.pace.versions
	return v
}
