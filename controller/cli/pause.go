package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/status"
)

// pauseFlags are what `draingate pause` and `draingate resume` can be told.
type pauseFlags struct {
	overriding
	job, addr string
	most      time.Duration
	timeout   time.Duration
	detach    bool
}

// pauseTimeout is how long pause and resume wait where they are not told.
const pauseTimeout = 2 * time.Minute

// defaultPause is for how long a pause lasts where nobody says: less than the readTimeout
// of Traefik's entry points, 60 s unless set, with which a longer one is refused.
const defaultPause = 50 * time.Second

func (f *pauseFlags) flags(cmd *cobra.Command) {
	f.overriding.flags(cmd)
	cmd.Flags().StringVar(&f.job, "job", "", "the `JOB` that has the service, where several do, or to save the search")
	addrFlag(cmd, &f.addr)
	cmd.Flags().DurationVar(&f.timeout, "timeout", pauseTimeout, "how long to wait")
	cmd.Flags().BoolVar(&f.detach, "detach", false, "do not wait, and do without the status endpoint")
}

const pauseToken = `It is written as the item pause of the job's Nomad Variable with your own token, which
NOMAD_TOKEN holds; NOMAD_ADDR and the rest say where Nomad is. The token needs read, write
and destroy on the variables draingate/jobs/*, read-job, and list-jobs unless --job names
the job.`

func (p Program) pauseCommand() *cobra.Command {
	var f pauseFlags
	cmd := &cobra.Command{
		Use:   "pause SERVICE",
		Short: "Let all requests to a service wait, for a migration or a swap",
		Long: `pause has draingate register placeholders for the service in Consul and, once every
Traefik routes to them, put its instances into maintenance. Requests then wait until
resume, or until --max is over. More than --park-requests of a node, or a client that
does not wait, are refused or go: each request that was passed on before goes on. A
--max that is not below the readTimeout of Traefik's entry points (60s unless set)
is refused.

It returns once the pause is in force: no Traefik routes to an instance any more.
Ctrl-C only ends the waiting: the pause stays written, and so it does where --timeout
is over. Where the settings of a Traefik or the service's tags refuse it, it is taken
back at once. It counts by the clock of the draingate that answers at --addr.

` + pauseToken + `

It exits with 1 where the service cannot be paused, with 4 if it is not in force in
time, and with 5 if Nomad or the endpoint does not answer.`,
		Example: `  draingate pause web --max 50s && ./migrate; draingate resume web
  draingate pause web --job shop --namespace team --max 5m
  draingate pause web --max 30s --detach`,
		Args: cobra.ExactArgs(1),
	}
	f.flags(cmd)
	cmd.Flags().DurationVar(&f.most, "max", defaultPause, "when it ends by itself")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		if f.most < park.PauseLeast || f.most > park.PauseMost {
			return exit.With(exit.Usage, fmt.Errorf("--max %s: give %s to %s", f.most, park.PauseLeast, park.PauseMost))
		}
		return p.pause(cmd.Context(), f, args[0])
	}
	return cmd
}

func (p Program) resumeCommand() *cobra.Command {
	var f pauseFlags
	cmd := &cobra.Command{
		Use:   "resume SERVICE",
		Short: "End a pause: let what waits go to the service",
		Long: `resume ends what pause began. The instances leave Consul's maintenance, requests that
wait are passed on to them, and once every Traefik routes to one the placeholders leave.
It returns when they have.

` + pauseToken + `

It exits with 0 also where there was no pause, with 4 if the placeholders have not left in
time, and with 5 if Nomad or the endpoint does not answer.`,
		Example: `  draingate resume web
  draingate resume web --job shop --namespace team
  draingate resume web --detach`,
		Args: cobra.ExactArgs(1),
	}
	f.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.fromEnvironment(cmd); err != nil {
			return exit.With(exit.Usage, err)
		}
		return p.resume(cmd.Context(), f, args[0])
	}
	return cmd
}

// pausing is one pause, or its end.
type pausing struct {
	program Program
	nomad   Overrider
	client  *status.Client
	flags   pauseFlags
	// service, namespace and job say what is paused.
	service, namespace, job string
	// until is when it ends by itself.
	until time.Time
	// said is what the last line was about.
	said string
}

func (p Program) pausing(f pauseFlags, service string) (*pausing, error) {
	if f.timeout <= 0 {
		return nil, exit.With(exit.Usage, fmt.Errorf("--timeout %s: give more than 0s", f.timeout))
	}
	nomad, err := p.overrider()
	if err != nil {
		return nil, err
	}
	client, err := status.NewClient(f.addr)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("--addr: %w", err))
	}
	return &pausing{program: p, nomad: nomad, client: client, flags: f, service: service, namespace: p.namespace(f.overriding)}, nil
}

func (p Program) pause(ctx context.Context, f pauseFlags, service string) error {
	w, err := p.pausing(f, service)
	if err != nil {
		return err
	}
	defer w.client.CloseIdle()
	list, err := w.client.Parks(ctx)
	switch {
	case err != nil && !f.detach:
		return fmt.Errorf("%w: nothing was written; --addr names another endpoint, --detach does without", cannotAsk(f.addr, err))
	case err != nil:
		w.warn("whether anybody acts on it is not known: " + err.Error())
	default:
		w.warnOf(ctx, list)
	}
	jobs, err := w.jobs(ctx)
	if err != nil {
		return err
	}
	if len(jobs) > 1 {
		return exit.With(exit.Failed, fmt.Errorf("service %s is in the jobs %s of namespace %s: name one with --job; all instances of the service are paused", plain(service), plain(strings.Join(jobs, ", ")), plain(w.namespace)))
	}
	w.job = jobs[0]
	if err := w.write(ctx, cmp.Or(list.Now, time.Now()).Add(f.most)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.Stdout, "Pausing service %s (job %s, namespace %s) until %s at the latest. To end it: %s\n",
		plain(service), plain(w.job), plain(w.namespace), clock(w.until), w.howToResume()); err != nil || f.detach {
		return err
	}
	return w.await(ctx, w.inForce, "in force")
}

func (p Program) resume(ctx context.Context, f pauseFlags, service string) error {
	w, err := p.pausing(f, service)
	if err != nil {
		return err
	}
	defer w.client.CloseIdle()
	jobs, err := w.jobs(ctx)
	if err != nil {
		return err
	}
	ended := 0
	for _, job := range jobs {
		w.job = job
		was, err := w.clear(ctx)
		if err != nil {
			return err
		}
		if was {
			ended++
			_, _ = fmt.Fprintf(p.Stdout, "Took back the pause of service %s (job %s, namespace %s).\n", plain(service), plain(job), plain(w.namespace))
		}
	}
	if ended == 0 {
		_, _ = fmt.Fprintf(p.Stdout, "There is no pause of service %s (job %s, namespace %s): it is over, or there was none.\n", plain(service), plain(strings.Join(jobs, ", ")), plain(w.namespace))
	}
	if f.detach {
		return nil
	}
	return w.await(ctx, w.left, "resumed")
}

// jobs are those that have the service, sorted; at least one.
func (w *pausing) jobs(ctx context.Context) ([]string, error) {
	if w.flags.job != "" {
		job, err := w.nomad.Job(ctx, w.namespace, w.flags.job)
		switch {
		case err != nil:
			return nil, err
		case job == nil:
			return nil, exit.With(exit.Failed, fmt.Errorf("nomad has no job %s in namespace %s: --namespace names another one", plain(w.flags.job), plain(w.namespace)))
		case !slices.Contains(servicesOf(job), w.service):
			return nil, exit.With(exit.Failed, fmt.Errorf("job %s has no service %s in Consul: it has %s", plain(job.ID), plain(w.service), orNone(servicesOf(job))))
		}
		return []string{job.ID}, nil
	}
	all, err := w.nomad.ServiceJobs(ctx, w.namespace)
	if err != nil {
		return nil, err
	}
	var found, others []string
	for _, job := range all {
		services := servicesOf(job)
		others = append(others, services...)
		if slices.Contains(services, w.service) {
			found = append(found, job.ID)
		}
	}
	if len(found) == 0 {
		return nil, exit.With(exit.Failed, fmt.Errorf("no job of namespace %s that is not stopped has a service %s in Consul%s: --namespace names another one", plain(w.namespace), plain(w.service), similar(others, w.service)))
	}
	return found, nil
}

// servicesOf are the job's services in Consul, sorted.
func servicesOf(job *model.Job) []string {
	var out []string
	for i := range job.Groups {
		for _, s := range job.Groups[i].AllServices() {
			if cmp.Or(s.Provider, model.ProviderConsul) == model.ProviderConsul {
				out = append(out, s.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return plain(strings.Join(names, ", "))
}

// maxSimilar bounds how many names a message suggests.
const maxSimilar = 3

// similar suggests names that are a slip or two away, or that contain the other.
func similar(names []string, name string) string {
	near := func(s string) bool {
		return model.EditDistance(strings.ToLower(s), strings.ToLower(name)) <= min(2, len(name)-1) || len(name) > 2 && strings.Contains(s, name)
	}
	found := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return !near(s) })
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return ""
	}
	return " (did you mean " + plain(strings.Join(found[:min(len(found), maxSimilar)], ", ")) + "?)"
}

// edit changes the pauses of the job. Once begun it is carried out, whatever
// becomes of the command.
func (w *pausing) edit(ctx context.Context, change func(all map[string]time.Time)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liftTimeout)
	defer cancel()
	var unread error
	_, err := w.nomad.EditOverride(ctx, w.namespace, w.job, func(items map[string]string) {
		all, err := park.ReadPauses(items[model.OverridePause])
		if unread = err; err != nil {
			return
		}
		change(all)
		items[model.OverridePause] = park.WritePauses(all)
		if len(all) == 0 {
			delete(items, model.OverridePause)
		}
	})
	if err == nil && unread != nil {
		return exit.With(exit.Failed, fmt.Errorf("the pauses of job %s cannot be read: %w: take them away with draingate override %s pause=", plain(w.job), unread, plain(w.job)))
	}
	return err
}

// write writes the pause, and drops those that are over.
func (w *pausing) write(ctx context.Context, until time.Time) error {
	// A variable has whole seconds.
	w.until = until.Add(time.Second - 1).Truncate(time.Second)
	begins := until.Add(-w.flags.most)
	return w.edit(ctx, func(all map[string]time.Time) {
		for service, at := range all {
			if !at.After(begins) {
				delete(all, service)
			}
		}
		all[w.service] = w.until
	})
}

// clear takes the pause away; false where there was none.
func (w *pausing) clear(ctx context.Context) (bool, error) {
	was := false
	err := w.edit(ctx, func(all map[string]time.Time) {
		_, was = all[w.service]
		delete(all, w.service)
	})
	return was, err
}

func (w *pausing) howToResume() string {
	out := "draingate resume " + plain(w.service)
	if w.flags.job != "" {
		out += " --job " + plain(w.flags.job)
	}
	if w.namespace != "default" {
		out += " --namespace " + plain(w.namespace)
	}
	return out
}

func (w *pausing) warn(text string) {
	_, _ = fmt.Fprintln(w.program.Stderr, "draingate: "+plain(text))
}

// warnOf tells what is in the way of a pause.
func (w *pausing) warnOf(ctx context.Context, list status.ParkList) {
	leader, err := w.client.Leader(ctx)
	if err == nil && leader != nil && leader.Leader == nil {
		w.warn("nobody leads at the moment, so nobody acts on it: " + cmp.Or(leader.Problem, "an election is on"))
	}
	if list.Problem != "" {
		w.warn("the draingate that answers at " + w.flags.addr + " acts on no pause: " + list.Problem)
	}
	if len(list.Parkers) == 0 {
		w.warn("no draingate that can park is present on any node (is it run with --no-park?), so nobody acts on it")
	}
	for _, k := range list.Parkers {
		if k.Problem != "" {
			w.warn("the draingate on node " + k.Node + " cannot park: " + k.Problem)
		}
	}
}

var errInterrupted = errors.New("interrupted")
