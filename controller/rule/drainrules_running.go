package rule

import (
	"fmt"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

func runningTooShort() Rule {
	return Rule{
		ID: "DG106", Name: "running-drain-too-short", Severity: Error,
		Summary: "The version that this one replaces stops serving before Traefik has stopped routing to it.",
		Why: "Nomad stops an allocation by the version of the job that it runs and not by the newest (Nomad v1.11.3, client/allocrunner/alloc_runner.go), so the deploy that " +
			"brings a long enough shutdown_delay has the old one still, loses requests by it, and the gate holds it. A change of nothing but shutdown_delay is taken over by " +
			"running allocations without a restart (group_service_hook.go, taskrunner/task_runner.go).",
		Find:      eachRunning(findRunningTooShort),
		Elsewhere: Input.alone,
	}
}

// eachRunning applies a finder to each service in Consul of the version that
// runs now.
func eachRunning(find func(in Input, running place) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		if in.Against == nil || in.Against.Job == nil || in.Job == nil {
			return nil
		}
		return eachInCatalog(func(_ Input, p place) []Finding { return find(in, p) })(*in.Against)
	}
}

func findRunningTooShort(in Input, p place) []Finding {
	w := window(*in.Against, p)
	if in.InPlace[p.group.Name] {
		return nil // nothing is stopped
	}
	if w.Verdict != model.VerdictUnsafe && w.Verdict != model.VerdictMasked || drain.NotPredictable(in.Settings) != "" {
		return nil
	}
	path, instead := model.JobPath, ""
	if next, ok := successor(in, p); ok {
		if v := window(in, next).Verdict; v != model.VerdictSafe {
			return nil // DG101 says so of the new version
		}
		path, instead = delayPath(next), fenceInstead(in, next)
	}
	cure, of := drain.Cure(w, nextOld(*in.Against, p), levelled(p))
	message := fmt.Sprintf("the version of service %q that runs now is served for S = %s after it leaves the catalog (%s), but Traefik may route to it for T = %s (%s)%s: a deploy of this version stops it %s too early; "+
		"first submit the running version with shutdown_delay = %q in the %s and nothing else changed, which running instances take over%s",
		p.service.Name, figure(w.S), sumOf(w.STerms), figure(w.T), sumOf(w.TTerms), assumed(in), figure(drain.Missing(w)), figure(cure), of, instead)
	return []Finding{{Path: path, Message: message, Window: &w}}
}

// successor is the service of this version that takes the place of a running
// one.
func successor(in Input, running place) (place, bool) {
	for _, p := range served(in) {
		if p.service.Name == running.service.Name && p.group.Name == running.group.Name && p.service.Provider == model.ProviderConsul {
			return p, true
		}
	}
	return place{}, false
}
