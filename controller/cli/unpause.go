package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
)

func (p Program) unpauseCommand() *cobra.Command {
	var o overriding
	cmd := &cobra.Command{
		Use:   "unpause JOB",
		Short: "Let a deployment go on that draingate paused, without a fence",
		Long: `unpause ends the pause with which draingate keeps a promoted deployment from going
on to old instances that are not out of rotation yet. It is asked for where a fence
came to nothing half way (draingate explain JOB says so).

Nomad then goes on by itself: it stops the old instances that are left, batch by
batch, and no fence takes them out of rotation first. What the drain of the job does
not cover is lost. Without it draingate fails the deployment ahead of its progress
deadline, which stops none of them.

It counts for the latest deployment of the JOB and for no later one. Nomad does not
tell who paused a deployment. draingate never ends a pause that is not its own: that
takes nomad deployment resume, which also stops what is still routed.

It is written as a Nomad Variable with your own token, which NOMAD_TOKEN holds;
NOMAD_ADDR and the rest say where Nomad is.`,
		Example: `  draingate unpause web
  draingate unpause web --namespace shop`,
		Args: cobra.ExactArgs(1),
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.unpause(cmd, o, args[0]) }
	return cmd
}

func (p Program) unpause(cmd *cobra.Command, o overriding, job string) error {
	if job == model.EveryJob {
		return exit.With(exit.Usage, errors.New("unpause counts for one deployment: name the job"))
	}
	nomad, err := p.overrider()
	if err != nil {
		return err
	}
	d, err := paused(cmd.Context(), nomad, p.namespace(o), job)
	if err != nil {
		return err
	}
	if err := p.edit(cmd, o, job, func(items map[string]string) { items[model.OverrideUnpause] = d.ID }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "If draingate paused deployment %s (version %d), Nomad goes on within a few seconds and stops the old instances that are left, batch by batch, without a fence.\n"+
		"If somebody else did, it stays paused until: nomad deployment resume %s\n", model.Short(d.ID), d.JobVersion, model.Short(d.ID))
	return err
}

// paused is the latest deployment of the job. The error says that it is not
// paused, or that there is none.
func paused(ctx context.Context, nomad Overrider, namespace, job string) (*model.Deployment, error) {
	d, err := nomad.LatestDeployment(ctx, namespace, job)
	where := fmt.Sprintf("job %s in namespace %s", plain(job), plain(namespace))
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, exit.With(exit.Failed, fmt.Errorf("%s has no deployment in Nomad, or the token may not see it: --namespace names another namespace", where))
	case d.Status != model.DeploymentPaused:
		return nil, exit.With(exit.Failed, fmt.Errorf("deployment %s of %s (version %d) is %s and not paused: there is nothing to unpause", model.Short(d.ID), where, d.JobVersion, plain(d.Status)))
	default:
		return d, nil
	}
}
