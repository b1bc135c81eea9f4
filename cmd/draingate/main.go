// Command draingate promotes a Nomad canary only when that cannot drop a
// request. See `draingate --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/draingate/draingate/controller/app"
	"github.com/draingate/draingate/controller/cli"
)

// version is stamped by the linker: -ldflags "-X main.version=v1.2.3".
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Program{
		Run:       app.Run,
		Check:     app.Check,
		Nomad:     func() (cli.LiveJobs, error) { return app.NewJobs() },
		Overrides: func() (cli.Overrider, error) { return app.NewOverrides() },
		Fences:    func(leaderKey string) (cli.FenceLifter, error) { return app.NewFenceLifter(leaderKey) },
		Version:   version,
		Environ:   os.Environ(),
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
	}.Main(ctx, os.Args[1:]))
}
