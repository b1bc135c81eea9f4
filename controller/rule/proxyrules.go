package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// proxyRules are about Traefik's static settings. What they find is in no job.
func proxyRules() []Rule {
	return []Rule{
		{
			ID: "DG501", Name: "settings-not-predictable", Severity: Warning,
			Summary: "With these settings nothing bounds the time until Traefik stops routing to an instance.",
			Why: "With watch there is no refresh: after an error the watcher waits up to 180 s (github.com/hashicorp/consul/api v1.26.1, watch/plan.go, which Traefik v3.6.12 uses), and a change that it does not " +
				"notice stays unnoticed. With stale and cache the answer may be of any age. So the gate cannot prove a drain long enough, and holds. With watch and one of the others " +
				"a load can give the state from before the event, and nothing loads again.",
			Find: unpredictable,
		},
		{
			ID: "DG502", Name: "refresh-interval-not-positive", Severity: Error,
			Summary: "Traefik crashes on a refreshInterval that is not above 0.",
			Why: "The value goes to a ticker unchecked, and the panic ends the process at its first load of the catalog (Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, repeatSend; " +
				"seen with 0s and with -1s: \"panic: non-positive interval for NewTicker\").",
			Find: badRefresh,
		},
		{
			ID: "DG503", Name: "settings-assumed", Severity: Unknown,
			Summary: "Traefik's settings were not given, or may be others than those that were.",
			Why: "The time until Traefik stops routing to an instance is made of its settings; with a longer refreshInterval than the default of 15s every drain that seems long enough may be too short " +
				"(Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, SetDefaults, and cmd/configuration.go).",
			Find:      settingsAssumed,
			Elsewhere: func(in Input) bool { return !in.Assumed },
		},
		{
			ID: "DG504", Name: "strict-checks-too-wide", Severity: Error,
			Summary: "Traefik routes to instances that Consul says are failing.",
			Why: "strictChecks lists the statuses that are routed (Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, includesHealthStatus). With any or critical an instance gets requests from its registration on, " +
				"before it was ever ready, and a failing check takes nothing out; with any or maintenance a fence has no effect.",
			Find: wideChecks,
		},
		{
			ID: "DG505", Name: "no-consul-catalog", Severity: Error,
			Summary: "Traefik's Consul catalog provider is not enabled.",
			Why: "The gate sees routers of that provider only. Traefik's provider for Nomad looks at no health in any version: an instance is routed from its registration on " +
				"(Traefik v3.6.12, pkg/provider/nomad/nomad.go).",
			Find: noCatalog,
		},
	}
}

// ofCatalog is the section of the provider that the rules are about.
const ofCatalog = "providers.consulCatalog"

// ofSettings is a finding about a setting, which has no path.
func ofSettings(severity Severity, setting, remedy, format string, args ...any) []Finding {
	return []Finding{{Severity: severity, Setting: setting, Message: inline(fmt.Sprintf(format, args...)), Remedy: remedy}}
}

func unpredictable(in Input) []Finding {
	s := in.Settings
	var on []string
	for _, o := range []struct {
		name string
		is   bool
	}{{"watch", s.Watch}, {"stale", s.Stale}, {"cache", s.Cache}} {
		if o.is {
			on = append(on, o.name+" = true")
		}
	}
	if !s.ConsulCatalog || len(on) == 0 {
		return nil
	}
	severity, says := Severity(""), "nothing bounds how long a stopped instance is still routed, so no shutdown_delay can be shown to be long enough"
	if s.Watch && len(on) > 1 {
		severity, says = Error, "a load can give the state from before the change that set it off, and nothing loads again: a stopped instance may stay routed until some other change"
	}
	first, _, _ := strings.Cut(on[0], " ")
	return ofSettings(severity, ofCatalog+"."+first, strings.Join(offs(on), "\n"), "providers.consulCatalog has %s: %s", strings.Join(on, ", "), says)
}

// offs are the command line's way to switch the options off.
func offs(on []string) []string {
	var out []string
	for _, o := range on {
		name, _, _ := strings.Cut(o, " ")
		out = append(out, "--providers.consulcatalog."+name+"=false")
	}
	return out
}

func badRefresh(in Input) []Finding {
	s := in.Settings
	if !s.ConsulCatalog || s.Watch || s.RefreshInterval > 0 {
		return nil
	}
	return ofSettings("", ofCatalog+".refreshInterval", "--providers.consulcatalog.refreshinterval=15s", "providers.consulCatalog.refreshInterval is %s: Traefik ends with a panic", s.RefreshInterval)
}

func settingsAssumed(in Input) []Finding {
	if !in.Assumed {
		if in.Doubt != "" {
			return ofSettings("", "", "", "%s", in.Doubt)
		}
		return nil
	}
	s := in.Settings
	return ofSettings("", "", "", "no settings of Traefik were given; assumed are its defaults: refreshInterval %s, providersThrottleDuration %s, watch %t, exposedByDefault %t, prefix %q, strictChecks %s; a service without a tag that asks for routing is taken to be behind no Traefik",
		s.RefreshInterval, s.Throttle, s.Watch, s.ExposedByDefault, s.Prefix, strings.Join(s.StrictChecks, ", "))
}

func wideChecks(in Input) []Finding {
	var wide []string
	for _, status := range in.Settings.StrictChecks {
		if slices.Contains([]string{"any", model.StatusCritical, model.StatusMaintenance}, strings.ToLower(status)) {
			wide = append(wide, status)
		}
	}
	if !in.Settings.ConsulCatalog || len(wide) == 0 {
		return nil
	}
	return ofSettings("", ofCatalog+".strictChecks", "--providers.consulcatalog.strictchecks=passing,warning", "providers.consulCatalog.strictChecks has %s: Traefik routes to instances that Consul says are not fit for it", strings.Join(wide, ", "))
}

func noCatalog(in Input) []Finding {
	if in.Settings.ConsulCatalog || in.Assumed {
		return nil
	}
	return ofSettings("", ofCatalog, "--providers.consulcatalog=true", "providers.consulCatalog is not enabled: draingate sees none of this Traefik's routers, and no deployment is gated by them")
}
