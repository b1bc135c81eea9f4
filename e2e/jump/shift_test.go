package jump

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShiftMovesTheWallReadingAlone(t *testing.T) {
	now := time.Now()
	back := Shift(now, -time.Hour)
	require.Zero(t, back.Sub(now))
	require.Equal(t, now.Round(0).Add(-time.Hour), back.Round(0))
	require.Equal(t, now, Shift(back, time.Hour))
	require.Panics(t, func() { Shift(now.Round(0), time.Hour) }, "there is only a wall reading")
	require.Panics(t, func() { Shift(now, time.Millisecond) })
}
