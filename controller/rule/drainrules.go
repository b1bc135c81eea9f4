package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

// drainRules are about the stop side: instances that stop serving while a
// proxy still routes to them.
//
// Where a finding's path names an attribute, its remedy is the line to write
// there.
func drainRules() []Rule {
	return []Rule{drainTooShort(), drainBeyondKillTimeout(), taskServiceGroupDelay(), drainWithoutSignal(), templateRestart(), runningTooShort()}
}

func drainBeyondKillTimeout() Rule {
	return Rule{
		ID: "DG102", Name: "drain-beyond-kill-timeout", Severity: Warning,
		Summary: "Nomad kills the task before the declared drain is over.",
		Why: "A task is killed min(kill_timeout, the client's max_kill_timeout) after the stop signal (Nomad v1.11.3, " +
			"client/allocrunner/taskrunner/driver_handle.go); max_kill_timeout is 30s unless the client says otherwise (command/agent/config.go). " +
			"What the application would have served after that is lost, and draingate does not count it.",
		Fixes: "sets kill_timeout to the declared drain, where that is no more than 30s",
		Find:  eachInCatalog(findDrainBeyondKillTimeout),
	}
}

func findDrainBeyondKillTimeout(in Input, p place) []Finding {
	declared := declaredDrain(in.Job, p.group)
	var out []Finding
	for _, t := range lasting(p) {
		f := Finding{Path: model.GroupPath(p.group.Name).Task(t.Name).Child("kill_timeout")}
		f.Severity, f.Message, f.Remedy = killTimeout(t, declared)
		switch {
		case f.Message == "":
			continue
		case declared > t.KillTimeout && declared <= drain.MaxKillTimeout:
			f = f.fixed(f.Path, declared)
		default:
			f = f.notFixed(fmt.Sprintf("what a client allows beyond %s is not in the job", figure(drain.MaxKillTimeout)))
		}
		out = append(out, f)
	}
	return out
}

func killTimeout(t model.Task, declared time.Duration) (severity Severity, message, remedy string) {
	most := drain.MaxKillTimeout
	switch {
	case declared > t.KillTimeout && declared > most:
		return Warning, fmt.Sprintf("task %q declares %s = %s and is killed after kill_timeout = %s; more than %s needs a client with a larger max_kill_timeout, so put the rest into shutdown_delay",
			t.Name, drain.MetaDrain, figure(declared), figure(t.KillTimeout), figure(most)), assign("kill_timeout", most)
	case declared > t.KillTimeout:
		return Warning, fmt.Sprintf("task %q declares %s = %s and is killed after kill_timeout = %s: only %s of it counts",
			t.Name, drain.MetaDrain, figure(declared), figure(t.KillTimeout), figure(t.KillTimeout)), assign("kill_timeout", declared)
	case declared > most:
		return Warning, fmt.Sprintf("task %q declares %s = %s, but a client kills it after its max_kill_timeout, %s unless set otherwise: only %s of it counts; put the rest into shutdown_delay",
			t.Name, drain.MetaDrain, figure(declared), figure(most), figure(most)), ""
	case t.KillTimeout > most:
		return Unknown, fmt.Sprintf("task %q has kill_timeout = %s, but a client cuts that to its max_kill_timeout, %s unless set otherwise, which the job does not say",
			t.Name, figure(t.KillTimeout), figure(most)), ""
	default:
		return "", "", ""
	}
}

func taskServiceGroupDelay() Rule {
	return Rule{
		ID: "DG103", Name: "task-service-group-delay", Severity: Warning,
		Summary: "Only the group has a shutdown_delay, which does nothing for a service at task level.",
		Why: "A task-level service stays in the catalog for the whole delay of its group and leaves it when its task is about to be killed " +
			"(Nomad v1.11.3, client/allocrunner/group_service_hook.go, taskrunner/service_hook.go). Measured: with 4s at the group and none at the task " +
			"the instance left the catalog 17 ms after the stop signal.",
		Fixes: "gives the task a shutdown_delay of its own, and leaves that of the group",
		Find:  eachInCatalog(findTaskServiceGroupDelay),
	}
}

func findTaskServiceGroupDelay(in Input, p place) []Finding {
	if p.task == nil || p.group.ShutdownDelay <= 0 || p.task.ShutdownDelay > 0 {
		return nil
	}
	w, delay := window(in, p), p.group.ShutdownDelay
	switch w.Verdict {
	case model.VerdictSafe:
		return nil // a declared drain is enough
	case model.VerdictUnsafe, model.VerdictMasked:
		delay, _ = drain.Cure(w, nextOld(in, p), levelled(p))
	case model.VerdictUnknown:
	}
	message := fmt.Sprintf("service %q is at task level, where the group's shutdown_delay of %s gives it nothing: it leaves the catalog only after that; task %q has no shutdown_delay of its own",
		p.service.Name, figure(p.group.ShutdownDelay), p.task.Name)
	return []Finding{Finding{Path: delayPath(p), Message: message}.fixed(delayPath(p), delay)}
}

func drainWithoutSignal() Rule {
	return Rule{
		ID: "DG104", Name: "drain-without-signal", Severity: Warning,
		Summary: "A drain is declared and the driver's stop signal is SIGINT.",
		Why: "The drivers raw_exec, exec and java send SIGINT unless kill_signal says otherwise (Nomad v1.11.3, drivers/shared/executor/executor.go). " +
			"A program that only drains on SIGTERM then ends at once, and the drain that draingate counts on does not happen.",
		Find: eachInCatalog(findDrainWithoutSignal),
	}
}

func findDrainWithoutSignal(in Input, p place) []Finding {
	declared := declaredDrain(in.Job, p.group)
	if declared == 0 {
		return nil
	}
	var out []Finding
	for _, t := range servers(p) {
		if t.KillSignal != "" || t.Driver != "raw_exec" && t.Driver != "exec" && t.Driver != "java" {
			continue
		}
		message := fmt.Sprintf("task %q declares %s = %s and has no kill_signal: driver %q sends SIGINT, on which many programs end at once",
			t.Name, drain.MetaDrain, figure(declared), t.Driver)
		out = append(out, found(model.GroupPath(p.group.Name).Task(t.Name).Child("kill_signal"), message, `kill_signal = "SIGTERM"`)...)
	}
	return out
}

// served are the services that are reached through a proxy: those that a proxy
// routes to, except for what is in Nomad's own catalog without a tag for
// Traefik, which the Consul catalog provider never reads.
func served(in Input) []place {
	switch {
	case in.Job == nil:
		return nil
	case in.kept != nil:
		return in.kept.served
	}
	var out []place
	for _, p := range in.routedServices() {
		if p.service.Provider == model.ProviderConsul || asksForTraefik(in, p.service) {
			out = append(out, p)
		}
	}
	return out
}

func asksForTraefik(in Input, s model.Service) bool {
	prefix := cmp.Or(in.Settings.Prefix, "traefik") + "."
	return slices.ContainsFunc(slices.Concat(s.Tags, s.CanaryTags), func(tag string) bool { return strings.HasPrefix(tag, prefix) })
}

// eachInCatalog applies a finder to each service whose instances a proxy finds
// in the Consul catalog.
func eachInCatalog(find func(Input, place) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		var out []Finding
		for _, p := range served(in) {
			if p.service.Provider == model.ProviderConsul {
				out = append(out, find(in, p)...)
			}
		}
		return out
	}
}

// lasting are the tasks whose settings draingate's arithmetic takes the
// smallest of: the service's own task, else all that run to the end.
func lasting(p place) []model.Task {
	return tasks(p, func(t model.Task) bool { return t.Main() || t.Sidecar })
}

// servers are the tasks that may be the one that answers requests. Which of
// several main tasks it is, the job does not say.
func servers(p place) []model.Task {
	return tasks(p, func(t model.Task) bool {
		if p.service.ForTask != "" {
			return t.Name == p.service.ForTask
		}
		return t.Main()
	})
}

func tasks(p place, is func(model.Task) bool) []model.Task {
	if p.task != nil {
		return []model.Task{*p.task}
	}
	var out []model.Task
	for _, t := range p.group.Tasks {
		if is(t) {
			out = append(out, t)
		}
	}
	return out
}

// declaredDrain is the drain that a group's meta declares, zero where there is
// none or it cannot be read, which DG305 reports.
func declaredDrain(j *model.Job, g *model.Group) time.Duration {
	text, _ := j.MetaFor(g.Name, drain.MetaDrain)
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return max(d, 0)
}

// assign is an attribute with a duration.
func assign(attribute string, d time.Duration) string {
	return fmt.Sprintf("%s = %q", attribute, figure(d))
}

// figure prints a duration to the millisecond, without the trailing zero units
// of package time ("1m0s").
func figure(d time.Duration) string {
	s := d.Round(time.Millisecond).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
