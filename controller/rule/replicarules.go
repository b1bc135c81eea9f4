package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

func replicatorStopsEarly() Rule {
	return Rule{
		ID: "DG705", Name: "replicator-stops-early", Severity: Warning,
		Summary: "What copies the database is stopped no later than what writes to it.",
		Why: "Nomad stops a leader task first, then all other main tasks at the same time, then sidecars (Nomad v1.11.3, client/allocrunner/alloc_runner.go, killTasks). A `litestream replicate` " +
			"that is a main task beside the application ends while that still answers, and what it writes then is in no replica: on another node the next instance starts without it. " +
			"And its last upload has to be done within its own kill_timeout.",
		Find: eachGroup(findReplicatorStopsEarly),
	}
}

// defaultKillTimeout is Nomad's (nomad/structs/structs.go, v1.11.3).
const defaultKillTimeout = 5 * time.Second

func findReplicatorStopsEarly(g placedGroup) []Finding {
	var out []Finding
	for _, t := range g.group.Tasks {
		if !replicates(t) {
			continue
		}
		at := g.path.Task(t.Name)
		if writer := writerBeside(g.group, t); writer != "" {
			f := Finding{Path: at, Message: fmt.Sprintf("task %q runs litestream replicate and is stopped together with task %q, so that what that writes while it ends is not copied; a sidecar is stopped after the main tasks, and others after a leader", t.Name, writer)}
			if t.Leader {
				f.Message = fmt.Sprintf("task %q runs litestream replicate and is the leader, so it is stopped before task %q, and what that writes from then on is not copied; make %q the leader", t.Name, writer, writer)
			}
			f.Remedy = "lifecycle {\n  hook    = \"prestart\"\n  sidecar = true\n}"
			out = append(out, f)
		}
		if t.KillTimeout <= defaultKillTimeout && !strings.EqualFold(t.KillSignal, "SIGKILL") {
			f := Finding{Severity: Notice, Path: at.Child("kill_timeout"), Remedy: `kill_timeout = "30s"`}
			f.Message = fmt.Sprintf("task %q runs litestream replicate and is killed %s after its stop signal: what was not uploaded by then is in no replica", t.Name, figure(t.KillTimeout))
			out = append(out, f)
		}
	}
	return out
}

// replicates reports whether a task runs litestream replicate, itself or by a
// shell.
func replicates(t model.Task) bool {
	p := t.Program
	words := strings.Fields(strings.Join(slices.Concat([]string{p.Image, p.Command}, p.Entrypoint, p.Args), " "))
	named := slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "litestream") })
	return named && slices.Contains(words, "replicate")
}

// writerBeside is the main task that a replicator does not outlive; empty where it
// outlives all of them, or starts the application itself.
func writerBeside(g *model.Group, replicator model.Task) string {
	if !replicator.Main() || slices.ContainsFunc(replicator.Program.Args, func(a string) bool { return strings.Contains(a, "-exec") }) {
		return ""
	}
	writer := ""
	for _, t := range g.Tasks {
		switch {
		case t.Name == replicator.Name || !t.Main() || replicates(t):
		case t.Leader:
			return ""
		case writer == "":
			writer = t.Name
		}
	}
	return writer
}

func replicatorOverlaps() Rule {
	return Rule{
		ID: "DG706", Name: "replicator-overlaps", Severity: Error,
		Summary: "Two instances replicate one database to one place.",
		Why: "Litestream expects to be the only one that writes to a replica: two that do overwrite each other's copies, and a restore brings back one of them or none. With count above 1, or with canaries, " +
			"there are two for a while or for good, whatever the database does about its own lock. Such a group is replaced stop before start: count = 1, canary = 0, and requests wait meanwhile (draingate_park).",
		Find: eachGroup(findReplicatorOverlaps),
	}
}

func findReplicatorOverlaps(g placedGroup) []Finding {
	var out []Finding
	for _, t := range g.group.Tasks {
		if !replicates(t) || g.in.Job.Type != model.JobTypeService {
			continue
		}
		if g.canaried() && !mentions(t, "NOMAD_ALLOC_ID") {
			out = append(out, found(g.path.Update("canary"), fmt.Sprintf("canary = %d: task %q of a canary replicates to where that of the old instance does", g.group.Update.Canary, t.Name), "canary = 0")...)
		}
		if g.group.Count > 1 && !mentions(t, "NOMAD_ALLOC_ID") && !mentions(t, "NOMAD_ALLOC_INDEX") && !mentions(t, "NOMAD_ALLOC_NAME") {
			out = append(out, found(g.path.Child("count"), fmt.Sprintf("count = %d: each of the instances has a task %q that replicates to the same place", g.group.Count, t.Name), "count = 1")...)
		}
	}
	return out
}

// mentions reports whether anything that a task is given has the name in it, so that
// each instance may have a place of its own.
func mentions(t model.Task, name string) bool {
	texts := slices.Clone(t.Program.Args)
	for _, v := range t.Env {
		texts = append(texts, v)
	}
	for _, tmpl := range t.Templates {
		texts = append(texts, tmpl.Data)
		if tmpl.Source != "" {
			return true // What the file has, the job does not show.
		}
	}
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, name) })
}
