package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// FenceLifter ends fences with the Consul token of the person who asks. The
// errors are of package exit where the exit code should be another than for an
// internal error.
type FenceLifter interface {
	// Fences returns all records and the instances that are present on a node.
	Fences(ctx context.Context) (status.FenceList, error)
	// Lift writes the record of a deployment as ended. It returns it as it is then,
	// and false where it had ended already. An armed one is refused without force.
	Lift(ctx context.Context, key model.Key, force bool) (status.Fence, bool, error)
	// Local returns the name of the Consul agent that is asked, and its services
	// that are in maintenance because of a fence, sorted.
	Local(ctx context.Context) (string, []status.LocalFence, error)
	// LiftLocal ends the maintenance of one of these; false where it is not in it
	// any more.
	LiftLocal(ctx context.Context, f status.LocalFence) (bool, error)
}

// liftTimeout bounds what is written once it has begun, whatever becomes of the
// command: half of it would be worse than all.
const liftTimeout = 10 * time.Second

// leastOfID is how much of a deployment's ID names it.
const leastOfID = 4

// liftFlags are what `draingate fence lift` can be told.
type liftFlags struct {
	namespace    string
	leaderKey    string
	force, local bool
}

func (p Program) fenceLiftCommand() *cobra.Command {
	var f liftFlags
	cmd := &cobra.Command{
		Use:   "lift [DEPLOYMENT|JOB]",
		Short: "End a fence by hand",
		Long: `lift writes the fence of a deployment as ended, in Consul and with your own token:
CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN and the rest say where and how. Each draingate
then takes the instances of its node back into rotation, and the leader aborts: it was
the one attempt, and the deployment is held. What Nomad has told to stop stays as it is
and ends with its maintenance.

A fence that is armed is refused: a promotion may be on its way, and what it stops would
be routed to again while it ends. That lasts for seconds, unless nobody leads. --force
lifts it all the same and risks those requests.

--local is for a node without a draingate: it also ends the maintenance itself, on the
Consul agent that CONSUL_HTTP_ADDR names, where it has draingate's reason; nobody
else's is touched. Without a DEPLOYMENT or JOB it does so for every deployment that
has no record any more. Once begun, it is carried out in full: Ctrl-C does not cut it
in half.

The token needs key_prefix "draingate/" { policy = "write" }, and for --local also
service_prefix "" { policy = "write" }, node_prefix "" and agent_prefix "" { policy = "read" }.`,
		Example: `  draingate fence lift web
  draingate fence lift 1f2e3d4c
  draingate fence lift web --namespace shop --force

  # A node on which no draingate runs any more: ask its own Consul agent.
  CONSUL_HTTP_ADDR=10.0.0.7:8500 draingate fence lift web --local
  CONSUL_HTTP_ADDR=10.0.0.7:8500 draingate fence lift --local`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&f.namespace, "namespace", "", "the Nomad `NAMESPACE` of the job; any without it")
	cmd.Flags().BoolVar(&f.force, "force", false, "lift a fence that is armed, at the risk of requests")
	cmd.Flags().BoolVar(&f.local, "local", false, "also end draingate's maintenance on the Consul agent that is asked")
	cmd.Flags().StringVar(&f.leaderKey, "leader-key", options.Default().Leader.Key, "the `KEY` that draingate run was given; the records lie below it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		return p.liftFence(cmd.Context(), f, strings.Join(args, ""))
	}
	return cmd
}

func (p Program) liftFence(ctx context.Context, f liftFlags, name string) error {
	if name == "" && !f.local {
		return exit.With(exit.Usage, errors.New("name a deployment or a job (draingate fence list has them), or give --local for what has no record any more"))
	}
	if p.Fences == nil {
		return exit.With(exit.Usage, errors.New("this build cannot lift fences"))
	}
	lifter, err := p.Fences(f.leaderKey)
	if err != nil {
		return err
	}
	list, err := lifter.Fences(ctx)
	if err != nil {
		return err
	}
	found, err := fenceOf(list.In(f.namespace).Fences, name)
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	if found == nil && !f.local {
		return exit.With(exit.Failed, fmt.Errorf("there is no fence of %s: draingate fence list has those that there are; --local also lifts what has no record any more", plain(name)))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liftTimeout)
	defer cancel()
	if found != nil {
		ended, err := p.liftRecord(ctx, lifter, *found, list.Fencers, f)
		if err != nil || !f.local {
			return err
		}
		found = &ended
	}
	return p.liftLocal(ctx, lifter, list.Fences, found, name)
}

// fenceOf is the one fence that somebody means by a job, or by an ID or how it
// begins; nil where there is none. One that has ended is meant only where no
// other is.
func fenceOf(all []status.Fence, name string) (*status.Fence, error) {
	if name == "" {
		return nil, nil
	}
	meant := func(f status.Fence) bool {
		return f.Job == name || len(name) >= leastOfID && strings.HasPrefix(f.Deployment, name)
	}
	found := slices.DeleteFunc(slices.Clone(all), func(f status.Fence) bool { return !meant(f) })
	if going := slices.DeleteFunc(slices.Clone(found), func(f status.Fence) bool { return f.Step == fenceEnded }); len(going) > 0 {
		found = going
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &found[0], nil
	}
	var which []string
	for _, f := range found {
		which = append(which, fmt.Sprintf("%s of job %s in namespace %s", f.Deployment, plain(f.Job), plain(f.Namespace)))
	}
	return nil, fmt.Errorf("%s may be more than one deployment: %s: give the ID of one, or --namespace", plain(name), strings.Join(which, ", "))
}

// liftRecord ends the record, and says what follows from that.
func (p Program) liftRecord(ctx context.Context, lifter FenceLifter, f status.Fence, fencers []status.Fencer, flags liftFlags) (status.Fence, error) {
	ended, done, err := lifter.Lift(ctx, model.Key{Namespace: f.Namespace, Deployment: f.Deployment}, flags.force)
	if err != nil {
		return status.Fence{}, err
	}
	what := fmt.Sprintf("fence of deployment %s (job %s, namespace %s)", model.Short(f.Deployment), plain(f.Job), plain(f.Namespace))
	if !done {
		_, err = fmt.Fprintf(p.Stdout, "The %s had ended already: %s\n", what, plain(orElse(ended.Message, "everything was stopped as planned")))
		return ended, err
	}
	if f.Locked {
		_, _ = fmt.Fprintf(p.Stderr, "draingate: %s leads and was at work on it: it aborts and holds the deployment (FenceAborted)\n", plain(f.Owner))
	}
	for _, node := range missingOn(f.Set, fencers) {
		if !flags.local {
			_, _ = fmt.Fprintf(p.Stderr, "draingate: there is no draingate on node %s, which would lift its maintenance: ask the Consul agent of that node with --local\n", plain(node))
		}
	}
	lines := []string{fmt.Sprintf("Ended the %s: what it had out of rotation (%d) goes back as soon as the draingate of its node has seen that.", what, len(f.Set))}
	if len(ended.Kept) > 0 {
		lines = append(lines, fmt.Sprintf("What was told to stop (%d) ends as it is.", len(ended.Kept)))
	}
	if ended.Pause {
		lines = append(lines, fmt.Sprintf("The deployment is paused by draingate: draingate unpause %s goes on without a fence; else it is failed ahead of its progress deadline.", plain(f.Job)))
	}
	_, err = fmt.Fprintln(p.Stdout, strings.Join(lines, "\n"))
	return ended, err
}

// fenceEnded is the step of a record that is over.
const fenceEnded = "ended"

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// missingOn are the nodes of the instances on which no draingate is present.
func missingOn(set []status.FencedInstance, fencers []status.Fencer) []string {
	var out []string
	for _, i := range set {
		if !slices.ContainsFunc(fencers, func(f status.Fencer) bool { return f.Node == i.Node }) {
			out = append(out, i.Node)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// liftLocal ends maintenance on the agent that is asked: that of one deployment,
// or of all that have no record.
func (p Program) liftLocal(ctx context.Context, lifter FenceLifter, all []status.Fence, found *status.Fence, name string) error {
	agent, local, err := lifter.Local(ctx)
	if err != nil {
		return err
	}
	var failed []error
	lifted := 0
	for _, l := range local {
		if why := spared(l, all, found, name); why != "" {
			_, _ = fmt.Fprintf(p.Stdout, "Left service %s on %s as it is: %s\n", plain(l.Service), plain(agent), why)
			continue
		}
		done, err := lifter.LiftLocal(ctx, l)
		failed = append(failed, err)
		if done {
			lifted++
			_, _ = fmt.Fprintf(p.Stdout, "Took service %s on %s back into rotation (deployment %s)\n", plain(l.Service), plain(agent), model.Short(plain(l.Deployment)))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "%d of %d services that draingate has in maintenance on the Consul agent %s were taken back into rotation.\n", lifted, len(local), plain(agent))
	return err
}

// spared says why a service stays in maintenance; empty where it does not.
func spared(l status.LocalFence, all []status.Fence, found *status.Fence, name string) string {
	record := slices.IndexFunc(all, func(f status.Fence) bool { return f.Deployment == l.Deployment })
	switch {
	case found != nil && l.Deployment != found.Deployment, found == nil && name != "" && (len(name) < leastOfID || !strings.HasPrefix(l.Deployment, name)):
		return "it is fenced for deployment " + model.Short(plain(l.Deployment))
	case found != nil && slices.ContainsFunc(found.Kept, func(i status.FencedInstance) bool { return slices.Contains(i.Services, l.Service) }):
		return "its instance was told to stop"
	case found == nil && record >= 0:
		return fmt.Sprintf("deployment %s has a record (%s): name it to lift it", model.Short(plain(l.Deployment)), plain(all[record].Step))
	default:
		return ""
	}
}
