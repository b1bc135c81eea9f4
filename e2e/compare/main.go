package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

func main() {
	opts, err := parseOptions(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	err = run(ctx, opts)
	switch {
	case ctx.Err() != nil:
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run compares on a stack of its own, and prints the results as they come and
// all of them at the end.
func run(ctx context.Context, opts options) (err error) {
	found, err := find(ctx, opts)
	if err != nil {
		return err
	}
	bins, err := harness.Binaries(ctx, os.Stderr)
	if err != nil {
		return err
	}
	stack, err := harness.Start(ctx, harness.Options{Bins: bins, DNS: true})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			fmt.Fprintln(os.Stderr, "logs are kept in", stack.KeepLogs())
		}
		err = errors.Join(err, stack.Close())
	}()
	results, err := compare(ctx, stack, found, opts)
	fmt.Fprint(os.Stdout, "\n", table(results))
	return err
}

// compare runs each way as often as it is to be run. One that fails does not
// keep the others from being run.
func compare(ctx context.Context, stack *harness.Stack, found programs, opts options) ([]result, error) {
	var results []result
	var errs []error
	for _, w := range chosen(opts.ways) {
		for range opts.count {
			limited, cancel := context.WithTimeout(ctx, 4*time.Minute)
			r, err := (&scene{stack: stack, programs: found, rate: opts.rate, sleep: opts.sleep}).measure(limited, w)
			cancel()
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", w.name, err))
				continue
			}
			fmt.Fprintf(os.Stdout, "%s:\n  GET: %s\n  POST: %s\n", w.name, r.get, r.post)
			if r.overlap != "" {
				errs = append(errs, fmt.Errorf("%s: two writers met: %s", w.name, r.overlap))
			}
			results = append(results, r)
		}
	}
	return results, errors.Join(errs...)
}

// chosen are the ways of these names.
func chosen(names []string) []way {
	var out []way
	for _, name := range names {
		for _, w := range ways() {
			if w.name == name {
				out = append(out, w)
			}
		}
	}
	return out
}

// find finds what the chosen ways need, before anything is started.
func find(ctx context.Context, opts options) (found programs, err error) {
	var errs [3]error
	if slices.ContainsFunc(opts.ways, func(name string) bool { return strings.HasPrefix(name, "caddy") }) {
		found.caddy, errs[0] = findCaddy(ctx, opts.caddy)
	}
	if slices.Contains(opts.ways, "kamal-proxy") {
		found.kamal, errs[1] = harness.KamalProxy(ctx, os.Stderr)
	}
	if slices.Contains(opts.ways, "draingate") {
		found.draingate, errs[2] = lookPath("draingate", opts.draingate)
	}
	return found, errors.Join(errs[:]...)
}

// lookPath is the absolute path of a program, by its name unless one is given.
func lookPath(name, path string) (string, error) {
	found, err := exec.LookPath(or(path, name))
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	return filepath.Abs(found)
}
