package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// gateRules are about the gate and the deployment itself: settings that defeat
// it, and deployments that cannot end well.
func gateRules() []Rule {
	return []Rule{autoPromote(), maxParallelZero(), deadlineOrder(), unknownMeta(), badMetaValue(), gateNotPossible(), modeOfGroupsDiffers(), fenceIneffective()}
}

func autoPromote() Rule {
	return Rule{
		ID: "DG301", Name: "auto-promote", Severity: Error,
		Summary: "The group promotes itself, so nothing can hold it.",
		Why: "Nomad promotes in the step in which the last canary turns healthy, without a look at the catalog or at any proxy (Nomad v1.11.3, " +
			"nomad/deploymentwatcher/deployment_watcher.go), so the old instances stop before the new ones are routed. Measured: about half of the 25 % lost with " +
			"Traefik's defaults.",
		Fixes: "sets auto_promote to false; from then on draingate, or a person, promotes",
		Find:  eachGroup(findAutoPromote),
	}
}

func findAutoPromote(g placedGroup) []Finding {
	f := Finding{Path: g.path.Update("auto_promote"), Message: AutoPromote(*g.group)}
	if f.Message == "" || !g.canaried() {
		return nil
	}
	mode, _ := g.in.Job.MetaFor(g.group.Name, metaMode)
	switch {
	case mode == string(model.ModeEnforce) || mode == string(model.ModeObserve):
		f.Message += fmt.Sprintf(" (%s = %q asks for the gate)", metaMode, mode)
	case len(g.routed) == 0:
		return nil
	case slices.ContainsFunc(g.routed, func(p place) bool { return window(g.in, p).Verdict != model.VerdictSafe }):
		f.Severity = Warning
	default:
		f.Severity = Notice
		f.Message += "; what hides it is that the old instances serve for a whole refresh of Traefik, which brings the new ones as well"
	}
	return []Finding{f.fixed(f.Path, false)}
}

func maxParallelZero() Rule {
	return Rule{
		ID: "DG302", Name: "max-parallel-zero", Severity: Error,
		Summary: "max_parallel = 0 replaces everything at once.",
		Why: "An update block with max_parallel = 0 counts as none (Nomad v1.11.3, nomad/structs/structs.go, UpdateStrategy.IsEmpty): there is no deployment, no health " +
			"and no promotion, so no gate, and all allocations are stopped in one plan before any replacement starts (scheduler/reconciler/reconcile_cluster.go).",
		Fixes: "sets max_parallel to 1, which is its default",
		Find: eachGroup(func(g placedGroup) []Finding {
			replaced := g.in.Job.Type == model.JobTypeService || g.in.Job.Type == model.JobTypeSystem
			if !replaced || g.group.Update.MaxParallel != 0 || len(g.routed) == 0 && g.group.Update.Canary == 0 {
				return nil
			}
			instances := fmt.Sprintf("all %d instances", g.group.Count)
			if g.in.Job.Type == model.JobTypeSystem {
				instances = "the instances of all nodes"
			}
			f := Finding{Path: g.path.Update("max_parallel"), Message: fmt.Sprintf("group %q has max_parallel = 0: Nomad stops %s at once and makes no deployment that could be held", g.group.Name, instances)}
			return []Finding{f.fixed(f.Path, 1)}
		}),
	}
}

func deadlineOrder() Rule {
	return Rule{
		ID: "DG303", Name: "deadline-order", Severity: Error,
		Summary: "The deadlines of the deployment contradict each other.",
		Why: "Nomad refuses a job unless min_healthy_time < healthy_deadline < progress_deadline and kill_timeout <= progress_deadline, where that is not 0 (Nomad v1.11.3, " +
			"nomad/structs/structs.go, UpdateStrategy.Validate and Task.Validate). Others it accepts, and the deployment fails half way: a check whose first result may " +
			"come too late for healthy_deadline (Consul v1.22.6, agent/checks/check.go, waits for up to one interval), and a replacement that waits longer for the allocation " +
			"before it than progress_deadline allows (client/allocrunner/upstream_allocs_hook.go).",
		Fixes: "sets a later progress_deadline, where that is the one that comes too early; the others are for the author to say",
		Find:  eachGroup(findDeadlineOrder),
	}
}

func findDeadlineOrder(g placedGroup) []Finding {
	if g.in.Job.Type != model.JobTypeService || g.group.Update == (model.Update{}) {
		return nil
	}
	out := refused(g)
	if len(out) == 0 {
		out = append(lateChecks(g), slowStops(g)...)
	}
	for i := range out {
		if out[i].Fix == nil {
			out[i] = out[i].notFixed("which of the deadlines is the wrong one, the job does not say")
		}
	}
	return out
}

func refused(g placedGroup) []Finding {
	u := g.group.Update
	var out []Finding
	if u.MinHealthyTime >= u.HealthyDeadline {
		out = append(out, found(g.path.Update("min_healthy_time"), fmt.Sprintf("min_healthy_time = %s is not below healthy_deadline = %s; Nomad refuses the job", figure(u.MinHealthyTime), figure(u.HealthyDeadline)), "")...)
	}
	if u.ProgressDeadline != 0 && u.HealthyDeadline >= u.ProgressDeadline {
		f := Finding{Path: g.path.Update("healthy_deadline"), Message: fmt.Sprintf("healthy_deadline = %s is not below progress_deadline = %s; Nomad refuses the job", figure(u.HealthyDeadline), figure(u.ProgressDeadline))}
		// Nomad's own defaults are 5m and 10m; a later one only lets it go on waiting.
		out = append(out, f.fixed(g.path.Update("progress_deadline"), twice(u.HealthyDeadline)))
	}
	for _, t := range g.group.Tasks {
		if u.ProgressDeadline > 0 && t.KillTimeout > u.ProgressDeadline {
			out = append(out, found(g.path.Task(t.Name).Child("kill_timeout"), fmt.Sprintf("kill_timeout = %s of task %q is above progress_deadline = %s; Nomad refuses the job", figure(t.KillTimeout), t.Name, figure(u.ProgressDeadline)), "")...)
		}
	}
	return out
}

// lateChecks are checks whose first result may come too late for an allocation
// to be healthy in time.
func lateChecks(g placedGroup) []Finding {
	u := g.group.Update
	if u.HealthCheck != "checks" {
		return nil
	}
	var out []Finding
	for _, p := range g.services {
		for i, c := range p.service.Checks {
			if c.Interval+u.MinHealthyTime < u.HealthyDeadline || startsPassing(c) {
				continue
			}
			message := fmt.Sprintf("check %q of service %q may first run %s after the start; with min_healthy_time = %s that is not before healthy_deadline = %s, so the deployment may fail however fast the start is",
				c.Name, p.service.Name, figure(c.Interval), figure(u.MinHealthyTime), figure(u.HealthyDeadline))
			out = append(out, Finding{Severity: Warning, Path: p.path.Check(i).Child("interval"), Message: message})
		}
	}
	return out
}

// slowStops are stops that may use up progress_deadline before a replacement
// can start.
func slowStops(g placedGroup) []Finding {
	u := g.group.Update
	if u.ProgressDeadline <= 0 || u.Canary >= g.group.Count || u.MaxParallel <= 0 {
		return nil
	}
	delay := g.group.ShutdownDelay + longestDelay(g.group)
	if delay+u.MinHealthyTime < u.ProgressDeadline {
		return nil
	}
	message := fmt.Sprintf("a replacement waits until the old allocation has ended, at least %s (shutdown_delay of group %q and of its tasks), and then for min_healthy_time = %s: that is not within progress_deadline = %s, so the deployment fails",
		figure(delay), g.group.Name, figure(u.MinHealthyTime), figure(u.ProgressDeadline))
	f := Finding{Path: g.path.Update("progress_deadline"), Message: message}
	return []Finding{f.fixed(f.Path, twice(delay+u.HealthyDeadline))}
}

// twice is two times a duration, or the duration where that is too much for one.
func twice(d time.Duration) time.Duration { return max(d, 2*d) }

func longestDelay(g *model.Group) time.Duration {
	var d time.Duration
	for _, t := range g.Tasks {
		if t.Main() {
			d = max(d, t.ShutdownDelay)
		}
	}
	return d
}

func gateNotPossible() Rule {
	return Rule{
		ID: "DG306", Name: "gate-not-possible", Severity: Error,
		Summary: "The job asks for the gate and cannot be gated.",
		Why: "draingate promotes service jobs whose routed instances it sees in the Consul catalog of its own region and datacenter. Everything else it reports and holds, so " +
			"a deployment that awaits promotion waits forever (docs/reasons.md), or there is none: a canary of a system job takes the place of the old allocation (Nomad v1.11.3, " +
			"scheduler/scheduler_system.go).",
		Find: findGateNotPossible,
	}
}

func findGateNotPossible(in Input) []Finding {
	if in.Job == nil || !asks(in.Job, model.ModeEnforce) {
		return nil
	}
	out := slices.Concat(
		found(model.JobPath.Child("type"), SystemJob(*in.Job), ""),
		elsewhere(*in.Job),
	)
	if SystemJob(*in.Job) == "" {
		out = append(out, found(model.JobPath.Child("type"), NotService(*in.Job), `type = "service"`)...)
	}
	for _, p := range in.services() {
		if p.group.Update.Canary > 0 {
			out = append(out, found(p.path.Child("provider"), ProviderNomad(p.service), `provider = "consul"`)...)
			out = append(out, found(p.path.Child("connect"), Connect(p.service), "")...)
		}
	}
	for i := range out {
		out[i].Message = fmt.Sprintf("%s = %q has no effect: %s", metaMode, model.ModeEnforce, out[i].Message)
	}
	return append(out, severalDatacenters(*in.Job)...)
}

func elsewhere(j model.Job) []Finding {
	if !j.Multiregion {
		return nil
	}
	return found(model.JobPath.Child("multiregion"), NotLocal(j, j.Region, ""), "")
}

func severalDatacenters(j model.Job) []Finding {
	vague := slices.ContainsFunc(j.Datacenters, func(dc string) bool { return dc != "*" && strings.Contains(dc, "*") })
	if len(j.Datacenters) < 2 && !vague {
		return nil
	}
	f := Finding{Severity: Unknown, Path: model.JobPath.Child("datacenters")}
	f.Message = fmt.Sprintf("the job may run in datacenters %q and draingate gates it only where all are the one of its own Consul, which the job does not say", j.Datacenters)
	return []Finding{f}
}

func modeOfGroupsDiffers() Rule {
	return Rule{
		ID: "DG307", Name: "mode-of-groups-differs", Severity: Warning,
		Summary: "One group asks for the gate and another does not.",
		Why: "A deployment is promoted as a whole, so draingate goes by the most cautious mode that any group of the job has, observe where it has none; only " +
			"`draingate run --default-mode enforce` changes that.",
		Find: findModeOfGroupsDiffers,
	}
}

func findModeOfGroupsDiffers(in Input) []Finding {
	if in.Job == nil || !asks(in.Job, model.ModeEnforce) {
		return nil
	}
	var out []Finding
	for _, g := range in.Job.Groups {
		mode, ok := in.Job.MetaFor(g.Name, metaMode)
		if mode == string(model.ModeEnforce) {
			continue
		}
		has := "has no " + metaMode
		if ok {
			has = fmt.Sprintf("has %s = %q", metaMode, mode)
		}
		message := fmt.Sprintf("group %q %s while another group of the job has %q: the whole job goes by the most cautious of them", g.Name, has, model.ModeEnforce)
		out = append(out, found(model.GroupPath(g.Name).Meta(metaMode), message, fmt.Sprintf("%s = %q", metaMode, model.ModeEnforce))...)
	}
	return out
}

// asks reports whether any group asks for the mode, by itself or by its job.
func asks(j *model.Job, mode model.Mode) bool {
	return slices.ContainsFunc(j.Groups, func(g model.Group) bool {
		text, _ := j.MetaFor(g.Name, metaMode)
		return text == string(mode)
	})
}
