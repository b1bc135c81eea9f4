//go:build unix

package jump

import (
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// By is how far a signal moves the clock from the true time, in either
// direction.
const By = time.Hour

// clock is the one of this process. A jump is a thing of the whole process, as
// the real clock is, and the functions that it replaces take no argument.
var clock = sync.OnceValue(func() *clockwork { //nolint:gochecknoglobals // see above
	c := new(clockwork)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	go c.obey(signals)
	return c
})

// clockwork holds how far the clock is off, in whole seconds.
type clockwork struct{ seconds atomic.Int64 }

// obey runs for as long as the process.
func (c *clockwork) obey(signals <-chan os.Signal) {
	for s := range signals {
		if s == syscall.SIGUSR1 {
			c.seconds.Store(int64(By / time.Second))
		} else {
			c.seconds.Store(-int64(By / time.Second))
		}
	}
}

// Now is time.Now with the wall reading moved. The first call begins to listen
// to the signals, which end a process that does not.
func Now() time.Time { return Shift(time.Now(), time.Duration(clock().seconds.Load())*time.Second) }

// Since is time.Since by Now: what both have of a monotonic reading decides,
// and the wall only where one of them has none.
func Since(t time.Time) time.Duration { return Now().Sub(t) }

// Until is time.Until by Now.
func Until(t time.Time) time.Duration { return t.Sub(Now()) }
