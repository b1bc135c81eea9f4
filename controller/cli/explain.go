package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// The formats of explain.
const (
	explainText = "text"
	explainJSON = "json"
)

// explainFlags are what `draingate explain` can be told.
type explainFlags struct {
	statusFlags
	format string
}

// explanation is all that explain says of one deployment.
type explanation struct {
	status.Detail
	// Meaning and Remedy explain the reason, as docs/reasons.md does.
	Meaning string `json:"meaning"`
	Remedy  string `json:"remedy"`
	// Next says what happens next.
	Next string `json:"next"`
	// History is what is kept of the changes, the oldest first.
	History []status.Event `json:"history"`
	// Fence is the deployment's fence; absent where it has none.
	Fence *fenced `json:"fence,omitempty"`
	// Parks are those of the job's services; absent where there is none.
	Parks []status.Park `json:"parks,omitempty"`
}

func (p Program) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain JOB|DEPLOYMENT",
		Short: "Say in sentences what draingate does with a deployment, why, and what would help",
		Long: `explain asks the status endpoint of a running draingate about the newest
deployment of a job, or about a deployment by its ID or how that begins, and says
in sentences what is deployed, what is waited for and since when, how every
condition stands, how S and T add up, what the smallest cure is, as something to
paste, and what happens next. draingate status has the same facts in a table.

It exits with 0 whatever the decision is, with 1 if there is no such deployment,
and with 5 if the endpoint does not answer.`,
		Example: `  draingate explain web
  draingate explain web --namespace team --addr 10.0.0.7:4689
  draingate explain 1f2e3d4c --format json | jq -r .next`,
		Args: cobra.ExactArgs(1),
	}
	addrFlag(cmd, &f.addr)
	cmd.Flags().StringVar(&f.namespace, "namespace", "", "only the Nomad namespace `NAME`; all without it")
	cmd.Flags().StringVar(&f.format, "format", explainText, "text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		if f.format != explainText && f.format != explainJSON {
			return exit.With(exit.Usage, fmt.Errorf("--format %q: give %s or %s", f.format, explainText, explainJSON))
		}
		return p.explain(cmd.Context(), f, args[0])
	}
	return cmd
}

func (p Program) explain(ctx context.Context, f explainFlags, what string) error {
	client, err := status.NewClient(f.addr)
	if err != nil {
		return exit.With(exit.Usage, fmt.Errorf("--addr: %w", err))
	}
	defer client.CloseIdle()
	ids, err := p.meant(ctx, client, f, what)
	if err != nil {
		return err
	}
	var found []explanation
	for _, id := range ids {
		e, err := explained(ctx, client, id)
		if err != nil {
			return cannotAsk(f.addr, err)
		}
		found = append(found, e)
	}
	if f.format == explainJSON {
		return printJSON(p.Stdout, found)
	}
	return renderExplanations(p.Stdout, found, time.Now(), p.palette())
}

// meant finds deployments by the name of their job, or else one by its ID.
func (p Program) meant(ctx context.Context, client *status.Client, f explainFlags, what string) ([]string, error) {
	all, err := client.Deployments(ctx)
	if err != nil {
		return nil, cannotAsk(f.addr, err)
	}
	if err := p.warnUnlessReady(ctx, client, f.addr); err != nil {
		return nil, err
	}
	all = status.Filter{Namespace: f.namespace}.Select(all)
	var ids []string
	for _, d := range newest(all, what) {
		ids = append(ids, d.ID)
	}
	if len(ids) == 0 && len(what) >= status.MinPrefix {
		for _, d := range all {
			if strings.HasPrefix(d.ID, what) {
				ids = append(ids, d.ID)
			}
		}
		if len(ids) > 1 {
			return nil, exit.With(exit.Failed, fmt.Errorf("%d deployments at %s begin with %q: give more of it", len(ids), f.addr, what))
		}
	}
	if len(ids) == 0 {
		return nil, exit.With(exit.Failed, fmt.Errorf("no deployment of a job %q and none with such an ID is known at %s: see `draingate status` for those that are", what, f.addr))
	}
	return ids, nil
}

func explained(ctx context.Context, client *status.Client, id string) (explanation, error) {
	d, err := client.Deployment(ctx, id)
	if err != nil {
		return explanation{}, err
	}
	history, err := client.History(ctx, id)
	if _, old := errors.AsType[*status.APIError](err); old {
		err = nil // a controller that keeps none, or forgot the deployment just now
	}
	if err != nil {
		return explanation{}, err
	}
	fence, err := fenceFor(ctx, client, d.ID)
	if err != nil {
		return explanation{}, err
	}
	parks, err := parksFor(ctx, client, d)
	e := explanation{Detail: d, History: history, Next: next(d), Fence: fence, Parks: parks}
	words, ok := gate.Explain(model.Reason(d.Reason))
	if !ok {
		words.Meaning, words.Remedy = "This draingate does not know the reason: the controller is of another version.", "See docs/reasons.md of the controller's version."
	}
	e.Meaning, e.Remedy = words.Meaning, words.Remedy
	return e, err
}

// next says what happens next if nobody does anything.
func next(d status.Detail) string {
	by := "`nomad deployment promote " + d.ID + "`"
	switch {
	case d.Decision == string(model.Promote) && d.DryRun:
		return "draingate would promote it, but this is a dry run and nothing is written. To promote it by hand: " + by + "."
	case d.Decision == string(model.Promote) && d.Mode != string(model.ModeEnforce):
		return "Nothing: in the mode " + d.Mode + " draingate promotes nothing. To promote it by hand: " + by + ". To leave that to draingate: draingate_mode = \"enforce\" in the meta of the job."
	case d.Decision == string(model.Promote):
		return "draingate reads the deployment once more and promotes it, all of its groups or none."
	case d.Decision == string(model.Fence):
		return nextOfFence(d)
	case d.Decision == string(model.Fail) && (d.DryRun || d.Mode != string(model.ModeEnforce)):
		return "Nothing: in a dry run, or in a mode other than enforce, draingate fails nothing. To fail it by hand: `nomad deployment fail " + d.ID + "`."
	case d.Decision == string(model.Fail):
		return "draingate reads the deployment once more and fails it. Nomad stops the canaries, and reverts the job where it says auto_revert. The old version goes on serving."
	case d.Decision == string(model.Hold) && gate.Blind(model.Reason(d.Reason)):
		return "draingate looks again within seconds and promotes nothing until it can see. The old version goes on serving."
	case d.Decision == string(model.Hold):
		return "draingate looks again within seconds and promotes nothing until the reason is gone" + acts(d) + ". The old version goes on serving. Nomad fails the deployment where progress_deadline passes before the canaries are healthy, and waits for ever after that."
	case d.Reason == string(gate.ReasonPromoted):
		return "Nomad stops the old allocations and starts the rest of the new ones; draingate watches until they have ended."
	default:
		return "Nothing: draingate has nothing to decide here."
	}
}

func acts(d status.Detail) string {
	switch {
	case d.DryRun:
		return ", and not then either, since this is a dry run"
	case d.Mode != string(model.ModeEnforce):
		return ", and not then either in the mode " + d.Mode
	default:
		return "; then it does so by itself"
	}
}
