package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const envPrefix = "DRAINGATE_"

// foreign are variables that begin like draingate's own and belong to its
// tests, which run it with their whole environment.
func foreign() []string {
	return []string{"DRAINGATE_NOMAD", "DRAINGATE_CONSUL", "DRAINGATE_TRAEFIK"}
}

// envName is the variable that stands in for a flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets every flag that was not given and whose variable is set.
func (p Program) fromEnvironment(cmd *cobra.Command) error {
	var first error
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		name := envName(f.Name)
		value := p.environment(name)
		if first != nil || f.Changed || value == "" || f.Name == "help" || f.Name == "version" {
			return
		}
		// Set of the value and not of the flag set: the latter's error names
		// the flag, which nobody gave.
		if err := f.Value.Set(value); err != nil {
			shown := fmt.Sprintf("%s=%q", name, value)
			if mayHoldSecret(f.Name) {
				shown = "the value of " + name
			}
			first = fmt.Errorf("%s, which stands for --%s: %w", shown, f.Name, err)
		}
		// What is set here wins over the file.
		f.Changed = true
	})
	if first != nil {
		return first
	}
	return p.misspelt(cmd)
}

// mayHoldSecret reports whether a flag that is refused may hold credentials.
func mayHoldSecret(flag string) bool { return isSecret(flag) || flag == "traefik-url" }

// flagError is pflag's error without a value that may hold credentials.
func flagError(_ *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok && mayHoldSecret(bad.GetFlag().Name) {
		return fmt.Errorf("the value of --%s: %w", bad.GetFlag().Name, bad.Unwrap())
	}
	return err
}

// misspelt refuses a variable that is almost one of the command's: to ignore
// DRAINGATE_DRYRUN would write where nobody wanted it.
func (p Program) misspelt(cmd *cobra.Command) error {
	var known []string
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { known = append(known, envName(f.Name)) })
	for _, line := range slices.Sorted(slices.Values(p.Environ)) {
		name, _, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) || slices.Contains(foreign(), name) {
			continue
		}
		if like := suggestion(name, known); like != "" {
			return fmt.Errorf("the variable %s means nothing here: did you mean %s?", name, like)
		}
	}
	return nil
}

// suggestion is the known name that a mistyped one is almost, empty for none.
// cobra's suggestions for commands serve for any list of names.
func suggestion(mistyped string, known []string) string {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range known {
		names.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	if like := names.SuggestionsFor(mistyped); len(like) > 0 {
		return like[0]
	}
	return ""
}
