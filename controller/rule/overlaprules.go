package rule

import (
	"fmt"

	"github.com/draingate/draingate/controller/model"
)

// overlapRules are about groups whose canaries cannot run beside the old
// instances: the deployment is then stuck before any promotion.
func overlapRules() []Rule {
	return []Rule{volumeCannotOverlap(), staticPort(), stickyDisk(), distinctHosts()}
}

func volumeCannotOverlap() Rule {
	return Rule{
		ID: "DG601", Name: "volume-cannot-overlap", Severity: Error,
		Summary: "A canary cannot have a volume that the old instance still has.",
		Why: "Nomad refuses per_alloc volumes with canaries (Nomad v1.11.3, nomad/structs/volumes.go). It accepts the rest and the canary is never ready: the claim of an exclusive " +
			"CSI volume is refused and tried again for up to 24 h (nomad/structs/csi.go, client/allocrunner/csi_hook.go), and no node is feasible for a host volume with a single " +
			"writer (scheduler/feasible/feasible.go), so the deployment waits or fails. Other host volumes are simply written by both.",
		Find: eachGroup(findVolumeCannotOverlap),
	}
}

func findVolumeCannotOverlap(g placedGroup) []Finding {
	if !g.canaried() {
		return nil
	}
	var out []Finding
	for _, v := range g.group.Volumes {
		severity, attribute, why := overlap(v)
		if why == "" {
			continue
		}
		out = append(out, Finding{
			Severity: severity, Path: g.path.Volume(v.Name).Child(attribute),
			Message: fmt.Sprintf("volume %q with canary = %d: %s", v.Name, g.group.Update.Canary, why),
		})
	}
	return out
}

// overlap says what becomes of a canary that wants a volume of the old
// instance, and which attribute is to blame; the text is empty where they can
// share it.
func overlap(v model.Volume) (severity Severity, attribute, why string) {
	switch {
	case v.PerAlloc:
		return Error, "per_alloc", "it is per_alloc, and Nomad refuses a job with both"
	case v.Type == model.VolumeCSI && oneClaim(v):
		return Error, "access_mode", fmt.Sprintf("access_mode %q lets one allocation claim it, so a canary stays pending until its deadline and nothing is ever promoted", v.AccessMode)
	case v.Type != model.VolumeHost || v.ReadOnly:
		return "", "", ""
	case v.AccessMode == model.AccessSingleNodeSingleWriter:
		return Error, "access_mode", fmt.Sprintf("access_mode %q rules out the node of the old instance, so a canary is placed nowhere, unless on another node with a volume %q of its own", v.AccessMode, v.Source)
	case v.Sticky:
		return Warning, "sticky", "it is sticky, so a canary needs one that no other allocation has claimed, and starts without the data"
	case v.AccessMode == "" || v.AccessMode == model.AccessSingleNodeWriter:
		return Unknown, "access_mode", "nothing keeps the old instance and a canary from writing to it at the same time where they share a node, and the job does not say whether they may (read_only = true, or access_mode = \"single-node-multi-writer\")"
	default:
		return "", "", ""
	}
}

// oneClaim reports whether Nomad lets one allocation at a time claim a CSI
// volume in the way the job asks for (nomad/structs/csi.go, v1.11.3,
// HasFreeReadClaims and HasFreeWriteClaims).
func oneClaim(v model.Volume) bool {
	switch v.AccessMode {
	case model.AccessSingleNodeWriter, "single-node-reader-only":
		return true
	case "multi-node-single-writer":
		return !v.ReadOnly
	default:
		return false
	}
}

// alone says why canaries of the group would not do, or is empty.
func alone(g *model.Group) string {
	for _, v := range g.Volumes {
		if severity, _, why := overlap(v); severity == Error {
			return fmt.Sprintf("volume %q: %s", v.Name, why)
		}
	}
	return ""
}

func staticPort() Rule {
	return Rule{
		ID: "DG602", Name: "static-port", Severity: Warning,
		Summary: "Canaries need further nodes on which a static port is free.",
		Why: "A static port is reserved on its node, so a canary cannot run beside the old instance on the same one (Nomad v1.11.3, scheduler/feasible/rank.go). Without enough " +
			"other nodes it is never placed, and the deployment waits for a promotion that cannot come.",
		Find: eachGroup(findStaticPort),
	}
}

func findStaticPort(g placedGroup) []Finding {
	if !g.canaried() {
		return nil
	}
	out := staticPorts(g, g.path, g.group.Networks)
	for _, t := range g.group.Tasks {
		out = append(out, staticPorts(g, g.path.Task(t.Name).Child("resources"), t.Networks)...)
	}
	return out
}

func staticPorts(g placedGroup, at model.Path, networks []model.Network) []Finding {
	var out []Finding
	for i, n := range networks {
		for _, p := range n.Ports {
			if p.Static > 0 {
				message := fmt.Sprintf("port %q is static, %d: %s", p.Label, p.Static, nodesNeeded(g))
				out = append(out, found(at.Network(i).Port(p.Label).Child("static"), message, "")...)
			}
		}
	}
	return out
}

func nodesNeeded(g placedGroup) string {
	count, canary := g.group.Count, g.group.Update.Canary
	return fmt.Sprintf("count %d + canary %d need %d nodes, or a canary is never placed", count, canary, count+canary)
}

func stickyDisk() Rule {
	return Rule{
		ID: "DG603", Name: "sticky-disk", Severity: Warning,
		Summary: "A canary starts without the data of the sticky disk.",
		Why: "The data of an ephemeral disk moves only to an allocation that replaces another one, and a canary replaces none (Nomad v1.11.3, scheduler/generic_sched.go, " +
			"client/allocwatcher/alloc_watcher.go): it serves from an empty disk, and promotion stops the instance that has the data.",
		Find: eachGroup(findStickyDisk),
	}
}

func findStickyDisk(g placedGroup) []Finding {
	d := g.group.EphemeralDisk
	attribute := "sticky"
	if !d.Sticky {
		attribute = "migrate"
	}
	if !g.canaried() || !d.Sticky && !d.Migrate {
		return nil
	}
	message := fmt.Sprintf("group %q has ephemeral_disk %s = true and canary = %d: a canary starts with an empty disk and promotion drops the data of the old instance", g.group.Name, attribute, g.group.Update.Canary)
	return found(g.path.Child("ephemeral_disk").Child(attribute), message, attribute+" = false")
}

func distinctHosts() Rule {
	return Rule{
		ID: "DG604", Name: "distinct-hosts", Severity: Notice,
		Summary: "Canaries need further nodes, since no two allocations may share one.",
		Why: "distinct_hosts counts canaries and the old instances alike (Nomad v1.11.3, scheduler/feasible/feasible.go, DistinctHostsIterator). Without enough nodes a canary is never " +
			"placed, and the deployment waits for a promotion that cannot come.",
		Find: eachGroup(findDistinctHosts),
	}
}

func findDistinctHosts(g placedGroup) []Finding {
	if !g.canaried() || !g.group.DistinctHosts {
		return nil
	}
	return found(g.path, fmt.Sprintf("group %q has distinct_hosts: %s", g.group.Name, nodesNeeded(g)), "")
}
