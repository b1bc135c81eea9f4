package lint

import (
	"fmt"
	"slices"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// ignore is what an author wrote to keep a rule quiet.
type ignore struct {
	rule, reason string
	at           jobspecs.Range
	// path is the entry of an ignore in meta.
	path   model.Path
	covers func(located) bool
	// how is what to write, for whoever forgot the reason.
	how string
	// inMeta is true for an ignore in meta, where package rule reports one of
	// a rule that there is not.
	inMeta bool
	used   bool
}

// withoutIgnored removes what is ignored with a reason, and adds what is wrong
// with the ignores.
func withoutIgnored(file *jobspecs.File, in rule.Input, found []located, rules []rule.Rule) []Finding {
	ignores := append(metaIgnores(file), commentIgnores(file)...)
	var out []Finding
	for _, f := range found {
		hidden := false
		for i := range ignores {
			if g := &ignores[i]; g.rule == f.Rule && g.covers(f) {
				g.used = true
				hidden = hidden || g.reason != ""
			}
		}
		if !hidden {
			out = append(out, f.Finding)
		}
	}
	for _, g := range ignores {
		if f, wrong := g.wrong(in, rules); wrong {
			f.Path = g.path
			f.place(g.at, file.Content)
			out = append(out, f)
		}
	}
	return out
}

// wrong is the finding about the ignore itself.
func (g ignore) wrong(in rule.Input, rules []rule.Rule) (Finding, bool) {
	of := slices.IndexFunc(rules, func(r rule.Rule) bool { return r.ID == g.rule })
	switch {
	case g.reason == "":
		return Finding{
			Rule: IgnoreWithoutReason, Severity: rule.Warning, Remedy: g.how,
			Message: fmt.Sprintf("this ignore of %s gives no reason, so it is not in force", g.rule),
		}, true
	case of < 0:
		return Finding{
			Rule: UnusedIgnore, Severity: rule.Warning,
			Message: fmt.Sprintf("this ignore names %s, and there is no such rule that can be ignored", g.rule),
		}, !g.inMeta
	case !g.used && (rules[of].Elsewhere == nil || !rules[of].Elsewhere(in)):
		return Finding{
			Rule: UnusedIgnore, Severity: rule.Warning,
			Message: fmt.Sprintf("%s finds nothing here, so this ignore hides nothing: remove it", g.rule),
		}, true
	default:
		return Finding{}, false
	}
}

// metaIgnores are those in the meta of the job and of its groups.
func metaIgnores(file *jobspecs.File) []ignore {
	var out []ignore
	for _, i := range rule.Ignores(&file.Job) {
		where, _ := file.Locate(i.Path)
		out = append(out, ignore{
			rule: i.Rule, reason: i.Reason, at: where.Range, path: i.Path, inMeta: true,
			covers: func(f located) bool { return i.Covers(f.path) },
			how:    fmt.Sprintf("meta {\n  %s = \"why it cannot drop a request here\"\n}", i.Key),
		})
	}
	return out
}
