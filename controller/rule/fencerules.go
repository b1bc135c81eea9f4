package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

func fenceIneffective() Rule {
	return Rule{
		ID: "DG308", Name: "fence-ineffective", Severity: Warning,
		Summary: "A fence is asked for, and Traefik's settings make it prove nothing.",
		Why: "A fence takes an old instance out of rotation by Consul's maintenance, a critical check, and goes on once every Traefik has dropped it. With any or maintenance in strictChecks Traefik goes on routing to it " +
			"(Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, includesHealthStatus), and with stale or cache a later load may read a catalog from before the maintenance and bring it back. " +
			"draingate then holds instead (FenceIneffective).",
		Find: func(in Input) []Finding { return eachMeta(in, findFenceIneffective(in)) },
	}
}

func findFenceIneffective(in Input) func(at model.Path, inTask bool, key, value string) []Finding {
	why := fenceUndone(in.Settings)
	return func(at model.Path, inTask bool, key, value string) []Finding {
		if why == "" || inTask || key != metaFence || value != model.FenceAuto && value != model.FenceAlways || len(served(in)) == 0 {
			return nil
		}
		return found(at, fmt.Sprintf("%s = %q, but providers.consulCatalog of the Traefik in front has %s: a fence would prove nothing, and draingate holds what needs one", key, value, why), "")
	}
}

// fenceUndone is the setting with which a proxy may route to what is in
// maintenance; empty where there is none.
func fenceUndone(s model.ProxySettings) string {
	wide := slices.IndexFunc(s.StrictChecks, func(c string) bool {
		return strings.EqualFold(c, "any") || strings.EqualFold(c, model.StatusMaintenance)
	})
	switch {
	case !s.ConsulCatalog:
		return ""
	case s.Stale:
		return "stale = true"
	case s.Cache:
		return "cache = true"
	case wide >= 0:
		return "strictChecks with " + s.StrictChecks[wide]
	default:
		return ""
	}
}

// fenceInstead is what to add where a drain is too short and a fence would make
// the promotion safe all the same; empty where there can be none.
func fenceInstead(in Input, p place) string {
	asked, _ := in.Job.MetaFor(p.group.Name, metaFence)
	if in.Job.Type != model.JobTypeService || p.group.Update.Canary == 0 || asked == model.FenceNever || fenceUndone(in.Settings) != "" {
		return ""
	}
	return fmt.Sprintf("; a fence (%s = %q) makes the promotion safe without it, but neither node drains nor scale-downs", metaFence, model.FenceAuto)
}
