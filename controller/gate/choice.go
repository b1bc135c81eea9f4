package gate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Meta keys of the hold deadline and of the fence; they are read from the
// deployment's version of the job.
const (
	// MetaHoldDeadline is how long a deployment may wait for its promotion.
	MetaHoldDeadline = "draingate_hold_deadline"
	// MetaOnDeadline is what happens then: hold or fail.
	MetaOnDeadline = "draingate_on_deadline"
	// MetaFence is whether old instances are taken out of rotation before the
	// promotion: auto, always or never.
	MetaFence = "draingate_fence"
)

// choice is what the operator's policy, the job's meta and people's overrides
// come to.
type choice struct {
	mode       model.Mode
	deadline   time.Duration
	onDeadline string
	fence      string
	// release is the deployment whose pause by draingate a person wants to end.
	release string
	// modeErr and problem say what means nothing.
	modeErr, problem string
}

// Fencing says what a job asks for of itself, where nobody overrides it: FenceAuto
// or FenceAlways, or FenceNever where it is not to be fenced, or not gated, or
// where its settings mean nothing.
func Fencing(job *model.Job, policy Policy) string {
	c := choose(Input{Snapshot: model.Snapshot{Job: model.Fact[model.Job]{Value: *job}}, Policy: policy})
	if c.mode != model.ModeEnforce || c.problem != "" || c.fence == "" {
		return model.FenceNever
	}
	return c.fence
}

// saying is one text that somebody wrote for a key, and where.
type saying struct{ text, where string }

// choose reads overrides before meta, and meta before the policy.
func choose(in Input) choice {
	var c choice
	var problems [4]string
	policy := in.Policy
	shortest := ""
	if policy.HoldDeadline > 0 {
		shortest = policy.HoldDeadline.String()
	}
	c.mode, c.modeErr = mode(sayings(in, MetaMode, string(policy.DefaultMode)))
	c.deadline, problems[0] = deadline(sayings(in, MetaHoldDeadline, shortest))
	c.onDeadline, problems[1] = onDeadline(sayings(in, MetaOnDeadline, policy.OnDeadline))
	if unknown := in.Snapshot.Overrides.Value.Unknown; len(unknown) > 0 {
		problems[2] = "variable " + strings.Join(unknown, ", ") + " means nothing; the keys are " + strings.Join(model.OverrideKeys(), ", ")
	}
	if policy.Fence != "" {
		c.fence, problems[3] = fencing(sayings(in, MetaFence, policy.Fence))
	}
	c.release = in.Snapshot.Overrides.Value.Values[model.OverrideUnpause]
	c.problem = strings.Join(slices.DeleteFunc(problems[:], func(p string) bool { return p == "" }), "; ")
	return c
}

// sayings are what counts of all that is written for a meta key: the override,
// else what each group has, with the policy's for a group that does not say.
func sayings(in Input, meta, policy string) []saying {
	key, overrides := strings.TrimPrefix(meta, "draingate_"), in.Snapshot.Overrides.Value
	if path := overrides.Sources[key]; path != "" {
		return []saying{{overrides.Values[key], "variable " + path + " has " + key + " = "}}
	}
	var out []saying
	job := &in.Snapshot.Job.Value
	for _, g := range job.Groups {
		if text, ok := job.MetaFor(g.Name, meta); ok {
			out = append(out, saying{text, "group " + strconv.Quote(g.Name) + " has meta " + meta + " = "})
		} else if policy != "" {
			out = append(out, saying{policy, "the policy for " + meta + " is "})
		}
	}
	return out
}

// mode is the most cautious of the modes that are asked for; a job without any
// group has none that acts.
func mode(all []saying) (model.Mode, string) {
	order := []model.Mode{model.ModeOff, model.ModeObserve, model.ModeEnforce}
	lowest := len(order)
	for _, s := range all {
		rank := slices.Index(order, model.Mode(s.text))
		if rank < 0 {
			return "", s.where + strconv.Quote(s.text) + "; it must be enforce, observe or off"
		}
		lowest = min(lowest, rank)
	}
	if lowest == len(order) {
		return model.ModeObserve, ""
	}
	return order[lowest], ""
}

// deadline is the shortest of those that are asked for, 0 for none.
func deadline(all []saying) (time.Duration, string) {
	var out time.Duration
	for _, s := range all {
		d, err := time.ParseDuration(s.text)
		if err != nil || d <= 0 {
			return 0, s.where + strconv.Quote(s.text) + "; it must be a duration above 0 such as 45m"
		}
		if out == 0 || d < out {
			out = d
		}
	}
	return out, ""
}

// onDeadline is fail only where everybody says so.
func onDeadline(all []saying) (string, string) {
	out := model.OnDeadlineHold
	if len(all) > 0 {
		out = model.OnDeadlineFail
	}
	for _, s := range all {
		switch s.text {
		case model.OnDeadlineHold:
			out = model.OnDeadlineHold
		case model.OnDeadlineFail:
		default:
			return model.OnDeadlineHold, s.where + strconv.Quote(s.text) + "; it must be hold or fail"
		}
	}
	return out, ""
}

// fencing is always only where everybody says so, and never where anybody does.
func fencing(all []saying) (string, string) {
	out := model.FenceAlways
	for _, s := range all {
		switch s.text {
		case model.FenceNever:
			out = model.FenceNever
		case model.FenceAuto:
			if out == model.FenceAlways {
				out = model.FenceAuto
			}
		case model.FenceAlways:
		default:
			return model.FenceNever, s.where + strconv.Quote(s.text) + "; it must be auto, always or never"
		}
	}
	if len(all) == 0 {
		return model.FenceNever, ""
	}
	return out, ""
}

func modeInvalid(v *view) string { return v.modeErr }

func settingInvalid(v *view) string { return v.problem }

// frozen quotes every freeze that stands.
func frozen(v *view) string {
	all := v.Snapshot.Overrides.Value.Frozen
	var out []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		out = append(out, fmt.Sprintf("%s (variable %s)", strconv.Quote(all[path]), path))
	}
	if len(out) == 0 {
		return ""
	}
	return "frozen: " + strings.Join(out, ", ") + "; draingate unfreeze ends that"
}

// overridesUnknown holds where it cannot be read whether people froze the job
// or changed its mode.
func overridesUnknown(v *view) string {
	if problem := v.Snapshot.Overrides.Problem(v.Now, MaxAge); problem != "" {
		return "Nomad does not say whether the job is frozen or its mode overridden: " + problem
	}
	return ""
}
