package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// statusFlags are what `draingate status` can be told.
type statusFlags struct {
	addr      string
	namespace string
	json      bool
	watch     bool
	// wait is what --wait waits for, empty for nothing, for at most timeout.
	wait    string
	timeout time.Duration
	// version and deployment name the one to wait for; -1 and "" are the newest.
	version    int64
	deployment string
}

func (p Program) statusCommand() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status [JOB]",
		Short: "Show what was decided about each deployment, and why",
		Long: `status asks the status endpoint of a running draingate. Without a JOB it prints
one line for each deployment and the message below it. With a JOB it prints the
newest deployment of that job: its conditions, and for each proxy the servable
time S and the time to stop routing T with what they are made of.

Of a draingate that runs with --dry-run it also prints what the rules of lint find
in live jobs: counts for each job, or the findings of the JOB.

It exits with 3 if the JOB is held and with 5 if the endpoint does not answer.
draingate explain says the same in sentences, and what to do.

With --watch it goes on: in a terminal as a tree that is drawn anew, elsewhere as
one line for each change. Ctrl-C ends it with exit code 0.

With --wait it waits until the deployment of the JOB is promoted (or successful),
or terminal, for at most --timeout, and says by its exit code how that went: 0 it
is; 1 it failed or was cancelled; 3 it is held; 4 the time is over and it is not
held, or there is none; 5 it cannot be seen. The deployment need not exist yet.`,
		Example: `  draingate status
  draingate status web
  draingate status web -w

  # In continuous integration, after: nomad job run -detach web.nomad.hcl
  draingate status web --wait promoted --timeout 10m \
    --version "$(nomad job inspect -t '{{.Version}}' web)"

  draingate status --json | jq '.[] | select(.decision == "Hold")'
  draingate status web --addr 10.0.0.7:4689 && echo not held`,
		Args: cobra.MaximumNArgs(1),
	}
	f.flags(cmd)
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "go on showing what changes until Ctrl-C")
	cmd.Flags().StringVar(&f.wait, "wait", "", "wait until the deployment of the JOB is promoted or terminal")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Minute, "how long --wait waits")
	cmd.Flags().Int64Var(&f.version, "version", -1, "the version `N` of the JOB to wait for; the newest without it")
	cmd.Flags().StringVar(&f.deployment, "deployment", "", "the `ID` of the deployment to wait for, or how it begins")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := errors.Join(p.fromEnvironment(cmd), waitIsSound(f, args)); err != nil {
			return exit.With(exit.Usage, err)
		}
		return p.status(cmd.Context(), f, args)
	}
	return cmd
}

func (p Program) status(ctx context.Context, f statusFlags, args []string) error {
	client, err := status.NewClient(f.addr)
	if err != nil {
		return exit.With(exit.Usage, fmt.Errorf("--addr: %w", err))
	}
	defer client.CloseIdle()
	if f.wait != "" {
		return p.waitFor(ctx, client, args[0], f)
	}
	if f.watch {
		return p.watch(ctx, client, f, args)
	}
	all, err := client.Deployments(ctx)
	if err != nil {
		return cannotAsk(f.addr, err)
	}
	if err := p.warnUnlessReady(ctx, client, f.addr); err != nil {
		return err
	}
	shown := status.Filter{Namespace: f.namespace}.Select(all)
	lint, err := p.liveFindings(ctx, client, f)
	if err != nil {
		return err
	}
	defer p.printLeader(ctx, client, f)
	if len(args) == 0 {
		return errors.Join(p.printList(shown, f), renderLintCounts(p.Stdout, lint, p.palette()))
	}
	lint = slices.DeleteFunc(lint, func(one status.Finding) bool { return one.Job != args[0] })
	return p.statusOfJob(ctx, client, newest(shown, args[0]), lint, args[0], f)
}

// warnUnlessReady says on Stderr that the list may lack something.
func (p Program) warnUnlessReady(ctx context.Context, client *status.Client, addr string) error {
	ready, err := client.Ready(ctx)
	if err != nil {
		return cannotAsk(addr, err)
	}
	if !ready.Ready {
		_, err = fmt.Fprintf(p.Stderr, "draingate: the controller at %s has not read everything yet: %s\n",
			addr, plain(strings.Join(ready.Waiting, "; ")))
	}
	return err
}

// printLeader says who leads, after all else, and on Stderr that nobody does.
// It is no more than a remark: an endpoint that cannot answer it now has said
// the rest.
func (p Program) printLeader(ctx context.Context, client *status.Client, f statusFlags) {
	l, err := client.Leader(ctx)
	switch {
	case err != nil || l == nil:
	case l.Leader == nil:
		_, _ = fmt.Fprintf(p.Stderr, "draingate: nobody is known to lead, so nothing is promoted: %s\n", plain(l.Problem))
	case !f.json:
		_, _ = fmt.Fprintf(p.Stdout, "\nLed by %s since %s.\n", plain(l.Leader.Name), clock(l.Leader.Since))
	}
}

// statusOfJob prints the details, and is an error where the job is held.
func (p Program) statusOfJob(ctx context.Context, client *status.Client, found []status.Deployment, lint []status.Finding, job string, f statusFlags) error {
	if len(found)+len(lint) == 0 {
		return exit.With(exit.Failed, fmt.Errorf("no deployment of a job %q is known at %s: see `draingate status` for those that are", job, f.addr))
	}
	details := make([]status.Detail, 0, len(found))
	for _, d := range found {
		detail, err := client.Deployment(ctx, d.ID)
		if err != nil {
			return cannotAsk(f.addr, err)
		}
		details = append(details, detail)
	}
	if err := errors.Join(p.printDetails(details, f), renderLint(p.Stdout, lint, p.palette())); err != nil {
		return err
	}
	for _, d := range details {
		if d.Decision == string(model.Hold) {
			return exit.With(exit.Held, nil)
		}
	}
	return nil
}

// newest returns the job's newest deployment in each namespace. The list has
// the newest of a job first.
func newest(all []status.Deployment, job string) []status.Deployment {
	var out []status.Deployment
	for _, d := range all {
		if d.Job != job {
			continue
		}
		if n := len(out); n == 0 || out[n-1].Namespace != d.Namespace {
			out = append(out, d)
		}
	}
	return out
}

func cannotAsk(addr string, err error) error {
	code := exit.Failed
	if failed, ok := errors.AsType[*status.APIError](err); ok && (failed.Code == http.StatusServiceUnavailable || failed.Code == http.StatusBadGateway) {
		code = exit.CannotSee
	}
	if errors.Is(err, status.ErrUnreachable) {
		code = exit.CannotSee
		err = fmt.Errorf("%w (is `draingate run` there? --addr or DRAINGATE_ADDR names another place)", err)
	}
	return exit.With(code, fmt.Errorf("ask %s: %w", addr, err))
}

func (p Program) printList(list []status.Deployment, f statusFlags) error {
	if f.json {
		return printJSON(p.Stdout, list)
	}
	return renderList(p.Stdout, list, time.Now(), p.palette())
}

func (p Program) printDetails(details []status.Detail, f statusFlags) error {
	if f.json {
		return printJSON(p.Stdout, details)
	}
	return renderDetails(p.Stdout, details, time.Now(), p.palette())
}

func printJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
