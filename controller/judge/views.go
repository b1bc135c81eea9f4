package judge

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// view is what proxies that have the same settings and version see.
type view struct {
	proxies  []string
	settings model.ProxySettings
	version  string
	assumed  bool
	// unknown says for a view without settings why they are not known.
	unknown string
}

// views returns one view for each kind of proxies, and those whose settings are
// not known. Without any that is known Traefik's defaults are assumed, since
// much of what the rules find does not depend on settings.
func (j *Judge) views(w World) (known, unknown []view) {
	if !w.Proxies.Known() || len(w.Proxies.Value) == 0 {
		why := cmp.Or(w.Proxies.Err, "there is none")
		unknown = append(unknown, view{unknown: "it is not known which Traefik instances there are (" + why + "), so what they make of this job cannot be told; Traefik's defaults are assumed"})
	}
	for _, p := range w.Proxies.Value {
		if why := cmp.Or(p.Ambiguous, unread(p)); why != "" {
			unknown = append(unknown, view{proxies: []string{p.Name},
				unknown: fmt.Sprintf("the settings of Traefik %s are not known (%s), so what it makes of this job, and for how long it goes on routing to an instance, cannot be told", p.Name, why)})
			continue
		}
		known = add(known, p)
	}
	if len(known) == 0 {
		known = []view{{settings: j.assumed, assumed: true}}
	}
	return known, unknown
}

func unread(p model.Proxy) string {
	if p.Settings.Known() {
		return ""
	}
	return cmp.Or(p.Settings.Err, "not read yet")
}

// add puts a proxy into the view that it shares with others, or a new one.
func add(views []view, p model.Proxy) []view {
	settings := p.Settings.Value
	settings.Contradictions = nil
	for i := range views {
		if views[i].version == p.Version && reflect.DeepEqual(views[i].settings, settings) {
			views[i].proxies = append(views[i].proxies, p.Name)
			slices.Sort(views[i].proxies)
			return views
		}
	}
	return append(views, view{proxies: []string{p.Name}, settings: settings, version: p.Version})
}

// worst takes for each rule and place the findings of the view that has the
// worst one there.
func worst(views [][]Finding) []Finding {
	if len(views) == 1 {
		return views[0]
	}
	best := map[place][]Finding{}
	proxies := map[place][]string{}
	for _, found := range views {
		here := map[place][]Finding{}
		for _, f := range found {
			here[placeOf(f)] = append(here[placeOf(f)], f)
		}
		for at, fs := range here {
			proxies[at] = append(proxies[at], fs[0].Proxies...)
			if best[at] == nil || badness(fs).over(badness(best[at])) {
				best[at] = fs
			}
		}
	}
	var out []Finding
	for at, fs := range best {
		slices.Sort(proxies[at])
		for _, f := range fs {
			f.Proxies = proxies[at]
			out = append(out, f)
		}
	}
	return out
}

// place is what findings of several proxies have in common.
type place struct {
	rule string
	path model.Path
}

func placeOf(f Finding) place { return place{f.Rule, f.Path} }

// bad is how bad a finding is: by its severity, and then by what S lacks.
type bad struct {
	severity int
	short    time.Duration
}

func badness(all []Finding) bad {
	out := bad{severity: len(rule.Severities())}
	for _, f := range all {
		one := bad{severity: slices.Index(rule.Severities(), f.Severity)}
		if w := f.Window; w != nil {
			one.short = w.T + w.L + w.Margin - w.S
		}
		if one.over(out) {
			out = one
		}
	}
	return out
}

func (b bad) over(other bad) bool {
	if b.severity != other.severity {
		return b.severity < other.severity
	}
	return b.short > other.short
}
