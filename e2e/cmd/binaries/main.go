// Command binaries finds or installs the server binaries that the end-to-end
// tests and the demo run, and prints their paths as KEY=VALUE lines that a
// shell can read. Progress goes to standard error.
//
// It must not start any of them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/draingate/draingate/e2e/harness"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	// A second Ctrl-C ends it even where the first has to wait for a lock.
	context.AfterFunc(ctx, cancel)
	bins, err := harness.Binaries(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "binaries:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stdout, "DRAINGATE_NOMAD=%s\nDRAINGATE_CONSUL=%s\nDRAINGATE_TRAEFIK=%s\n", bins.Nomad, bins.Consul, bins.Traefik)
}
