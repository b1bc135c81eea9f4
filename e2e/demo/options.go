package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxRate is a load that one machine can make without being late itself.
const maxRate = 2000

// options are what a person can choose.
type options struct {
	// rate is the load of each side in requests a second.
	rate int
	// acts are the numbers of the acts to show, in order, each once.
	acts []int
	// keep leaves everything running after the last act.
	keep bool
}

const usage = `Three deploys on a real Nomad, Consul and Traefik, each with and without draingate.

Usage: go run ./e2e/demo [flags]

Flags:
`

const examples = `
Examples:
  go run ./e2e/demo                 all three acts
  go run ./e2e/demo -act 2          only the second
  go run ./e2e/demo -act 1,3        the first and the third
  go run ./e2e/demo -rate 500       more load on each side
  go run ./e2e/demo -act 1 -keep    and leave all of it running to look around

Exit codes: 0 as claimed; 1 not as claimed, or a gated deploy lost a request;
2 usage; 130 interrupted.
`

// parseOptions reads the flags. Help goes to out and is flag.ErrHelp.
func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	// The caller prints an error, in one line and without all of the help.
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.IntVar(&o.rate, "rate", 200, "requests a second on each side")
	acts := f.String("act", "1,2,3", "the `NUMBERS` of the acts to show, separated by commas")
	f.BoolVar(&o.keep, "keep", false, "leave everything running afterwards, until Ctrl-C, and print the addresses")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = io.WriteString(out, usage)
		f.SetOutput(out)
		f.PrintDefaults()
		_, _ = io.WriteString(out, examples)
	}
	if err != nil {
		return options{}, err
	}
	if f.NArg() > 0 {
		return options{}, fmt.Errorf("%q is no flag: see -h", f.Arg(0))
	}
	if o.rate < 1 || o.rate > maxRate {
		return options{}, fmt.Errorf("-rate %d: want 1 to %d requests a second", o.rate, maxRate)
	}
	o.acts, err = parseActs(*acts)
	return o, err
}

// parseActs reads a list of numbers, such as "1,3".
func parseActs(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > len(allActs()) {
			return nil, fmt.Errorf("-act %q: want numbers from 1 to %d, separated by commas", text, len(allActs()))
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
