package rule

import (
	"fmt"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// placedGroup is a task group with its services.
type placedGroup struct {
	path  model.Path
	in    Input
	group *model.Group
	// services are all of the group and its tasks, routed those that a proxy
	// routes to.
	services, routed []place
}

// eachGroup applies a finder to each task group of the job.
func eachGroup(find func(placedGroup) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		var out []Finding
		for _, g := range groups(in) {
			out = append(out, find(g)...)
		}
		return out
	}
}

func groups(in Input) []placedGroup {
	switch {
	case in.Job == nil:
		return nil
	case in.kept != nil && in.kept.groups != nil:
		return in.kept.groups
	}
	all, routed := in.services(), served(in)
	var out []placedGroup
	for i := range in.Job.Groups {
		g := &in.Job.Groups[i]
		out = append(out, placedGroup{path: model.GroupPath(g.Name), in: in, group: g, services: within(g, all), routed: within(g, routed)})
	}
	return out
}

func within(g *model.Group, places []place) []place {
	var out []place
	for _, p := range places {
		if p.group == g {
			out = append(out, p)
		}
	}
	return out
}

// canaried reports whether a new version of the group starts beside the old
// one. A canary of a job that is not of type service never does.
func (g placedGroup) canaried() bool {
	return g.in.Job.Type == model.JobTypeService && g.group.Update.Canary > 0 && g.group.Count > 0
}

func noCanary() Rule {
	return Rule{
		ID: "DG207", Name: "no-canary", Severity: Error,
		Summary: "A routed group is replaced stop before start.",
		Why: "Without canaries a new allocation waits until the one it replaces has ended (Nomad v1.11.3, client/allocrunner/upstream_allocs_hook.go); " +
			"the hole is shutdown_delay + the exit + the start + the first passing check + the time to start routing. Nobody is asked to promote, so no gate is in force. " +
			"Measured with one instance: 75.9 % answered. A group that cannot overlap can have its requests parked instead (draingate_park): then this is not found.",
		Find: eachGroup(findNoCanary),
	}
}

func findNoCanary(g placedGroup) []Finding {
	u := g.group.Update
	if g.in.Job.Type != model.JobTypeService || len(g.routed) == 0 || u.Canary > 0 || u.MaxParallel <= 0 || g.group.Count <= 0 {
		return nil
	}
	if _, parked, _ := park.Longest(g.in.Job, g.group.Name); parked {
		return nil // Whether that will do is for the rules about parks to say.
	}
	f := Finding{Path: g.path.Update("canary"), Remedy: fmt.Sprintf("canary = %d", g.group.Count)}
	gone := min(u.MaxParallel, g.group.Count)
	f.Message = fmt.Sprintf("group %q has canary = 0: a new version stops %d of %d instances (max_parallel = %d) before their replacements start", g.group.Name, gone, g.group.Count, u.MaxParallel)
	switch mode, _ := g.in.Job.MetaFor(g.group.Name, metaMode); {
	case gone == g.group.Count:
		f.Message += ", and nothing serves until they pass and are routed"
	case mode == string(model.ModeEnforce) || mode == string(model.ModeObserve):
		f.Severity = Warning
		f.Message += fmt.Sprintf("; Nomad asks nobody, so %s = %q has nothing to act on", metaMode, mode)
	default:
		f.Severity = Notice
		f.Message += fmt.Sprintf("; %d of %d serve meanwhile", g.group.Count-gone, g.group.Count)
	}
	if why := alone(g.group); why != "" {
		f.Message += "; canaries are no way out: " + why
		f.Remedy = ""
		if gone == g.group.Count {
			f.Message += fmt.Sprintf("; requests can wait for the new version instead: %s, with the service at task level", metaPark)
			f.Remedy = fmt.Sprintf("meta {\n  %s = \"30s\"\n}", metaPark)
		}
	}
	return []Finding{f}
}

func canaryBelowCount() Rule {
	return Rule{
		ID: "DG208", Name: "canary-below-count", Severity: Notice,
		Summary: "After promotion part of the group is replaced stop before start.",
		Why: "Promotion stops as many old allocations as there are canaries, and max_parallel more in the same plan; each of the rest is stopped before its " +
			"replacement starts (Nomad v1.11.3, scheduler/reconciler/reconcile_cluster.go). Seen: of 3 with canary = 1 two old instances left the catalog at once, " +
			"and two of three served for 6.9 s.",
		Fixes: "sets canary to the count, unless a static port, a volume, a sticky disk or distinct_hosts asks for more nodes than the job says there are",
		Find:  eachGroup(findCanaryBelowCount),
	}
}

func findCanaryBelowCount(g placedGroup) []Finding {
	u, count := g.group.Update, g.group.Count
	if !g.canaried() || len(g.routed) == 0 || u.Canary >= count || u.MaxParallel <= 0 {
		return nil
	}
	stopped := min(count, u.Canary+u.MaxParallel)
	message := fmt.Sprintf("group %q has canary = %d of count = %d: promotion stops %d old instances at once (canary %d + max_parallel %d), %d of %d serve until the next ones pass, and %d are replaced stop before start",
		g.group.Name, u.Canary, count, stopped, u.Canary, u.MaxParallel, count-stopped+u.Canary, count, count-u.Canary)
	f := Finding{Path: g.path.Update("canary"), Message: message}.fixed(g.path.Update("canary"), count)
	if obstacle := crowded(g); obstacle != "" {
		f = f.notFixed(obstacle)
	}
	return []Finding{f}
}

// crowded names the first thing that more canaries may find no room for; empty
// where the job shows none.
func crowded(g placedGroup) string {
	for _, find := range []func(placedGroup) []Finding{findVolumeCannotOverlap, findStaticPort, findStickyDisk, findDistinctHosts} {
		if in := find(g); len(in) > 0 {
			return "more canaries may not find their place: " + in[0].Message
		}
	}
	return ""
}
