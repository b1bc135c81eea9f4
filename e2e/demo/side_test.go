package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// says has draingate say one thing after the other of version 1 of job "web",
// each for as long as is given, and the last for good.
func says(g *gate, spans ...struct {
	decision
	lasts time.Duration
}) {
	for _, s := range spans {
		s.Job, s.JobVersion = "web", 1
		g.mu.Lock()
		g.last = []decision{s.decision}
		g.mu.Unlock()
		time.Sleep(s.lasts)
	}
}

func TestWatchHold(t *testing.T) {
	type span = struct {
		decision
		lasts time.Duration
	}
	unsafe := decision{Decision: "Hold", Reason: "DrainUnsafe"}
	blind := decision{Decision: "Hold", Reason: "NomadUnknown"}
	for name, tt := range map[string]struct {
		says           []span
		held, at       time.Duration
		last           string
		waitsForNobody bool
	}{
		"a hold that lasts":                      {[]span{{blind, 5 * time.Second}, {unsafe, 0}}, holdAtLeast, 15 * time.Second, "Hold DrainUnsafe", true},
		"blind for a moment":                     {[]span{{unsafe, 8 * time.Second}, {blind, time.Second}, {unsafe, 0}}, holdAtLeast, 19 * time.Second, "Hold DrainUnsafe", true},
		"promoted after a hold":                  {[]span{{unsafe, 8 * time.Second}, {decision{Decision: "Promote", Reason: "X"}, 0}}, 0, 8 * time.Second, "Promote X", true},
		"another reason for good":                {[]span{{unsafe, 8 * time.Second}, {blind, 0}}, 0, comesWithin, "Hold NomadUnknown", true},
		"a hold until the other side is through": {[]span{{unsafe, 0}}, 30 * time.Second, 30 * time.Second, "Hold DrainUnsafe", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := &gate{}, time.Now()
				s := &side{stage: &stage{gate: g}, act: allActs()[1], version: 1}
				s.job.Name = "web"
				go says(g, tt.says...)
				synctest.Wait()
				last, held, err := s.watchHold(t.Context(), func() bool { return tt.waitsForNobody || time.Since(began) >= 30*time.Second })
				require.NoError(t, err)
				require.Equal(t, tt.last, last.step())
				require.InDelta(t, tt.held.Seconds(), held.Seconds(), 0.3)
				require.InDelta(t, tt.at.Seconds(), time.Since(began).Seconds(), 0.3)
			})
		})
	}
}
