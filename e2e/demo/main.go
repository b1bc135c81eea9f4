package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	opts, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(exitOK)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, opts))
}

// run gives the show, cleans up and returns the exit code.
func run(ctx context.Context, opts options) int {
	d := newDemo(opts, newScreen(os.Stdout))
	faults, err := d.play(ctx)
	if err == nil && opts.keep {
		d.linger(ctx)
	}
	interrupted := ctx.Err() != nil && (err != nil || !opts.keep)
	logs := ""
	if !interrupted && (err != nil || len(faults) > 0) {
		logs = d.keepLogs()
	}
	err = errors.Join(unlessInterrupted(interrupted, err), d.close())
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, "demo: not as claimed:", f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
	if logs != "" {
		fmt.Fprintln(os.Stderr, "demo: the logs of all servers are kept in", logs)
	}
	return exitCode(interrupted, err, faults)
}

// unlessInterrupted drops the errors that an interrupt causes everywhere.
func unlessInterrupted(interrupted bool, err error) error {
	if interrupted {
		return nil
	}
	return err
}

func exitCode(interrupted bool, err error, faults []string) int {
	switch {
	case interrupted && err == nil:
		return exitInterrupted
	case err != nil || len(faults) > 0:
		return exitFailed
	default:
		return exitOK
	}
}
