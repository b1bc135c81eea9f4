package rule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

func checkEditedInPlace() Rule {
	return Rule{
		ID: "DG209", Name: "check-edited-in-place", Severity: Unknown,
		Summary: "A check changes while nothing makes Nomad start new allocations.",
		Why: "Checks change in place on every running allocation at once, without canaries (Nomad v1.11.3, scheduler/util.go, tasksUpdated). A check's ID is " +
			"a hash of its definition (nomad/structs/services.go), so the old one goes and a new one starts critical. Seen: all instances critical for " +
			"0.8 s to 1.3 s, for up to the new interval; a proxy that loads the catalog then has no instance until it loads it again.",
		Find:      findCheckEditedInPlace,
		Elsewhere: Input.alone,
	}
}

func findCheckEditedInPlace(in Input) []Finding {
	if in.Against == nil || in.Against.Job == nil {
		return nil
	}
	var out []Finding
	for _, p := range served(in) {
		old := in.Against.Job.Group(p.group.Name)
		before, ok := sameService(old, p)
		if !ok || restarts(in.Job, p.group, in.Against.Job, old) {
			continue
		}
		for i, c := range p.service.Checks {
			if startsPassing(c) || slices.ContainsFunc(before.Checks, func(b model.Check) bool { return sameCheck(before, b, p.service, c) }) {
				continue
			}
			out = append(out, replacedCheck(in, p, i))
		}
	}
	return out
}

// replacedCheck is an error where nothing else changes for certain.
func replacedCheck(in Input, p place, i int) Finding {
	c := p.service.Checks[i]
	f := Finding{Severity: Error, Path: p.path.Check(i), Remedy: "meta {\n  revision = \"2\"\n}"}
	unless := ""
	if !in.InPlace[p.group.Name] {
		f.Severity, unless = Unknown, "unless the tasks' config, env, artifacts or resources change as well, "
	}
	f.Message = fmt.Sprintf("check %q of service %q is not what runs now: %sit replaces the old one on all %d instances at once and none is passing for up to %s; a change of the group's meta makes Nomad start new instances with it",
		c.Name, p.service.Name, unless, p.group.Count, figure(c.Interval))
	return f
}

func startsPassing(c model.Check) bool {
	return strings.EqualFold(c.InitialStatus, model.StatusPassing)
}

// sameService is the service of the running version that this one continues.
func sameService(old *model.Group, p place) (model.Service, bool) {
	task := levelled(p).Task
	for _, s := range old.AllServices() {
		if s.Name == p.service.Name && s.Task == task {
			return s, true
		}
	}
	return model.Service{}, false
}

// sameCheck reports whether Consul goes on with the check: whether the parts of
// its ID that the model has are equal. The service's ID is one of them.
func sameCheck(before model.Service, b model.Check, now model.Service, c model.Check) bool {
	type id struct {
		servicePort, name, kind, path, protocol, port, interval, timeout, method, onUpdate, addressMode string
		success, critical, warning                                                                      int
	}
	of := func(s model.Service, c model.Check) id {
		return id{
			s.PortLabel, c.Name, c.Type, c.Path, c.Protocol, c.PortLabel, c.Interval.String(), c.Timeout.String(), c.Method, c.OnUpdate, c.AddressMode,
			c.SuccessBeforePassing, c.FailuresBeforeCritical, c.FailuresBeforeWarning,
		}
	}
	return of(before, b) == of(now, c)
}

// restarts reports whether something changes that makes Nomad replace the
// allocations of the group, as far as the model has it.
func restarts(nowJob *model.Job, now *model.Group, oldJob *model.Job, old *model.Group) bool {
	if len(now.Tasks) != len(old.Tasks) || now.EphemeralDisk != old.EphemeralDisk || !slices.Equal(now.Volumes, old.Volumes) ||
		!slices.EqualFunc(now.Networks, old.Networks, sameNetwork) {
		return true
	}
	for _, t := range now.Tasks {
		i := slices.IndexFunc(old.Tasks, func(o model.Task) bool { return o.Name == t.Name })
		if i < 0 || taskRestarts(t, old.Tasks[i]) || !maps.Equal(merged(nowJob, now, t), merged(oldJob, old, old.Tasks[i])) {
			return true
		}
	}
	return false
}

func taskRestarts(a, b model.Task) bool {
	return a.Driver != b.Driver || !slices.Equal(a.Templates, b.Templates) || !slices.Equal(a.VolumeMounts, b.VolumeMounts) ||
		!slices.EqualFunc(a.Networks, b.Networks, sameNetwork)
}

// merged is the meta that a task sees.
func merged(j *model.Job, g *model.Group, t model.Task) map[string]string {
	out := map[string]string{}
	maps.Copy(out, j.Meta)
	maps.Copy(out, g.Meta)
	maps.Copy(out, t.Meta)
	return out
}

func sameNetwork(a, b model.Network) bool {
	byLabel := func(ports []model.Port) []model.Port {
		return slices.SortedFunc(slices.Values(ports), func(a, b model.Port) int {
			return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Static, b.Static), cmp.Compare(a.To, b.To), cmp.Compare(a.HostNetwork, b.HostNetwork))
		})
	}
	return a.Mode == b.Mode && slices.Equal(byLabel(a.Ports), byLabel(b.Ports))
}
