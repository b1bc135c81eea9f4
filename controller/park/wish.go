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
	pattern, seen := f.Pattern()
	out.Tags, out.Untagged = pattern.Tags, !seen
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
	var out Wish
	successor := false
	for i := range job.Groups {
		if g := &job.Groups[i]; f.has(job, g.Name) {
			one := f.wishOfGroup(j, g)
			successor = successor || one.Successor
			if out.Job == "" || one.speaksBefore(out) {
				out = one
			}
		}
	}
	out.Successor = successor
	if out.Job != "" && f.Unfit != nil {
		out.Unfit, out.Probes = f.Unfit(f, j, max(out.Wait, out.Paused.Sub(f.Now)))
	}
	return out
}

func (f Facts) wishOfGroup(j *JobFacts, g *model.Group) Wish {
	job := j.Job.Value
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
	return out
}

// asks reports whether the job says anything about parking, also where that means nothing.
func (w Wish) asks() bool { return w.Wait > 0 || w.Invalid != "" }

// speaksBefore reports whether this group of a job speaks for the service and not the
// other: it asks for something, or is to have instances.
func (w Wish) speaksBefore(other Wish) bool {
	if w.asks() != other.asks() {
		return w.asks()
	}
	return w.Successor && !other.Successor
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

// Pattern is the instance that Nomad registered whose tags a placeholder has, also where
// it has left the catalog since: one that goes before one that stays, and one that passes
// before one that does not, as a canary with tags of its own that has just begun. It is
// false where none was seen.
func (f Facts) Pattern() (model.Registration, bool) {
	going := f.going()
	rank := func(r model.Registration) int {
		_, goes := going[r.AllocID]
		switch passes := r.Status == model.StatusPassing; {
		case goes && passes:
			return 0
		case goes:
			return 1
		case passes:
			return 2
		default:
			return 3
		}
	}
	var best *model.Registration
	for _, r := range slices.Concat(f.Catalog.Value, f.Known) {
		if r.AllocID != "" && (best == nil || rank(r) < rank(*best)) {
			best = &r
		}
	}
	if best == nil {
		return model.Registration{}, false
	}
	return *best, true
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
