package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/status"
)

// narrowed is a list that can be cut down to one namespace; to all for "".
type narrowed[L any] interface{ In(namespace string) L }

// addrFlag is where every command asks that asks a running draingate.
func addrFlag(cmd *cobra.Command, addr *string) {
	cmd.Flags().StringVar(addr, "addr", status.DefaultListen, "the `HOST:PORT` or URL of the status endpoint")
}

// flags are those of every command that prints what a running draingate says.
func (f *statusFlags) flags(cmd *cobra.Command) {
	addrFlag(cmd, &f.addr)
	cmd.Flags().StringVar(&f.namespace, "namespace", "", "only the Nomad namespace `NAME`; all without it")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON as the endpoint has it")
}

// listCommand has a command ask the status endpoint for a list and print it.
func listCommand[L narrowed[L]](p Program, cmd *cobra.Command, ask func(*status.Client, context.Context) (L, error), render func(io.Writer, L) error) *cobra.Command {
	var f statusFlags
	cmd.Args = cobra.NoArgs
	f.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		client, err := status.NewClient(f.addr)
		if err != nil {
			return exit.With(exit.Usage, fmt.Errorf("--addr: %w", err))
		}
		defer client.CloseIdle()
		list, err := ask(client, cmd.Context())
		if err != nil {
			return cannotAsk(f.addr, err)
		}
		list = list.In(f.namespace)
		if f.json {
			return printJSON(p.Stdout, list)
		}
		return render(p.Stdout, list)
	}
	return cmd
}

// renderRows prints a table whose first row is its head, with what does not fit
// into a line below it. i counts the rows without the head.
func renderRows(w io.Writer, rows [][]string, below func(w io.Writer, i int)) error {
	var out bytes.Buffer
	for i, line := range grid(rows) {
		fmt.Fprintln(&out, line)
		if i > 0 {
			below(&out, i-1)
		}
	}
	_, err := out.WriteTo(w)
	return err
}
