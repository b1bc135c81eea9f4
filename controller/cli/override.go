package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// Overrider reads and writes the variables that override what a job says, with
// the token of the person who asks. The errors are of package exit where the
// exit code should be another than for an internal error.
type Overrider interface {
	// Override returns the items of a job's variable, nil where there is none.
	Override(ctx context.Context, namespace, jobID string) (map[string]string, error)
	// EditOverride changes them and returns what they are then.
	EditOverride(ctx context.Context, namespace, jobID string, edit func(items map[string]string)) (map[string]string, error)
	// Knows reports whether Nomad has the job.
	Knows(ctx context.Context, namespace, jobID string) (bool, error)
	// Job returns the latest version of a job, nil where Nomad has none.
	Job(ctx context.Context, namespace, jobID string) (*model.Job, error)
	// ServiceJobs returns those of the service jobs of a namespace that are not
	// stopped, sorted by ID.
	ServiceJobs(ctx context.Context, namespace string) ([]*model.Job, error)
	// LatestDeployment returns the latest deployment of a job, nil where there is
	// none.
	LatestDeployment(ctx context.Context, namespace, jobID string) (*model.Deployment, error)
}

// overriding are the flags that all commands about overrides have.
type overriding struct{ namespace string }

func (o *overriding) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.namespace, "namespace", "", "the `NAMESPACE` of the job (default NOMAD_NAMESPACE, else default)")
}

const overrideToken = `It is written as a Nomad Variable with your own token, which NOMAD_TOKEN holds;
NOMAD_ADDR and the rest say where Nomad is. The JOB '*' stands for every job of
the namespace.`

func (p Program) freezeCommand() *cobra.Command {
	var o overriding
	var reason string
	cmd := &cobra.Command{
		Use:   "freeze JOB",
		Short: "Keep a job from being promoted",
		Long: `freeze holds every deployment of the job until unfreeze, whatever else is true.

` + overrideToken,
		Example: `  draingate freeze web --reason "audit until Friday"
  draingate freeze '*' --reason "black friday"`,
		Args: cobra.ExactArgs(1),
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for everyone who wonders (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if strings.TrimSpace(reason) == "" {
			return exit.With(exit.Usage, errors.New("--reason is required: it is what others see while the job is held"))
		}
		return p.edit(cmd, o, args[0], func(items map[string]string) { items[model.OverrideFreeze] = reason })
	}
	return cmd
}

func (p Program) unfreezeCommand() *cobra.Command {
	var o overriding
	cmd := &cobra.Command{
		Use:     "unfreeze JOB",
		Short:   "Let a frozen job be promoted again",
		Long:    "unfreeze ends what freeze began. Deployments that wait are looked at again within\na few seconds.\n\n" + overrideToken,
		Example: "  draingate unfreeze web",
		Args:    cobra.ExactArgs(1),
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.edit(cmd, o, args[0], func(items map[string]string) { delete(items, model.OverrideFreeze) })
	}
	return cmd
}

func (p Program) overrideCommand() *cobra.Command {
	var o overriding
	cmd := &cobra.Command{
		Use:   "override JOB [KEY=VALUE]...",
		Short: "Show or change what overrides a job's meta",
		Long: `override sets mode, fence, hold_deadline or on_deadline over what the job's meta
says, without a new version of the job. KEY= without a value takes an override
away. Without any KEY it shows what is overridden.

freeze, unpause and pause have commands of their own, which find out what they need.

` + overrideToken,
		Example: `  draingate override web
  draingate override web mode=observe hold_deadline=2h
  draingate override web fence=never
  draingate override web mode=`,
		Args: cobra.MinimumNArgs(1),
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		changes, err := overrideChanges(args[1:])
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		if len(changes) == 0 {
			return p.showOverride(cmd, o, args[0])
		}
		return p.edit(cmd, o, args[0], func(items map[string]string) { apply(items, changes) })
	}
	return cmd
}

func apply(items, changes map[string]string) {
	for key, value := range changes {
		items[key] = value
		if value == "" {
			delete(items, key)
		}
	}
}

// overrideChanges refuses what draingate would hold a job for.
func overrideChanges(args []string) (map[string]string, error) {
	out := map[string]string{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q: give KEY=VALUE, or KEY= to take an override away", arg)
		}
		if err := overrideIsSound(key, value); err != nil {
			return nil, err
		}
		out[key] = value
	}
	return out, nil
}

func overrideIsSound(key, value string) error {
	sound, want := true, ""
	switch key {
	case model.OverrideMode:
		sound = slices.Contains([]model.Mode{model.ModeEnforce, model.ModeObserve, model.ModeOff}, model.Mode(value))
		want = "enforce, observe or off"
	case model.OverrideHoldDeadline:
		d, err := time.ParseDuration(value)
		sound, want = err == nil && d > 0, "a duration above 0 such as 45m"
	case model.OverrideOnDeadline:
		sound, want = value == model.OnDeadlineHold || value == model.OnDeadlineFail, "hold or fail"
	case model.OverrideFence:
		sound = slices.Contains([]string{model.FenceAuto, model.FenceAlways, model.FenceNever}, value)
		want = "auto, always or never"
	case model.OverrideUnpause:
		if value != "" {
			return errors.New("unpause: use draingate unpause JOB, which finds out the deployment")
		}
	case model.OverridePause:
		return pauseIsSound(value)
	case model.OverrideFreeze:
		return errors.New("freeze: use draingate freeze JOB --reason TEXT and draingate unfreeze JOB")
	default:
		return fmt.Errorf("%s means nothing here: the keys are %s, %s, %s and %s", key, model.OverrideMode, model.OverrideFence, model.OverrideHoldDeadline, model.OverrideOnDeadline)
	}
	if !sound && value != "" {
		return fmt.Errorf("%s=%q: give %s", key, value, want)
	}
	return nil
}

// pauseIsSound refuses what nobody could read, and what would not end soon.
func pauseIsSound(value string) error {
	all, err := park.ReadPauses(value)
	if err != nil {
		return fmt.Errorf("pause: %w: use draingate pause SERVICE, which writes it", err)
	}
	for _, service := range slices.Sorted(maps.Keys(all)) {
		if left := time.Until(all[service]); left > park.PauseMost {
			return fmt.Errorf("pause=%q: service %s would be paused for %s: give %s at most, or use draingate pause %s --max 50s", value, service, left.Round(time.Second), park.PauseMost, service)
		}
	}
	return nil
}

// edit writes and shows what stands then.
func (p Program) edit(cmd *cobra.Command, o overriding, job string, change func(items map[string]string)) error {
	nomad, err := p.overrider()
	if err != nil {
		return err
	}
	namespace := p.namespace(o)
	items, err := nomad.EditOverride(cmd.Context(), namespace, job, change)
	if err != nil {
		return err
	}
	// Whoever may write variables may not be one who may read jobs.
	if known, err := nomad.Knows(cmd.Context(), namespace, job); err == nil && !known && job != model.EveryJob {
		_, _ = fmt.Fprintf(p.Stderr, "draingate: Nomad has no job %s in namespace %s now; what was written counts once there is one\n", plain(job), plain(namespace))
	}
	return printOverride(p.Stdout, namespace, job, items)
}

func (p Program) showOverride(cmd *cobra.Command, o overriding, job string) error {
	nomad, err := p.overrider()
	if err != nil {
		return err
	}
	namespace := p.namespace(o)
	items, err := nomad.Override(cmd.Context(), namespace, job)
	if err != nil {
		return err
	}
	return printOverride(p.Stdout, namespace, job, items)
}

func (p Program) overrider() (Overrider, error) {
	if p.Overrides == nil {
		return nil, exit.With(exit.Usage, errors.New("this build cannot write overrides"))
	}
	return p.Overrides()
}

func (p Program) namespace(o overriding) string {
	for _, name := range []string{o.namespace, p.environment("NOMAD_NAMESPACE")} {
		if name != "" {
			return name
		}
	}
	return "default"
}

func printOverride(w io.Writer, namespace, job string, items map[string]string) error {
	what := fmt.Sprintf("%s (namespace %s, variable %s)", plain(job), plain(namespace), model.OverridePath(job))
	if len(items) == 0 {
		_, err := fmt.Fprintf(w, "%s: nothing is overridden\n", what)
		return err
	}
	if _, err := fmt.Fprintln(w, what); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(items)) {
		if _, err := fmt.Fprintf(w, "  %s = %s\n", plain(key), plain(items[key])); err != nil {
			return err
		}
	}
	return nil
}
