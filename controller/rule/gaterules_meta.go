package rule

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

// The meta keys that a job, or a group, can set.
const (
	metaMode         = "draingate_mode"
	metaHoldDeadline = "draingate_hold_deadline"
	metaOnDeadline   = "draingate_on_deadline"
	metaFence        = "draingate_fence"
	metaPark         = park.MetaPark
)

// metaKeys are the keys with a fixed name.
func metaKeys() []string {
	return []string{drain.MetaDrain, metaFence, metaHoldDeadline, drain.MetaMaxRequest, metaMode, metaOnDeadline, metaPark}
}

// metaValues are the words that a key may have; nil for a key with another kind
// of value.
func metaValues(key string) []string {
	switch key {
	case metaMode:
		return []string{string(model.ModeEnforce), string(model.ModeObserve), string(model.ModeOff)}
	case metaOnDeadline:
		return []string{"hold", "fail"}
	case metaFence:
		return []string{"auto", "always", "never"}
	default:
		return nil
	}
}

func unknownMeta() Rule {
	return Rule{
		ID: "DG304", Name: "unknown-meta", Severity: Error,
		Summary: "A meta key looks like one of draingate's and is none, or stands where it is not read.",
		Why: "Meta is free text to Nomad, so a mistyped key is accepted and its setting is not in force: a gate that was asked for does not gate, a request length that " +
			"was declared is not waited for. draingate reads the meta of the group and of the job, not that of a task.",
		Fixes: "puts the key right where one alone is near and its setting makes the gate no bolder",
		Find:  func(in Input) []Finding { return eachMeta(in, findUnknownMeta) },
	}
}

func findUnknownMeta(at model.Path, inTask bool, key, value string) []Finding {
	meant := meantKey(key)
	switch {
	case meant == "" && !strings.HasPrefix(normal(key), "draingate"):
		return nil
	case meant == key && inTask:
		return found(at, fmt.Sprintf("%s in the meta of a task is not read; it belongs into that of the group or of the job", key), "")
	case meant == key:
		return nil
	case meant != "":
		f := Finding{Path: at, Message: fmt.Sprintf("%s is no key of draingate and is not in force; did you mean %s?", key, meant), Remedy: fmt.Sprintf("%s = %q", meant, value)}
		return []Finding{f.renamed(meant, value, near(key, metaKeys()))}
	case strings.HasPrefix(key, MetaIgnore):
		return []Finding{{Severity: Warning, Path: at, Message: fmt.Sprintf("%s ignores nothing: there is no rule %q", key, strings.TrimPrefix(key, MetaIgnore))}}
	default:
		return []Finding{{Severity: Warning, Path: at, Message: fmt.Sprintf("%s is no key of draingate and is not in force; its keys are %s and %s<RULE>", key, strings.Join(metaKeys(), ", "), MetaIgnore)}}
	}
}

// renamed is the finding with the fix that gives its key the name that was
// meant.
func (f Finding) renamed(meant, value string, candidates []string) Finding {
	switch {
	case strings.HasPrefix(meant, MetaIgnore):
		return f.notFixed("an ignore that comes into force would hide findings")
	case len(candidates) != 1:
		return f.notFixed(fmt.Sprintf("it may be any of %s", strings.Join(candidates, ", ")))
	case !cautious(meant, value):
		return f.notFixed(fmt.Sprintf("with %s = %q in force draingate would do less, or promote on more trust", meant, value))
	}
	f.Fix = &Fix{Edits: []Edit{{Path: f.Path, Rename: meant}}}
	return f
}

// cautious reports whether a setting that comes into force takes no condition
// off a promotion. A declared drain does, and so does a mode of off.
func cautious(key, value string) bool {
	switch key {
	case metaMode:
		return value == string(model.ModeEnforce) || value == string(model.ModeObserve)
	case metaOnDeadline:
		return value == "hold"
	case drain.MetaMaxRequest, metaHoldDeadline:
		d, err := time.ParseDuration(value)
		return err == nil && d >= 0
	default:
		return false
	}
}

// meantKey is the key of draingate that was written or, by a slip or two,
// meant; empty where there is none near.
func meantKey(key string) string {
	if !strings.HasPrefix(normal(key), MetaIgnore) {
		return nearest(key, metaKeys())
	}
	for _, r := range All() {
		if normal(MetaIgnore+r.ID) == normal(key) {
			return MetaIgnore + r.ID
		}
	}
	return ""
}

// nearest is the word itself where it is one of them, else the one that is the
// fewest edits apart: two at most, and one where the word is short.
func nearest(word string, of []string) string {
	if slices.Contains(of, word) {
		return word
	}
	best, fewest := "", 3
	for _, w := range near(word, of) {
		if d := model.EditDistance(normal(word), normal(w)); d < fewest {
			best, fewest = w, d
		}
	}
	return best
}

// near are the words that are two edits apart at most, and one where the word
// is short.
func near(word string, of []string) []string {
	return slices.DeleteFunc(slices.Clone(of), func(w string) bool {
		return model.EditDistance(normal(word), normal(w)) >= min(3, max(2, len(w)/2))
	})
}

// normal is a key without what people write for an underscore and without case.
func normal(key string) string {
	return strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(strings.ToLower(key))
}

func badMetaValue() Rule {
	return Rule{
		ID: "DG305", Name: "bad-meta-value", Severity: Error,
		Summary: "A meta key of draingate has a value that it does not know.",
		Why: "draingate does not guess: with a mode that it does not know, or a drain or longest request that it cannot read, it holds every deployment of the job " +
			"(docs/reasons.md), and a drain is read from the old allocation's job, so that is so for the deploy after the next one as well.",
		Fixes: "puts the word right where one alone is near and its setting makes the gate no bolder; what a duration was to be, only the author knows",
		Find:  func(in Input) []Finding { return eachMeta(in, findBadMetaValue) },
	}
}

func findBadMetaValue(at model.Path, inTask bool, key, value string) []Finding {
	if inTask {
		return nil // it is not read there, which DG304 says
	}
	if words := metaValues(key); words != nil {
		return badWord(at, key, value, words)
	}
	switch key {
	case drain.MetaDrain, drain.MetaMaxRequest, metaHoldDeadline, metaPark:
		return badDuration(at, key, value)
	}
	return nil
}

func badWord(at model.Path, key, value string, words []string) []Finding {
	if slices.Contains(words, value) {
		return nil
	}
	last := len(words) - 1
	f := Finding{Path: at, Message: fmt.Sprintf("%s = %q must be %s or %s", key, value, strings.Join(words[:last], ", "), words[last])}
	meant := nearest(strings.TrimSpace(value), words)
	if meant == "" {
		return []Finding{f.notFixed("no word that it knows is near")}
	}
	f.Remedy = fmt.Sprintf("%s = %q", key, meant)
	switch {
	case len(near(strings.TrimSpace(value), words)) != 1:
		return []Finding{f.notFixed("more than one word is near")}
	case !cautious(key, meant):
		return []Finding{f.notFixed(fmt.Sprintf("with %s = %q in force draingate would do less, or promote on more trust", key, meant))}
	}
	return []Finding{f.fixed(at, meant)}
}

func badDuration(at model.Path, key, value string) []Finding {
	d, err := time.ParseDuration(value)
	switch {
	case err == nil && d >= 0:
		return nil
	case err == nil:
		return []Finding{Finding{Path: at, Message: fmt.Sprintf("%s = %q is below zero", key, value)}.notFixed("the duration that was meant is not known")}
	}
	f := Finding{Path: at, Message: fmt.Sprintf("%s = %q is not a duration such as \"6s\"", key, value)}.notFixed("the duration that was meant is not known")
	if n, err := strconv.ParseFloat(value, 64); err == nil && n >= 0 {
		f.Remedy = fmt.Sprintf("%s = %q", key, value+"s")
	}
	return []Finding{f}
}

// eachMeta applies a finder to every key of every meta block of the job.
func eachMeta(in Input, find func(at model.Path, inTask bool, key, value string) []Finding) []Finding {
	if in.Job == nil {
		return nil
	}
	out := metaOf(model.JobPath, false, in.Job.Meta, find)
	for _, g := range in.Job.Groups {
		at := model.GroupPath(g.Name)
		out = append(out, metaOf(at, false, g.Meta, find)...)
		for _, t := range g.Tasks {
			out = append(out, metaOf(at.Task(t.Name), true, t.Meta, find)...)
		}
	}
	return out
}

func metaOf(at model.Path, inTask bool, meta map[string]string, find func(at model.Path, inTask bool, key, value string) []Finding) []Finding {
	var out []Finding
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		out = append(out, find(at.Meta(key), inTask, key, meta[key])...)
	}
	return out
}
