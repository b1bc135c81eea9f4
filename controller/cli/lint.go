package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/lint/report"
	"github.com/draingate/draingate/controller/rule"
)

// failOnNever lets findings pass whatever they are.
const failOnNever = "never"

func (p Program) lintCommand() *cobra.Command {
	o := options.DefaultLint()
	var to targets
	cmd := &cobra.Command{
		Use:   "lint [PATH]...",
		Short: "Find in job specifications what a deploy will drop",
		Long: `lint reads Nomad job specifications (HCL with variables, or JSON) and Traefik's
settings and reports what will drop requests, get a deployment stuck or defeat
the gate. It needs no Nomad and no Consul, unless it is asked for a job that runs.

A PATH is a file, a folder (in which files that end in .nomad, .nomad.hcl or
.nomad.json are taken, and other .hcl files with a job block), a pattern such as
'jobs/**/*.hcl', or - for standard input. Variables are given as to nomad job run:
--var, --var-file (or -var, -var-file) and NOMAD_VAR_name.

Without --traefik-config or --traefik-url Traefik's own defaults are assumed. The
first takes a static configuration file or the Nomad job that runs Traefik, whose
arguments, templates and environment are read in Traefik's own order. Where both are
given, the process counts and the file is for a Traefik that is too old to report
its settings.

With --job it reads the latest version of a job from Nomad, and with --against-live
it compares each file with that. Nomad is found by its own variables: NOMAD_ADDR,
NOMAD_TOKEN, NOMAD_NAMESPACE, NOMAD_CACERT and so on; the token needs read-job,
and list-jobs to suggest a name for a mistyped one. Lines and columns are those of
the source that Nomad keeps (1.6 and later); without it the path in the job is given.

--fix writes what is safe to write into the HCL files, with their comments and
layout, and says why it leaves the rest; docs/rules.md has what it does for which
rule. --diff prints it instead and writes nothing; with both it is written and
shown. What is reported, and the exit code, are those of the files as they then are.

A finding is ignored by a comment on its line or above it, or by the meta of
its job or group. A reason is required:

  # draingate:ignore DG101 nobody calls this at night
  meta { draingate_ignore_DG101 = "nobody calls this at night" }

It exits with 1 if there are findings of the severity --fail-on or worse, with 2
if something cannot be read or there is no such job, and with 5 if the Traefik or
the Nomad does not answer.`,
		Example: `  # Every job in this folder, with Traefik's defaults.
  draingate lint .

  # With the settings of the Traefik in front, and variables.
  draingate lint --traefik-config traefik.yml --var tag=1.2.3 web.nomad.hcl

  # With the settings of the Traefik that a Nomad job runs.
  draingate lint --traefik-config traefik.nomad.hcl web.nomad.hcl

  # What can be fixed without asking: look at it, then write it.
  draingate lint --diff --traefik-config traefik.yml jobs/
  draingate lint --fix --traefik-config traefik.yml jobs/

  # What the next version changes, compared with the one that runs now.
  nomad job inspect web | draingate lint --against - web.nomad.hcl

  # A job that runs, and what a file would change of the one that runs.
  draingate lint --job web --job team/api --traefik-url http://10.0.0.5:8080
  draingate lint --against-live web.nomad.hcl

  # In continuous integration: annotations on standard output, SARIF in a file.
  draingate lint --format github --format sarif --output lint.sarif jobs/`,
	}
	addLintFlags(cmd, &o, &to)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		o.Paths = args
		o.Namespace = cmp.Or(o.Namespace, p.environment("NOMAD_NAMESPACE"))
		if o.Diff && len(to.list) == 0 && to.waiting == "" {
			return p.lint(cmd.Context(), o, nil)
		}
		return p.lint(cmd.Context(), o, to.all())
	}
	return cmd
}

func addLintFlags(cmd *cobra.Command, o *options.Lint, to *targets) {
	cmd.Flags().SortFlags = false
	addInputFlags(cmd, o)
	f := cmd.Flags()
	f.Var(formatValue{to}, "format", strings.Join(report.Formats(), ", ")+" (repeatable)")
	f.Var(outputValue{to}, "output", "the `FILE` for the --format before it; - is standard output (repeatable)")
	f.StringVar(&o.FailOn, "fail-on", o.FailOn, "the mildest severity to fail on: error, warning, notice, unknown or never")
}

// addInputFlags are the flags about what is read, for lint and simulate.
func addInputFlags(cmd *cobra.Command, o *options.Lint) {
	f := cmd.Flags()
	f.StringArrayVar(&o.Vars, "var", nil, "a value `NAME=VALUE` for a variable of the job specifications (repeatable)")
	f.StringArrayVar(&o.VarFiles, "var-file", nil, "a `FILE` with values for variables (repeatable)")
	f.StringArrayVar(&o.Against, "against", nil, "a `PATH` with the version of a job that runs now, to compare with (repeatable)")
	f.StringVar(&o.Traefik.Config, "traefik-config", "", "a `FILE` with Traefik's static configuration (YAML, TOML or JSON), or the Nomad job that runs it")
	f.StringSliceVar(&o.Jobs, "job", nil, "a `NAME` or NAMESPACE/NAME of a job to read from Nomad (repeatable)")
	f.BoolVar(&o.AgainstLive, "against-live", false, "compare each job with the version that Nomad has of it")
	f.StringVar(&o.Namespace, "namespace", "", "the Nomad namespace `NAME` of jobs that are given without; NOMAD_NAMESPACE, or default")
	f.StringSliceVar(&o.Traefik.URLs, "traefik-url", nil, "the base `URL` of a running Traefik's API, to ask for its settings")
	f.StringVar(&o.Traefik.APIBasePath, "traefik-api-base-path", "", "the `PATH` before /api")
	f.StringVar(&o.Traefik.APIUser, "traefik-api-user", "", "the `USER` for basic authentication at the API")
	f.StringVar(&o.Traefik.APIPasswordFile, "traefik-api-password-file", "", "a `FILE` that holds the password of that user")
	f.StringVar(&o.Traefik.APICA, "traefik-api-ca", "", "a PEM `FILE` with the authorities to trust for an https API")
	f.StringVar(&o.Traefik.APICert, "traefik-api-cert", "", "a PEM `FILE` with the certificate to show to an https API that asks for one")
	f.StringVar(&o.Traefik.APIKey, "traefik-api-key", "", "a PEM `FILE` with the key of that certificate")
	f.StringVar(&o.Traefik.APIServerName, "traefik-api-server-name", "", "the `NAME` to expect in the API's certificate")
	f.StringVar(&o.TraefikVersion, "traefik-version", "", "the `VERSION` of Traefik, such as 3.6.12, where no running one tells it")
	f.BoolVar(&o.Fix, "fix", false, "write into the files what is safe to write")
	f.BoolVar(&o.Diff, "diff", false, "print what --fix would write, as a unified diff in the place of the report; a --format needs an --output then")
	f.DurationVar(&o.Margin, "margin", o.Margin, "what the old instances must serve longer than needed")
}

// lint runs, prints, and returns the error that the exit code is taken from.
func (p Program) lint(ctx context.Context, o options.Lint, to []target) error {
	if err := errors.Join(o.Validate(), failOnIsKnown(o.FailOn), targetsAreSound(to), stdoutIsFree(o, to)); err != nil {
		return exit.With(exit.Usage, err)
	}
	defer p.collectSeldom()()
	settings, err := p.readSettings(ctx, o)
	if err != nil {
		return err
	}
	in, err := p.lintOptions(ctx, o, settings)
	if err != nil {
		return err
	}
	if o.Fix || o.Diff {
		if err := p.fix(o, &in); err != nil {
			return exit.With(exit.Code(err), err)
		}
	}
	result, err := lint.Run(in)
	if err != nil && result.Files+result.Jobs == 0 {
		return exit.With(exit.Code(err), err)
	}
	if problem := p.printLint(result, to); problem != nil {
		return exit.With(exit.Usage, problem)
	}
	if err != nil {
		return exit.With(exit.Code(err), err)
	}
	return exit.With(lintCode(result, o.FailOn), nil)
}

// collectSeldom sets how often garbage is collected, unless the environment
// says so, and returns what sets it back.
func (p Program) collectSeldom() (back func()) {
	for _, line := range p.Environ {
		if strings.HasPrefix(line, "GOGC=") || strings.HasPrefix(line, "GOMEMLIMIT=") {
			return func() {}
		}
	}
	percent, limit := debug.SetGCPercent(lint.GCPercent), debug.SetMemoryLimit(lint.MemoryLimit)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

func (p Program) printLint(result lint.Result, to []target) error {
	for _, t := range to {
		if err := p.writeReport(result, t); err != nil {
			return err
		}
	}
	for _, c := range result.Settings.Value.Contradictions {
		if _, err := fmt.Fprintf(p.Stderr, "draingate: %s\n", plain(c)); err != nil {
			return err
		}
	}
	for _, name := range result.New {
		if _, err := fmt.Fprintf(p.Stderr, "draingate: %s is not there yet, so there is nothing to compare with\n", plain(name)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.Stderr, "draingate: %s\n", plain(report.Summary(result)))
	return err
}

// lintCode is the exit code for what was found.
func lintCode(r lint.Result, failOn string) int {
	if r.Unreadable > 0 {
		return exit.Usage
	}
	if failOn == failOnNever {
		return exit.OK
	}
	for _, s := range rule.Severities() {
		if r.Count(s) > 0 {
			return exit.Failed
		}
		if string(s) == failOn {
			break
		}
	}
	return exit.OK
}

func failOnIsKnown(failOn string) error {
	if failOn == failOnNever || slices.Contains(rule.Severities(), rule.Severity(failOn)) {
		return nil
	}
	return fmt.Errorf("--fail-on %q: give error, warning, notice, unknown or never", failOn)
}
