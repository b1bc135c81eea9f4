// Command mutants proves that the tests would notice a missing guard. It
// applies one change at a time to a copy of the module, runs the tests that
// should fail, and complains about every change that they survive.
//
// A change that does not compile proves nothing and is an error, and so are
// tests that fail without any change. With -reasons, every reason that the
// named package declares must have a change.
//
// Usage: go run ./hack/mutants [-list FILE] [-run ID] [-reasons DIR] [-j N]
//
// The format of the list is explained at the top of hack/mutants.txt.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes.
const (
	exitOK       = 0
	exitSurvived = 1
	exitBroken   = 2
)

// settings are what the flags say.
type settings struct {
	list    string
	only    string
	reasons string
	jobs    int
	timeout time.Duration
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parseFlags(args, stderr)
	if err != nil {
		return exitBroken
	}
	mutants, err := prepare(s)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "mutants:", err)
		return exitBroken
	}
	results, err := kill(ctx, s, mutants, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "mutants:", err)
		return exitBroken
	}
	return report(stdout, results)
}

func parseFlags(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("mutants", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.list, "list", "hack/mutants.txt", "the list of changes")
	f.StringVar(&s.only, "run", "", "only the change with this ID")
	f.StringVar(&s.reasons, "reasons", "", "a package folder: each model.Reason constant there must have a change")
	f.IntVar(&s.jobs, "j", 2, "how many changes are tried at the same time")
	f.DurationVar(&s.timeout, "timeout", 3*time.Minute, "the longest that one run of tests may take")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 || s.jobs < 1 || s.timeout <= 0 {
		f.Usage()
		return s, errors.New("usage")
	}
	return s, nil
}

// prepare reads the list and checks all that can be checked without running
// anything, so that mistakes show before minutes of tests.
func prepare(s settings) ([]mutant, error) {
	l, err := readList(s.list)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, m := range l.mutants {
		if _, err := m.apply("."); err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %s: %w", s.list, m.line, m.id, err))
		}
	}
	if s.reasons != "" {
		problems = append(problems, l.covers(s.reasons)...)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if s.only == "" {
		return l.mutants, nil
	}
	for _, m := range l.mutants {
		if m.id == s.only {
			return []mutant{m}, nil
		}
	}
	return nil, fmt.Errorf("no change has the ID %q", s.only)
}
