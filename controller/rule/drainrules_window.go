package rule

import (
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

func drainTooShort() Rule {
	return Rule{
		ID: "DG101", Name: "drain-too-short", Severity: Error,
		Summary: "An instance stops serving before Traefik has stopped routing to it.",
		Why: "A proxy routes to an instance for up to T after that instance left the catalog: refreshInterval + providersThrottleDuration + two loads of the " +
			"catalog + the time to apply (Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, pkg/provider/aggregator/aggregator.go). The instance " +
			"serves for S: its shutdown_delay, which Nomad waits between deregistration and the stop signal (Nomad v1.11.3, " +
			"client/allocrunner/group_service_hook.go), and a declared drain. Every request in between is lost at each deploy, node drain and scale-down, and the gate " +
			"holds, or promotes behind a fence: draingate_fence. Measured with T = 17s: 75.4 % answered at S = 0, 87.6 % at S = 6s, 100 % at S = 20s.",
		Fixes: "sets the smallest shutdown_delay that is long enough, at the level of the service",
		Find:  eachInCatalog(findDrainTooShort),
	}
}

func findDrainTooShort(in Input, p place) []Finding {
	if drain.NotPredictable(in.Settings) != "" {
		return nil // DG501 says so once, for all services.
	}
	w := window(in, p)
	switch w.Verdict {
	case model.VerdictUnsafe:
		message, cure := shortfall(in, p, w)
		return []Finding{Finding{Path: delayPath(p), Message: message + fenceInstead(in, p), Window: &w}.fixed(delayPath(p), cure)}
	case model.VerdictMasked:
		message, cure := shortfall(in, p, w)
		_, hides, _ := strings.Cut(w.Why, "; ")
		message += "; " + hides + ", but no retry repeats a request that was already written, and every reload of Traefik marks all servers UP again"
		return []Finding{Finding{Path: delayPath(p), Message: message + fenceInstead(in, p), Window: &w}.fixed(delayPath(p), cure)}
	case model.VerdictUnknown:
		f := Finding{Severity: Unknown, Path: delayPath(p), Message: untold(p, w)}
		return []Finding{f.notFixed("the delay that is long enough is not known")}
	case model.VerdictSafe:
	}
	return nil
}

// untold says why S cannot be held against T.
func untold(p place, w model.Window) string {
	if p.service.Connect {
		return fmt.Sprintf("service %q has a connect block: requests may reach it directly or through a proxy of the mesh, and how long that proxy serves after it leaves the catalog the job does not say, "+
			"so no shutdown_delay can be shown to be long enough, and the gate holds its deployments", p.service.Name)
	}
	return fmt.Sprintf("how long service %q is served after it leaves the catalog cannot be told: %s", p.service.Name, cause(w))
}

// window is the arithmetic for an instance of this version as the next deploy
// will find it: started with this version and not changed in place since.
func window(in Input, p place) model.Window {
	if why := ProviderNomad(p.service) + Connect(p.service); why != "" {
		return model.Window{Verdict: model.VerdictUnknown, Why: why}
	}
	read := time.Unix(1, 0)
	return drain.Window(drain.Input{
		Settings:   model.Seen(in.Settings, read),
		Load:       model.Seen(in.Load, read),
		Allocation: nextOld(in, p),
		Service:    levelled(p),
		Tags:       p.tags.Stable,
		Margin:     in.Margin,
	})
}

func nextOld(in Input, p place) model.Allocation {
	return model.Allocation{Group: p.group.Name, CreateIndex: in.Job.ModifyIndex, Job: in.Job}
}

// levelled is the service with the task that its block stands in.
func levelled(p place) model.Service {
	s := p.service
	s.Task = ""
	if p.task != nil {
		s.Task = p.task.Name
	}
	return s
}

func shortfall(in Input, p place, w model.Window) (message string, cure time.Duration) {
	level := "group"
	if p.task != nil {
		level = "task"
	}
	cure, of := drain.Cure(w, nextOld(in, p), levelled(p))
	need := w.T + w.L + w.Margin
	message = fmt.Sprintf("service %q (at %s level) is served for S = %s after it leaves the catalog (%s), but Traefik may route to it for T = %s (%s)%s; S must be at least T + L %s + margin %s = %s and is %s short; smallest shutdown_delay of the %s: %s",
		p.service.Name, level, figure(w.S), sumOf(w.STerms), figure(w.T), sumOf(w.TTerms), assumed(in), figure(w.L), figure(w.Margin), figure(need), figure(need-w.S), of, figure(cure))
	for _, t := range w.STerms {
		if t.Declared && t.Value > 0 {
			message += ", which does not rely on the declared drain"
		}
	}
	return message, cure
}

func assumed(in Input) string {
	if !in.Assumed {
		return ""
	}
	return ", with Traefik's default settings, which are assumed"
}

// cause is why a window is not known, without the allocation that there is not
// yet.
func cause(w model.Window) string { return strings.TrimPrefix(w.Why, "allocation : ") }

// delayPath is the shutdown_delay that counts for the service.
func delayPath(p place) model.Path {
	at := model.GroupPath(p.group.Name)
	if p.task != nil {
		at = at.Task(p.task.Name)
	}
	return at.Child("shutdown_delay")
}

// sumOf prints what adds up, leaving out what is zero.
func sumOf(terms []model.Term) string {
	var out []string
	for _, t := range terms {
		if t.Value == 0 {
			continue
		}
		out = append(out, t.Name+" "+figure(t.Value))
	}
	if len(out) == 0 {
		return "no delay, no drain"
	}
	return strings.Join(out, " + ")
}
