package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
)

// sources say where the value of each flag comes from, by its name; a flag that
// is not in them has its default.
type sources map[string]string

// note gives a source to every flag that was set since the last time.
func (s sources) note(cmd *cobra.Command, source func(flag string) string) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Changed && s[f.Name] == "" {
			s[f.Name] = source(f.Name)
		}
	})
}

// check prints what a run would use, and asks for what it would need.
func (p Program) check(cmd *cobra.Command, o options.Run, from sources) error {
	if err := printSettings(p.Stdout, cmd, from); err != nil {
		return err
	}
	if p.Check == nil {
		return exit.With(exit.Usage, fmt.Errorf("this build has no controller in it"))
	}
	return p.Check(cmd.Context(), o, p.Stdout)
}

// printSettings names each setting with its value and where that comes from.
func printSettings(out io.Writer, cmd *cobra.Command, from sources) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var failed error
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == checkFlag || failed != nil {
			return
		}
		source := from[f.Name]
		if source == "" {
			source = "default"
		}
		_, failed = fmt.Fprintf(w, "%s\t%s\t(%s)\n", f.Name, shown(f), source)
	})
	if failed != nil {
		return failed
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// isSecret reports whether the value of a flag may be a secret or a part of one:
// a webhook's path often is, and a user is half of what its password is for.
func isSecret(flag string) bool {
	return slices.Contains([]string{"webhook-url", "traefik-api-user"}, flag)
}

// shown is a value for people, which a secret is not.
func shown(f *pflag.Flag) string {
	value := f.Value.String()
	if list, is := f.Value.(pflag.SliceValue); is {
		value = strings.Join(list.GetSlice(), ", ")
	}
	switch {
	case value == "":
		return "-"
	case isSecret(f.Name):
		return "(given)"
	default:
		return plain(value)
	}
}
