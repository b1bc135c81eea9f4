package status_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
	"github.com/draingate/draingate/e2e/jump"
)

// A decision that is a minute old is that on every clock, and nothing began
// after it was observed.
func TestDatesAreByTheClockOfTheLastObservation(t *testing.T) {
	begun := time.Now()
	for name, by := range map[string]time.Duration{"even": 0, "set ahead": time.Hour, "set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := status.NewStore()
			observedAt := func(at time.Time) func(*model.Record) {
				return func(r *model.Record) { r.Observed, r.PromotedAt = at, begun }
			}
			s.Record(record("a", observedAt(begun)))
			s.Record(record("a", observedAt(jump.Shift(begun.Add(time.Minute), by))))
			d := status.EncodeDeployment(s.Records()[0])
			want := begun.Add(by).UTC().Round(0)
			require.Equal(t, want, d.Since.Round(0))
			require.Equal(t, want, d.PromotedAt.Round(0))
			require.Equal(t, want, d.Conditions[0].Since.Round(0))
			require.Equal(t, want.Add(time.Minute), d.Observed.Round(0))
		})
	}
}
