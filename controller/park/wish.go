package park

import (
	"cmp"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// longest is the longest request that must be allowed to finish, 0 where the job
// does not say.
func longest(j *model.Job, group string) time.Duration {
	text, _ := j.MetaFor(group, metaMaxRequest)
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

// wish is what the jobs ask for together: the one that is to have instances
// speaks for the service.
func (f Facts) wish() Wish {
	var out Wish
	for i := range f.Jobs {
		one := f.wishOf(&f.Jobs[i])
		switch {
		case one.Job == "":
		case out.Job == "" || one.Successor && !out.Successor:
			one.Paused = later(one.Paused, out.Paused)
			out = one
		default:
			out.Paused = later(one.Paused, out.Paused)
		}
	}
	out.Prefixes = prefixes(f.Proxies)
	out.Tags = f.tags()
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (f Facts) wishOf(j *JobFacts) Wish {
	job := j.Job.Value
	if job == nil {
		return Wish{}
	}
	for i := range job.Groups {
		g := &job.Groups[i]
		if !f.has(job, g.Name) {
			continue
		}
		out := Wish{
			Namespace: job.Namespace, Job: job.ID, Group: g.Name, Version: job.Version,
			Successor: !job.Stopped && g.Count > 0,
			Paused:    PausedUntil(j.Overrides.Value, f.Service),
		}
		if acts(job, g.Name, j.Overrides.Value) {
			var err error
			if out.Wait, _, err = Longest(job, g.Name); err != nil {
				out.Invalid = err.Error()
			}
		}
		if f.Unfit != nil {
			out.Unfit, out.Probes = f.Unfit(f, j, max(out.Wait, out.Paused.Sub(f.Now)))
		}
		return out
	}
	return Wish{}
}

// Asks reports whether a job asks of itself, where nobody overrides it, that the
// services of a group are parked for.
func Asks(job *model.Job, group string) bool {
	_, asks, err := Longest(job, group)
	return err == nil && asks && acts(job, group, model.Overrides{})
}

// acts reports whether draingate may do something for the group: the job asks
// for it with draingate_park, and does not say that it is only to be observed.
func acts(job *model.Job, group string, o model.Overrides) bool {
	mode, _ := job.MetaFor(group, metaMode)
	mode = cmp.Or(o.Values[model.OverrideMode], mode, string(model.ModeEnforce))
	return mode == string(model.ModeEnforce)
}

// tags are those of an instance that Nomad registered, also where it has left the
// catalog since.
func (f Facts) tags() []string {
	for _, r := range slices.Concat(f.Catalog.Value, f.Known) {
		if r.AllocID != "" {
			return r.Tags
		}
	}
	return nil
}

func prefixes(proxies model.Fact[[]model.Proxy]) []string {
	var out []string
	for _, p := range proxies.Value {
		if p.Settings.Known() {
			out = append(out, p.Settings.Value.Prefix)
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return []string{"traefik"}
	}
	return out
}

// Services are those of a job that ask to be parked for or are to be paused,
// sorted.
func Services(job *model.Job, o model.Overrides) []string {
	var out []string
	for i := range job.Groups {
		text, asks := job.MetaFor(job.Groups[i].Name, MetaPark)
		for _, s := range job.Groups[i].AllServices() {
			until := PausedUntil(o, s.Name)
			if cmp.Or(s.Provider, model.ProviderConsul) == model.ProviderConsul && (asks && text != "" || !until.IsZero()) {
				out = append(out, s.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
