package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are what a person can choose.
type options struct {
	// caddy and draingate are the paths of the programs, empty for those in PATH.
	caddy, draingate string
	// rate is the load in requests a second, half of it GET and half POST.
	rate int
	// sleep is how long each request takes.
	sleep time.Duration
	// count is how often each way is run.
	count int
	// ways are the names of those to run, in their own order.
	ways []string
}

const usage = `Deploy a single writer behind proxies that hold requests, and compare what is lost.

Usage: go run ./e2e/compare [flags]

Flags:
`

const examples = `
Examples:
  make compare                                     all ways, Caddy from PATH
  make compare CADDY=/tmp/caddy/usr/bin/caddy      another Caddy
  make compare WAYS=caddy-srv,kamal-proxy COUNT=3  two ways, three times each
  make compare SLEEP=500ms                         requests that take their time

Exit codes: 0 all were run; 1 one could not be; 2 usage; 130 interrupted.
`

// parseOptions reads the flags. Help goes to out and is flag.ErrHelp.
func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	// The caller prints an error, in one line and without all of the help.
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.StringVar(&o.caddy, "caddy", "", "the `PATH` of caddy, the one in PATH if empty")
	f.StringVar(&o.draingate, "draingate", "", "the `PATH` of draingate, the one in PATH if empty")
	f.IntVar(&o.rate, "rate", 80, "requests a second, half of them GET and half POST")
	f.DurationVar(&o.sleep, "sleep", 0, "how long each request takes: what is under way when an instance ends is cut off")
	f.IntVar(&o.count, "count", 1, "how often each way is run")
	ways := f.String("ways", "", "the `NAMES` of the ways to run, separated by commas, all if empty: "+strings.Join(wayNames(), ", "))
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = io.WriteString(out, usage)
		f.SetOutput(out)
		f.PrintDefaults()
		_, _ = io.WriteString(out, examples)
	}
	switch {
	case err != nil:
		return options{}, err
	case f.NArg() > 0:
		return options{}, fmt.Errorf("%q is no flag: see -h", f.Arg(0))
	case o.rate < 2 || o.rate > 2000:
		return options{}, fmt.Errorf("-rate %d: want 2 to 2000 requests a second", o.rate)
	case o.sleep < 0:
		return options{}, fmt.Errorf("-sleep %s: want no less than nothing", o.sleep)
	case o.count < 1:
		return options{}, fmt.Errorf("-count %d: want 1 or more", o.count)
	}
	o.ways, err = parseWays(*ways)
	return o, err
}

// parseWays reads a list of names, and returns all for an empty one.
func parseWays(text string) ([]string, error) {
	if text == "" {
		return wayNames(), nil
	}
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(wayNames(), name) {
			return nil, fmt.Errorf("-ways %q: there is no %q, want some of %s", text, name, strings.Join(wayNames(), ", "))
		}
		out = append(out, name)
	}
	return out, nil
}
