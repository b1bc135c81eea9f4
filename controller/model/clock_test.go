package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/jump"
)

func TestOnClock(t *testing.T) {
	now := time.Now()
	before := now.Add(-10 * time.Minute)
	tests := map[string]struct {
		now, t, want time.Time
	}{
		"an even clock changes nothing":         {now, before, before},
		"a second is no jump":                   {jump.Shift(now, -time.Second), before, before},
		"a clock that was set ahead":            {jump.Shift(now, time.Hour), before, before.Add(time.Hour)},
		"a clock that was set back":             {jump.Shift(now, -time.Hour), before, before.Add(-time.Hour)},
		"a date from outside is what it is":     {jump.Shift(now, time.Hour), before.Round(0), before},
		"a date that came with an earlier jump": {now, jump.Shift(before, time.Hour), before},
		"the zero time stays zero":              {now, time.Time{}, time.Time{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want.Round(0), OnClock(tt.now, tt.t).Round(0))
		})
	}
}
