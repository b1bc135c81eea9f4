//go:build unix

package jump

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// send has the process signal itself and waits until the clock is off by that.
func send(t *testing.T, s syscall.Signal, by time.Duration) {
	t.Helper()
	require.NoError(t, syscall.Kill(syscall.Getpid(), s))
	require.Eventually(t, func() bool {
		off := Now().Round(0).Sub(time.Now().Round(0)) - by
		return off.Abs() < time.Second
	}, 5*time.Second, time.Millisecond)
}

func TestOnlyTheWallReadingJumps(t *testing.T) {
	before := Now()
	wall := before.Round(0)
	require.InDelta(t, 0, time.Until(before).Seconds(), 1)

	send(t, syscall.SIGUSR1, By)
	require.InDelta(t, 0, Since(before).Seconds(), 5, "the monotonic reading goes on")
	require.InDelta(t, By.Seconds(), Since(wall).Seconds(), 5, "what has none has aged")
	require.InDelta(t, 0, Until(before).Seconds(), 5)
	require.InDelta(t, -By.Seconds(), Until(wall).Seconds(), 5)

	send(t, syscall.SIGUSR1, By)
	send(t, syscall.SIGUSR2, -By)
	require.InDelta(t, 0, Since(before).Seconds(), 5)
	require.InDelta(t, -By.Seconds(), Since(wall).Seconds(), 5, "absolute: not one hour back from one hour ahead")
}
