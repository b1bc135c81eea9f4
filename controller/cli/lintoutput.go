package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/report"
)

// target is one report that is to be written.
type target struct {
	format string
	// output is a file; empty and - are standard output.
	output string
}

func (t target) stdout() bool { return t.output == "" || t.output == "-" }

// targets are filled in by two flags, in the order in which they are given: an
// output belongs to the format before it, or to the next one if that has an
// output already or there is none.
type targets struct {
	list    []target
	waiting string
}

func (t *targets) addFormat(format string) {
	t.list = append(t.list, target{format: format, output: t.waiting})
	t.waiting = ""
}

func (t *targets) addOutput(output string) error {
	last := len(t.list) - 1
	switch {
	case last >= 0 && t.list[last].output == "":
		t.list[last].output = output
	case t.waiting == "":
		t.waiting = output
	default:
		return fmt.Errorf("there is no --format for %q", t.waiting)
	}
	return nil
}

// all are the targets; text on standard output where nothing was asked for.
func (t *targets) all() []target {
	if t.waiting == "" && len(t.list) > 0 {
		return t.list
	}
	return append(slices.Clone(t.list), target{format: report.Text, output: t.waiting})
}

// formatValue and outputValue are the two flags.
type formatValue struct{ to *targets }

// Set takes a format if there is one of that name.
func (v formatValue) Set(s string) error {
	if !slices.Contains(report.Formats(), s) {
		return fmt.Errorf("give %s", strings.Join(report.Formats(), ", "))
	}
	v.to.addFormat(s)
	return nil
}

func (v formatValue) String() string { return "" }
func (v formatValue) Type() string   { return "FORMAT" }

type outputValue struct{ to *targets }

// Set takes a file, or - for standard output.
func (v outputValue) Set(s string) error {
	if s == "" {
		return errors.New("give a file, or - for standard output")
	}
	return v.to.addOutput(s)
}

func (v outputValue) String() string { return "" }
func (v outputValue) Type() string   { return "FILE" }

// targetsAreSound refuses two reports in one place, which would be neither.
func targetsAreSound(to []target) error {
	seen := map[string]bool{}
	for _, t := range to {
		name := cmp.Or(t.output, "-")
		if seen[name] && t.stdout() {
			return errors.New("two --format are for standard output: give one of them an --output FILE")
		}
		if seen[name] {
			return fmt.Errorf("--output %s is given twice: give each --format its own file", name)
		}
		seen[name] = true
	}
	return nil
}

func (p Program) writeReport(result lint.Result, t target) (err error) {
	o := report.Options{Format: t.format, Version: p.version().Version}
	if t.stdout() {
		o.Colour = p.palette().on
		return report.Write(p.Stdout, result, o)
	}
	f, err := os.Create(t.output)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return report.Write(f, result, o)
}
