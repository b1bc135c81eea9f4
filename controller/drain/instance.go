package drain

import (
	"fmt"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Meta keys that an old allocation's own job is asked for.
const (
	// MetaDrain is how long the application serves after the stop signal.
	MetaDrain = "draingate_drain"
	// MetaMaxRequest is L, the longest request that must be allowed to end.
	MetaMaxRequest = "draingate_max_request"
)

// MaxKillTimeout is the cap that a Nomad client puts on kill_timeout where
// nothing else is known of its max_kill_timeout (Nomad v1.11.3,
// command/agent/config.go).
const MaxKillTimeout = 30 * time.Second

// ServableTime returns S, the time for which an allocation goes on accepting
// connections for a service after that service left the catalog, and the terms
// that add up to it. The service must be one of the allocation's own job.
//
//	group-level service: S = group shutdown_delay + smallest task shutdown_delay + drain
//	task-level service:  S = shutdown_delay of its task + drain
//	drain = min(draingate_drain, kill_timeout, MaxKillTimeout)
//
// A task-level service stays in the catalog through the group's delay, so that
// delay does not count for it (Nomad v1.11.3,
// client/allocrunner/group_service_hook.go, taskrunner/service_hook.go). The
// declared drain counts nothing where the job was changed in place after the
// allocation started: the running task keeps the kill_timeout it started with.
//
// The error says what of the job cannot be read; S is then zero.
func ServableTime(a model.Allocation, svc model.Service) (time.Duration, []model.Term, error) {
	g := a.Job.Group(a.Group)
	if g == nil {
		return 0, nil, fmt.Errorf("allocation %s: its own job is not known", a.ShortID())
	}
	tasks, err := servingTasks(g, svc)
	if err != nil {
		return 0, nil, fmt.Errorf("allocation %s: %w", a.ShortID(), err)
	}
	drain, err := declaredDrain(a, tasks)
	if err != nil {
		return 0, nil, err
	}
	terms := make([]model.Term, 0, 3)
	source := fmt.Sprintf("job version %d of allocation %s", a.Job.Version, a.ShortID())
	if svc.Task == "" {
		terms = append(terms, model.Term{Name: "group shutdown_delay", Value: g.ShutdownDelay, Source: source})
	}
	terms = append(terms, model.Term{Name: "task shutdown_delay", Value: smallestDelay(tasks), Source: source}, drain)
	return sum(terms), terms, nil
}

// LongestRequest returns L as the allocation's own job declares it, zero where
// it does not.
func LongestRequest(a model.Allocation) (time.Duration, error) {
	return metaDuration(a, MetaMaxRequest)
}

// servingTasks are the tasks that may be the one that serves: the service's
// own task, else every task that runs for as long as the allocation does.
func servingTasks(g *model.Group, svc model.Service) ([]model.Task, error) {
	var out []model.Task
	for _, t := range g.Tasks {
		if svc.Task == t.Name || svc.Task == "" && (t.Main() || t.Sidecar) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("group %q has no task that serves service %q", g.Name, svc.Name)
	}
	return out, nil
}

func smallestDelay(tasks []model.Task) time.Duration {
	d := tasks[0].ShutdownDelay
	for _, t := range tasks {
		d = min(d, t.ShutdownDelay)
	}
	return d
}

func declaredDrain(a model.Allocation, tasks []model.Task) (model.Term, error) {
	term := model.Term{Name: "declared drain", Source: MetaDrain, Declared: true}
	d, err := metaDuration(a, MetaDrain)
	if err != nil || d == 0 {
		return term, err
	}
	if a.ChangedInPlace() {
		term.Source = MetaDrain + " not counted: the job was changed in place after the allocation started"
		return term, nil
	}
	limit := MaxKillTimeout
	for _, t := range tasks {
		limit = min(limit, t.KillTimeout)
	}
	if d > limit {
		term.Source = fmt.Sprintf("%s = %s, cut to kill_timeout", MetaDrain, d)
		d = limit
	}
	term.Value = d
	return term, nil
}

func metaDuration(a model.Allocation, key string) (time.Duration, error) {
	text, ok := a.Job.MetaFor(a.Group, key)
	if !ok {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("allocation %s: meta %s = %q is not a duration such as \"6s\"", a.ShortID(), key, text)
	}
	return d, nil
}
