package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/status"
)

func (p Program) parkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "park",
		Short: "Show which services are parked for",
		Long: `A service that cannot overlap is parked for while it is deployed: draingate stands in
Consul in its place and lets requests wait. Jobs ask for it with draingate_park in
their meta; draingate pause SERVICE does the same by hand.`,
		Example: "  draingate park list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.parkListCommand())
	return cmd
}

func (p Program) parkListCommand() *cobra.Command {
	return listCommand(p, &cobra.Command{
		Use:   "list",
		Short: "Show all parks, what waits in them, and on which nodes there can be one",
		Long: `list asks the status endpoint of a running draingate how each park stands: its step,
why, where its placeholders listen, and what became of requests there. A service that is
to be parked for and is not is in it as well, with what is in the way. The figures are
as old as a second. It exits with 5 if the endpoint does not answer.`,
		Example: `  draingate park list
  draingate park list --addr 10.0.0.7:4689 --namespace shop
  draingate park list --json | jq '[.parks[].nodes[].waiting] | add'`,
	}, (*status.Client).Parks, func(w io.Writer, list status.ParkList) error {
		return errors.Join(renderParks(w, list), renderParkers(w, list))
	})
}

func renderParks(w io.Writer, list status.ParkList) error {
	if len(list.Parks) == 0 {
		_, err := fmt.Fprintln(w, "No parks.")
		return err
	}
	rows := [][]string{{"SERVICE", "JOB", "STEP", "REASON", "WAITING", "FOR", "ENDS IN"}}
	for _, k := range list.Parks {
		rows = append(rows, []string{
			plain(k.Service), plain(orElse(k.Job, "-")), plain(orElse(k.Step, "not parked")), plain(k.Reason), fmt.Sprint(waiting(k)), age(list.Now, k.Since), endsIn(list.Now, k.Until),
		})
	}
	return renderRows(w, rows, func(w io.Writer, i int) { renderPark(w, list.Parks[i]) })
}

// endsIn is how long it lasts at most; a dash where nothing ends it yet.
func endsIn(now, until time.Time) string {
	if until.IsZero() {
		return "-"
	}
	return max(until.Sub(now), 0).Round(time.Second).String()
}

// renderPark says below a line of the list what does not fit into it.
func renderPark(w io.Writer, k status.Park) {
	if k.Message != "" {
		fmt.Fprintln(w, "    "+plain(k.Message))
	}
	for _, n := range k.Nodes {
		fmt.Fprintf(w, "    %s: %s%s\n", plain(n.Node), plain(lotSays(n)), figures(n))
	}
	for _, i := range k.Fenced {
		fmt.Fprintf(w, "    %s on %s: to be in maintenance\n", plain(i.ID), plain(i.Node))
	}
}

// figures are what became of requests on a node, those that are not zero.
func figures(n status.ParkNode) string {
	var parts []string
	add := func(count uint64, what string) {
		if count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count, what))
		}
	}
	add(uint64(max(n.Waiting, 0)), "wait")
	if n.Peak > 0 {
		parts = append(parts, fmt.Sprintf("%d at most, the longest for %s", n.Peak, n.Longest.Text))
	}
	add(n.Released, "released")
	add(n.Forwarded, "passed on at once")
	add(n.Refused, "refused over a bound")
	add(n.Expired, "expired")
	add(n.Gone, "gone")
	add(n.Failed, "failed")
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}

func renderParkers(w io.Writer, list status.ParkList) error {
	if list.Problem != "" {
		if _, err := fmt.Fprintf(w, "\nThe draingate that answers begins no park: %s.\n", plain(list.Problem)); err != nil {
			return err
		}
	}
	if len(list.Parkers) == 0 {
		_, err := fmt.Fprintln(w, "\nNo draingate that can park is present on any node.")
		return err
	}
	rows := [][]string{{"NODE", "INSTANCE", "LISTENS FOR", "PROBLEM"}}
	for _, k := range list.Parkers {
		rows = append(rows, []string{plain(k.Node), plain(k.Instance), plain(strings.Join(k.Services, ", ")), plain(k.Problem)})
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(grid(rows), "\n"))
	return err
}
