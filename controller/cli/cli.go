package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
)

// Runner runs the controller until ctx is done and everything that it started
// has ended. It returns nil for an end that ctx asked for, and an error of
// package exit where the exit code should be another than for an internal
// error. The log goes to the writer.
type Runner func(ctx context.Context, o options.Run, log io.Writer) error

// Program is the command and all that it can reach. Nothing else of the
// process is used, so that tests can run it in theirs.
type Program struct {
	// Run is what `draingate run` does.
	Run Runner
	// Check is what `draingate run --check` does: it writes what it finds, and
	// its error has the exit code.
	Check Runner
	// Nomad makes a client for the jobs that `draingate lint` reads from Nomad.
	Nomad func() (LiveJobs, error)
	// Overrides connects to what freeze, unfreeze, override, unpause, pause and resume
	// write to.
	Overrides func() (Overrider, error)
	// Fences connects to what `draingate fence lift` writes to: the records lie
	// below the key of the leader's lock.
	Fences func(leaderKey string) (FenceLifter, error)
	// Version is the version stamped at build time; empty for none.
	Version string
	// Environ holds KEY=value lines, as os.Environ returns them.
	Environ        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main runs the command with the arguments, without the program's name, and
// returns the exit code. An error is one line on Stderr.
func (p Program) Main(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(asNomadSpells(args))
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" {
		_, _ = fmt.Fprintf(p.Stderr, "draingate: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
	}
	return exit.Code(err)
}

func (p Program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "draingate",
		Short: "Promote a Nomad canary only when that cannot drop a request",
		Long: `draingate watches Nomad deployments and promotes a canary only when every
Traefik routes to it and the old instances serve for longer than Traefik goes on
sending to them. What is not known holds the promotion.

Exit codes: 0 ok; 1 failed; 2 usage or internal error; 3 held; 4 timed out;
5 Nomad, Consul, a Traefik or the status endpoint cannot be seen.`,
		Example: `  draingate run --traefik-service traefik
  draingate status web
  draingate explain web
  draingate lint .
  draingate simulate web.nomad.hcl`,
		Args:          cobra.NoArgs,
		Version:       p.version().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("{{.Version}}")
	root.AddCommand(p.runCommand(), p.lintCommand(), p.simulateCommand(), p.statusCommand(), p.explainCommand(), p.freezeCommand(),
		p.unfreezeCommand(), p.overrideCommand(), p.unpauseCommand(), p.fenceCommand(), p.parkCommand(), p.pauseCommand(),
		p.resumeCommand(), p.versionCommand())
	return root
}

// environment returns the value of a variable; empty counts as not set.
func (p Program) environment(key string) string {
	value := ""
	for _, line := range p.Environ {
		if k, v, ok := strings.Cut(line, "="); ok && k == key {
			value = v
		}
	}
	return value
}
