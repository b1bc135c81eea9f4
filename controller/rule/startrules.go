package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// startRules are about the start side: instances that are routed before they
// are ready, or that never overlap with those they replace.
func startRules() []Rule {
	return []Rule{
		noCheckAtAll(), routedUnchecked(), onUpdateIgnore(), providerNomad(), mixedProviders(), restartOnReadiness(),
		noCanary(), canaryBelowCount(), checkEditedInPlace(), healthWithoutChecks(),
	}
}

func noCheckAtAll() Rule {
	return Rule{
		ID: "DG201", Name: "no-check", Severity: Error,
		Summary: "A routed service has no check.",
		Why: "Consul calls an instance without a check passing from the moment it is registered, which for a group-level service is before " +
			"the image is pulled (Nomad v1.11.3, client/allocrunner/alloc_runner_hooks.go): every proxy routes to a process that is not there.",
		Find: eachInCatalog(func(_ Input, p place) []Finding {
			return found(p.path, NoCheck(p.service), "check {\n  type     = \"http\"\n  path     = \"/readyz\"\n  interval = \"2s\"\n  timeout  = \"1s\"\n}")
		}),
	}
}

func routedUnchecked() Rule {
	return Rule{
		ID: "DG202", Name: "initial-status-passing", Severity: Error,
		Summary: "A check starts with a status that proxies route to.",
		Why: "An instance is routed as soon as all of its checks have a status that Traefik accepts, which is passing and, by default, warning " +
			"(Traefik v3.6.12, pkg/provider/consulcatalog/config.go). Nomad registers a check with its initial_status, Consul's default being critical " +
			"(Consul v1.22.6, agent/agent.go); a group-level service is registered before its image is pulled. The gate holds such a job.",
		Fixes: "sets initial_status to critical, with which Consul begins where nothing else is said",
		Find:  eachInCatalog(startsRouted),
	}
}

func startsRouted(in Input, p place) []Finding {
	early := func(c model.Check) bool { return startsAccepted(in, c) }
	var out []Finding
	for i, c := range p.service.Checks {
		if !early(c) {
			continue
		}
		one := p.service
		one.Checks = []model.Check{c}
		f := Finding{Path: p.path.Check(i).Child("initial_status"), Message: InitialStatusPassing(one)}
		if f.Message == "" {
			f.Message = fmt.Sprintf("check %q of service %q has initial_status = %q, which Traefik's strictChecks accept, so the instance is routed before it was ever checked; remove initial_status",
				c.Name, p.service.Name, c.InitialStatus)
		}
		if first := slices.IndexFunc(p.service.Checks, func(c model.Check) bool { return !early(c) }); first >= 0 {
			f.Severity = Warning
			f.Message += fmt.Sprintf(" (only check %q keeps it out until then)", p.service.Checks[first].Name)
		}
		if slices.ContainsFunc(in.Settings.StrictChecks, func(s string) bool { return strings.EqualFold(s, model.StatusCritical) }) {
			out = append(out, f.notFixed("Traefik's strictChecks accept critical as well"))
			continue
		}
		out = append(out, f.fixed(f.Path, model.StatusCritical))
	}
	return out
}

func startsAccepted(in Input, c model.Check) bool {
	accepted := in.Settings.StrictChecks
	if len(accepted) == 0 {
		accepted = []string{model.StatusPassing, "warning"}
	}
	return strings.EqualFold(c.InitialStatus, model.StatusPassing) ||
		slices.ContainsFunc(accepted, func(s string) bool { return c.InitialStatus != "" && strings.EqualFold(s, c.InitialStatus) })
}

func onUpdateIgnore() Rule {
	return Rule{
		ID: "DG203", Name: "on-update-ignore", Severity: Warning,
		Summary: "Nomad's deployment health ignores a check that proxies go by.",
		Why: "With on_update = \"ignore\" a critical check counts as healthy (Nomad v1.11.3, client/allochealth/tracker.go): Nomad promotes, or goes on with the " +
			"next batch, while the new instances are not in any proxy's pool, and stops the old ones. \"ignore_warnings\" does the same for a warning where Traefik's " +
			"strictChecks leave that status out.",
		Fixes: "sets on_update to require_healthy, which is its default",
		Find: func(in Input) []Finding {
			return append(eachRouted(findOnUpdateIgnore)(in), eachInCatalog(findWarningsIgnored)(in)...)
		},
	}
}

func findOnUpdateIgnore(p place) []Finding {
	ignored := func(c model.Check) bool { return c.OnUpdate == "ignore" }
	var out []Finding
	for i, c := range p.service.Checks {
		if !ignored(c) {
			continue
		}
		f := Finding{
			Path: p.path.Check(i).Child("on_update"),
			Message: fmt.Sprintf("check %q of service %q has on_update = \"ignore\": Nomad calls a new instance healthy after %s while the check is critical and no proxy routes to it",
				c.Name, p.service.Name, figure(p.group.Update.MinHealthyTime)),
		}
		if slices.ContainsFunc(p.service.Checks, func(c model.Check) bool { return !ignored(c) }) {
			f.Severity = Notice // another check still has a say
		}
		out = append(out, f.fixed(f.Path, "require_healthy"))
	}
	return out
}

// findWarningsIgnored looks for checks whose warning is healthy to Nomad and not
// routed by Traefik.
func findWarningsIgnored(in Input, p place) []Finding {
	accepted := in.Settings.StrictChecks
	if len(accepted) == 0 || slices.ContainsFunc(accepted, func(s string) bool { return strings.EqualFold(s, "warning") || strings.EqualFold(s, "any") }) {
		return nil
	}
	var out []Finding
	for i, c := range p.service.Checks {
		if c.OnUpdate == "ignore_warnings" {
			out = append(out, found(p.path.Check(i).Child("on_update"), fmt.Sprintf(
				"check %q of service %q has on_update = \"ignore_warnings\", and Traefik's strictChecks are %s: Nomad calls a new instance healthy that is warning and that no proxy routes to",
				c.Name, p.service.Name, strings.Join(accepted, ", ")), `on_update = "require_healthy"`)...)
		}
	}
	return out
}

func healthWithoutChecks() Rule {
	return Rule{
		ID: "DG210", Name: "health-without-checks", Severity: Warning,
		Summary: "Nomad's deployment health does not look at checks at all.",
		Why: "With health_check = \"task_states\" a process that runs for min_healthy_time is healthy whatever Consul says (Nomad v1.11.3, " +
			"client/allochealth/tracker.go), so old instances are stopped while the new ones are still critical and not routed.",
		Fixes: "sets health_check to checks, which is its default",
		Find: eachGroup(func(g placedGroup) []Finding {
			if g.group.Update.HealthCheck != "task_states" || len(g.routed) == 0 {
				return nil
			}
			message := fmt.Sprintf("group %q has health_check = \"task_states\": Nomad calls a new instance healthy after %s of running, whatever the checks of service %q say",
				g.group.Name, figure(g.group.Update.MinHealthyTime), g.routed[0].service.Name)
			f := Finding{Path: g.path.Update("health_check"), Message: message}
			return []Finding{f.fixed(f.Path, "checks")}
		}),
	}
}

func providerNomad() Rule {
	return Rule{
		ID: "DG204", Name: "provider-nomad", Severity: Error,
		Summary: "A routed service is registered with Nomad's own catalog.",
		Why: "Nomad's own catalog has no health (Nomad v1.11.3, nomad/structs/service_registration.go), so Traefik's Nomad provider routes to an instance before its " +
			"task runs; measured: 85 % answered during a deploy. Traefik's Consul catalog provider does not see it at all, and the gate holds.",
		Find: eachRouted(func(p place) []Finding {
			return found(p.path.Child("provider"), ProviderNomad(p.service), `provider = "consul"`)
		}),
	}
}

func mixedProviders() Rule {
	return Rule{
		ID: "DG205", Name: "mixed-providers", Severity: Error,
		Summary: "The services of one group have different providers.",
		Why:     "Nomad refuses such a job (Nomad v1.11.3, nomad/structs/structs.go, TaskGroup.validateServices), so the deploy does not happen.",
		Find: eachGroup(func(g placedGroup) []Finding {
			all := g.services
			for _, p := range all {
				if p.service.Provider != all[0].service.Provider {
					message := fmt.Sprintf("service %q has provider = %q and service %q of the same group %q; Nomad refuses a group with both",
						p.service.Name, p.service.Provider, all[0].service.Name, all[0].service.Provider)
					return found(p.path.Child("provider"), message, `provider = "consul"`)
				}
			}
			return nil
		}),
	}
}

func restartOnReadiness() Rule {
	return Rule{
		ID: "DG206", Name: "check-restart", Severity: Notice,
		Summary: "A readiness check restarts an instance that is slow to start.",
		Why: "An instance whose check has not passed after grace + (limit - 1) x interval is killed without a drain (Nomad v1.11.3, " +
			"client/serviceregistration/watcher.go), starts anew and is killed again, so a slow start never ends, and the deployment fails at its deadline " +
			"or after the restarts that the group allows. The job does not say how long a start takes, hence no more than a notice.",
		Find: eachRouted(findRestartOnReadiness),
	}
}

func findRestartOnReadiness(p place) []Finding {
	var out []Finding
	for i, c := range p.service.Checks {
		r := c.Restart
		if r == nil || r.Limit <= 0 || !readiness(p.service, c) {
			continue
		}
		patience := r.Grace + time.Duration(r.Limit-1)*c.Interval
		deadline := p.group.Update.HealthyDeadline
		covered := time.Duration(r.Limit) * c.Interval
		if r.Grace >= covered || deadline > 0 && patience >= deadline {
			continue
		}
		message := fmt.Sprintf("check %q of service %q restarts an instance that takes longer than %s to pass (grace %s + %d x interval %s), again and again",
			c.Name, p.service.Name, figure(patience), figure(r.Grace), r.Limit-1, figure(c.Interval))
		if deadline > 0 {
			message += fmt.Sprintf(", though healthy_deadline allows %s", figure(deadline))
		}
		out = append(out, found(p.path.Check(i).Child("check_restart").Child("grace"), message, assign("grace", max(covered, deadline)))...)
	}
	return out
}

// readiness reports whether the check is the one that waits for a warming
// instance. Of several checks only what is named so is taken for it: another
// may well be about being alive.
func readiness(s model.Service, c model.Check) bool {
	return len(s.Checks) == 1 || strings.Contains(strings.ToLower(c.Name+" "+c.Path), "ready")
}

// eachRouted applies a finder to each service that a proxy routes to.
func eachRouted(find func(place) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		var out []Finding
		for _, p := range served(in) {
			out = append(out, find(p)...)
		}
		return out
	}
}
