package judge

import (
	"cmp"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/traefik"
)

// Judge says what the rules find in jobs. It is safe for concurrent use.
type Judge struct {
	rules   []rule.Rule
	margin  time.Duration
	assumed model.ProxySettings
}

// New returns a Judge with all rules; the margin is what S must have in hand.
func New(margin time.Duration) *Judge {
	return &Judge{rules: rule.All(), margin: margin, assumed: traefik.Defaults()}
}

// World is what jobs are judged with.
type World struct {
	Proxies model.Fact[[]model.Proxy]
	Load    model.Fact[model.Load]
}

// Finding is a finding in a job with the names of the proxies behind which it
// is one, sorted; none where the proxies are not known.
type Finding struct {
	rule.Finding
	Proxies []string
}

// Findings returns what the rules find in a job, compared with the version that
// runs now where that is given, but for what the job's meta ignores with a reason.
// Where proxies differ, the worst is returned for each rule and place, and
// proxies that do not route to the job have no say if others do. A finding
// about settings is one of every job that is routed with them.
func (j *Judge) Findings(job, against *model.Job, w World) []Finding {
	views, unknown := j.views(w)
	var all, routed [][]Finding
	for _, v := range views {
		found, is := j.behind(v, job, against, w.Load.Value)
		all = append(all, found)
		if is {
			routed = append(routed, found)
		}
	}
	if len(routed) > 0 {
		all = routed
	}
	out := worst(all)
	if len(routed) > 0 && !w.Load.Known() {
		unknown = append(unknown, view{unknown: "the time that one load of Consul's catalog takes is not known (" + cmp.Or(w.Load.Err, "not measured yet") + "): S and T are compared as if it took none"})
	}
	if registers(job) {
		for _, v := range unknown {
			out = append(out, Finding{Finding: rule.Finding{Rule: notKnown, Severity: rule.Unknown, Message: v.unknown}, Proxies: v.proxies})
		}
	}
	return sorted(notIgnored(job, out))
}

// notKnown is the rule about settings that are not known.
const notKnown = "DG503"

// behind is what the rules find behind the proxies of a view, and whether these
// route to the job.
func (j *Judge) behind(v view, job, against *model.Job, load model.Load) ([]Finding, bool) {
	in := j.input(v, job, load)
	if against != nil {
		before := j.input(v, against, load)
		in.Against = &before
	}
	routed := in.Routed()
	var out []Finding
	for _, f := range rule.Run(j.rules, in) {
		// That settings are assumed is said once, with the cause.
		if f.Path == "" && (!routed || f.Rule == notKnown) {
			continue
		}
		out = append(out, Finding{Finding: f, Proxies: v.proxies})
	}
	return out, routed
}

func (j *Judge) input(v view, job *model.Job, load model.Load) rule.Input {
	return rule.Input{
		Job: job, Settings: v.settings, Assumed: v.assumed, TraefikVersion: v.version, Load: load, Margin: j.margin,
		Tags: traefik.ReadJob(v.settings, v.version, *job),
	}
}

// registers reports whether the job has a service that a proxy could read of in
// Consul.
func registers(job *model.Job) bool {
	return slices.ContainsFunc(job.Groups, func(g model.Group) bool {
		return slices.ContainsFunc(g.AllServices(), func(s model.Service) bool { return s.Provider == model.ProviderConsul })
	})
}

func notIgnored(job *model.Job, all []Finding) []Finding {
	return slices.DeleteFunc(all, func(f Finding) bool { return len(rule.NotIgnored(job, []rule.Finding{f.Finding})) == 0 })
}

func sorted(all []Finding) []Finding {
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return all
}
