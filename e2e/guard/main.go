// Command guard cleans up after a stack whose owner died. The owner holds the
// write end of guard's standard input for as long as it lives and writes one
// byte when it has cleaned up itself. If the input ends without that byte, the
// owner was killed, and guard ends the stack's processes, which a dead owner
// cannot. It keeps the logs.
//
// It must not do anything while the owner lives.
//
// Usage: guard DIR
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/draingate/draingate/e2e/reap"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: guard DIR")
		os.Exit(2)
	}
	// Ctrl-C goes to the whole terminal, and who ends a run may send each of its
	// processes a signal. The owner is the one to act on them; if it is killed before
	// it is done, nobody else unmounts what Nomad has mounted.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if n, _ := os.Stdin.Read(make([]byte, 1)); n == 1 {
		return
	}
	if err := reap.All(os.Args[1], 20*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "guard:", err)
		os.Exit(1)
	}
}
