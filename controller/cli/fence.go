package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func (p Program) fenceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fence",
		Short: "Show what is out of rotation because of draingate, or end that",
		Long: `A fence takes old instances out of rotation, by Consul's maintenance, before a
promotion stops them. draingate sets and lifts it by itself; these commands show it,
and end one by hand.`,
		Example: `  draingate fence list
  draingate fence lift web`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.fenceListCommand(), p.fenceLiftCommand())
	return cmd
}

func (p Program) fenceListCommand() *cobra.Command {
	return listCommand(p, &cobra.Command{
		Use:   "list",
		Short: "Show all fences, and on which nodes there can be one",
		Long: `list asks the status endpoint of a running draingate for the records of all fences,
and for the instances of draingate that are present. A fence needs one on the node of
each old instance. Any instance answers, also while nobody leads.

A record stays until its deployment has ended: it is the one attempt. It exits with 5
if the endpoint does not answer.`,
		Example: `  draingate fence list
  draingate fence list --addr 10.0.0.7:4689 --namespace shop
  draingate fence list --json | jq '.fences[] | select(.step != "ended")'`,
	}, (*status.Client).Fences, func(w io.Writer, list status.FenceList) error {
		return errors.Join(renderFences(w, list.Fences, time.Now()), renderFencers(w, list.Fencers))
	})
}

func renderFences(w io.Writer, list []status.Fence, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "No fences.")
		return err
	}
	rows := [][]string{{"NAMESPACE", "JOB", "STEP", "FENCED", "STOPPING", "OWNER", "FOR", "DEPLOYMENT"}}
	for _, f := range list {
		rows = append(rows, []string{
			plain(f.Namespace), plain(f.Job), plain(fenceStep(f)), fmt.Sprint(len(f.Set)), fmt.Sprint(len(f.Kept)), plain(f.Owner), age(now, f.Written), model.Short(plain(f.Deployment)),
		})
	}
	return renderRows(w, rows, func(w io.Writer, i int) { renderFence(w, list[i]) })
}

// fenceStep is the step, with what a person should know of it at once.
func fenceStep(f status.Fence) string {
	switch {
	case f.Step != fenceEnded && !f.Locked:
		return f.Step + ", without a lock"
	case f.Call != "":
		return f.Step + " to " + f.Call
	case f.Step == fenceEnded && f.Reason == "":
		return "done"
	default:
		return f.Step
	}
}

// renderFence says below a line of the list what does not fit into it.
func renderFence(w io.Writer, f status.Fence) {
	if f.Message != "" {
		fmt.Fprintln(w, "    "+plain(f.Message))
	}
	for _, i := range f.Set {
		fmt.Fprintf(w, "    %s (%s) on %s: %s\n", plain(i.Name), model.Short(plain(i.Allocation)), plain(i.Node), plain(strings.Join(i.Services, ", ")))
	}
	for _, i := range f.Kept {
		fmt.Fprintf(w, "    %s (%s) on %s: told to stop\n", plain(i.Name), model.Short(plain(i.Allocation)), plain(i.Node))
	}
	if f.Pause {
		fmt.Fprintln(w, "    a pause of the deployment is draingate's: draingate unpause "+plain(f.Job)+" ends it, without a fence")
	}
}

func renderFencers(w io.Writer, list []status.Fencer) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "\nNo draingate is present on any node, so nothing can be fenced.")
		return err
	}
	rows := [][]string{{"NODE", "INSTANCE", "FENCED FOR"}}
	for _, f := range list {
		var short []string
		for _, d := range f.Acknowledged {
			short = append(short, model.Short(d))
		}
		rows = append(rows, []string{plain(f.Node), plain(f.Instance), plain(strings.Join(short, ", "))})
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(grid(rows), "\n"))
	return err
}
