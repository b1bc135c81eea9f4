package rule

import (
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// MetaIgnore begins the meta keys that keep a rule quiet; the ID of the rule
// follows, and the value is the reason.
const MetaIgnore = "draingate_ignore_"

// Ignore is an entry in the meta of a job, which covers all of it, or of a
// group that keeps a rule quiet.
type Ignore struct {
	// Rule is the ID of the rule, of which there may be none.
	Rule string
	// Reason is what the author wrote; without one the ignore is not in force.
	Reason string
	// Path is the entry and Key its key.
	Path model.Path
	Key  string

	within model.Path
}

// Covers reports whether what is at the path is within the job or the group
// that the ignore is for. The empty path is that of the settings.
func (i Ignore) Covers(path model.Path) bool {
	return i.within == model.JobPath || strings.HasPrefix(string(path), string(i.within))
}

// Ignores are the entries of the job's meta and then those of its groups, each
// sorted by key.
func Ignores(job *model.Job) []Ignore {
	out := ignoresIn(model.JobPath, job.Meta)
	for _, g := range job.Groups {
		out = append(out, ignoresIn(model.GroupPath(g.Name), g.Meta)...)
	}
	return out
}

func ignoresIn(at model.Path, meta map[string]string) []Ignore {
	var out []Ignore
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if id, is := strings.CutPrefix(key, MetaIgnore); is {
			out = append(out, Ignore{Rule: strings.ToUpper(id), Reason: strings.TrimSpace(meta[key]), Path: at.Meta(key), Key: key, within: at})
		}
	}
	return out
}

// NotIgnored are the findings but for those that the job's meta ignores with a
// reason.
func NotIgnored(job *model.Job, all []Finding) []Finding {
	ignores := Ignores(job)
	var out []Finding
	for _, f := range all {
		hides := func(i Ignore) bool { return i.Rule == f.Rule && i.Reason != "" && i.Covers(f.Path) }
		if !slices.ContainsFunc(ignores, hides) {
			out = append(out, f)
		}
	}
	return out
}
