package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/fix"
)

// stdoutIsFree refuses a report in the midst of a diff.
func stdoutIsFree(o options.Lint, to []target) error {
	if o.Diff && slices.ContainsFunc(to, target.stdout) {
		return errors.New("--diff is for standard output: give each --format an --output FILE")
	}
	return nil
}

// fix prints and writes what is safe to write, and leaves the options fit for
// looking at the files once more.
func (p Program) fix(o options.Lint, in *lint.Options) error {
	var stdin []byte
	if slices.Contains(slices.Concat(in.Paths, in.Against), "-") {
		var err error
		if stdin, err = io.ReadAll(p.Stdin); err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
	}
	in.Stdin = bytes.NewReader(stdin)
	result, err := fix.Run(*in)
	if err != nil {
		return err
	}
	in.Stdin = bytes.NewReader(stdin)
	var done []fix.Change
	for _, c := range result.Changes {
		problem := p.apply(c, o)
		if problem == nil {
			done = append(done, c)
		}
		err = errors.Join(err, problem)
	}
	result.Changes = done
	return errors.Join(err, p.sayFixed(result, o.Fix))
}

func (p Program) apply(c fix.Change, o options.Lint) error {
	if o.Fix {
		if err := c.Write(); err != nil {
			return err
		}
	}
	if !o.Diff {
		return nil
	}
	_, err := p.Stdout.Write(c.Diff())
	return err
}

// sayFixed names what was left and why, and then what was fixed.
func (p Program) sayFixed(r fix.Result, written bool) error {
	var out strings.Builder
	for _, l := range r.Left {
		fmt.Fprintf(&out, "draingate: %s:%d:%d: %s is not fixed: %s\n", plain(l.File), l.Line, l.Column, l.Rule, plain(l.Why))
	}
	verb := "would fix"
	if written {
		verb = "fixed"
	}
	out.WriteString("draingate: " + verb + " " + counted(r.Fixed(), "finding"))
	for i, c := range r.Changes {
		out.WriteString([]string{" in ", ", "}[min(i, 1)] + plain(c.Name) + " (" + strings.Join(rulesOf(c), ", ") + ")")
	}
	_, err := fmt.Fprintln(p.Stderr, out.String())
	return err
}

func counted(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// rulesOf are the rules whose findings a change removes, each once.
func rulesOf(c fix.Change) []string {
	var out []string
	for _, f := range c.Fixed {
		out = append(out, f.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
