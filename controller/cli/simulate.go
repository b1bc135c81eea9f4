package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/report"
)

func (p Program) simulateCommand() *cobra.Command {
	o := options.DefaultSimulate()
	cmd := &cobra.Command{
		Use:   "simulate PATH...",
		Short: "Predict what the next deploy of a job loses",
		Long: `simulate reads Nomad job specifications and Traefik's settings as lint does, and
draws the next deploy of each service behind Traefik: when old and new instances
serve, whom Traefik routes to, and what is lost meanwhile, with Nomad's own
auto_promote and with draingate. It needs no Nomad and no Consul, unless --job or
--against-live says to ask Nomad.

Nobody chooses when Traefik loads the catalog, so each figure has a best, a mean
and a worst case over all of its phases. A loss on the start side is one for which
no new instance was there in time; one on the stop side was sent to an instance
that had ended. docs/simulate.md says what the model knows and what it does not.

Files, variables and Traefik's settings are given as to lint. With --against the
instances that are stopped are those of the version that runs now. What cannot be
predicted is said so and does not fail; it exits with 2 if something cannot be
read, and with 5 if the Traefik does not answer.`,
		Example: `  # A job with Traefik's defaults, at 100 requests a second.
  draingate simulate web.nomad.hcl

  # With the settings of the Traefik in front, and the time that a start takes.
  draingate simulate --traefik-config traefik.yml --warm-up 8s web.nomad.hcl

  # What the next version does to the one that runs now.
  draingate simulate --against-live --rate 2000 web.nomad.hcl

  # For a script: the worst case of the whole loss.
  draingate simulate --format json web.nomad.hcl | jq '.[].autoPromote.lost.total.worst'`,
	}
	addSimulateFlags(cmd, &o)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		o.Paths = args
		return p.simulate(cmd.Context(), o)
	}
	return cmd
}

func addSimulateFlags(cmd *cobra.Command, o *options.Simulate) {
	cmd.Flags().SortFlags = false
	addInputFlags(cmd, &o.Lint)
	f := cmd.Flags()
	f.Float64Var(&o.Rate, "rate", o.Rate, "requests a second")
	f.DurationVar(&o.WarmUp, "warm-up", o.WarmUp, "how long a new instance needs from the start of its task until it is ready; 0s if not known")
	f.StringVar(&o.Format, "format", o.Format, strings.Join(report.SimulationFormats(), " or "))
}

// simulate runs, prints, and returns the error that the exit code is taken
// from.
func (p Program) simulate(ctx context.Context, o options.Simulate) error {
	if err := errors.Join(o.Validate(), formatIsOf(o.Format, report.SimulationFormats())); err != nil {
		return exit.With(exit.Usage, err)
	}
	settings, err := p.readSettings(ctx, o.Lint)
	if err != nil {
		return err
	}
	inputs, err := p.lintOptions(ctx, o.Lint, settings)
	if err != nil {
		return err
	}
	result, err := lint.Simulate(inputs, o.WarmUp)
	if err != nil && result.Files == 0 {
		return exit.With(exit.Code(err), err)
	}
	to := report.SimulationOptions{Format: o.Format, Colour: p.palette().on, Rate: o.Rate}
	problem := report.WriteSimulation(p.Stdout, result, to)
	for _, line := range append(slices.Clone(result.Settings.Value.Contradictions), report.SimulationSummary(result)) {
		_, failed := fmt.Fprintf(p.Stderr, "draingate: %s\n", plain(line))
		problem = errors.Join(problem, failed)
	}
	if err := errors.Join(problem, err); err != nil {
		return exit.With(exit.Code(err), err)
	}
	if result.Unreadable > 0 {
		return exit.With(exit.Usage, nil)
	}
	return nil
}

func formatIsOf(format string, all []string) error {
	if slices.Contains(all, format) {
		return nil
	}
	return fmt.Errorf("--format %q: give %s", format, strings.Join(all, " or "))
}
