package rule

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// meta sets a key of the job.
func meta(key, value string) func(*Input, *model.Group, *model.Group) {
	return func(in *Input, _, _ *model.Group) { in.Job.Meta[key] = value }
}

func TestUnknownMeta(t *testing.T) {
	at := model.JobPath.Meta
	check(t, "DG304", map[string]ruleCase{
		"all that it knows": {
			func(in *Input, _, _ *model.Group) {
				for _, key := range metaKeys() {
					in.Job.Meta[key] = ""
				}
				in.Job.Meta["draingate_ignore_DG101"] = "measured"
			}, nil,
		},
		"a key of somebody else": {meta("owner", "shop"), nil},
		"a letter too few": {
			meta("draingate_max_reqest", "5s"), []expected{{Error, at("draingate_max_reqest"), "draingate_max_reqest is no key of draingate and is not in force; did you mean draingate_max_request?", `draingate_max_request = "5s"`}},
		},
		"hyphens":          {meta("draingate-mode", "off"), []expected{{Error, at("draingate-mode"), "did you mean draingate_mode?", ""}}},
		"capitals":         {meta("DRAINGATE_MODE", "off"), []expected{{Error, at("DRAINGATE_MODE"), "did you mean draingate_mode?", ""}}},
		"a wrong prefix":   {meta("drain_gate_mode", "off"), []expected{{Error, at("drain_gate_mode"), "did you mean draingate_mode?", ""}}},
		"nothing near it":  {meta("draingate_owner", "x"), []expected{{Warning, at("draingate_owner"), "its keys are draingate_drain, draingate_fence, draingate_hold_deadline,", ""}}},
		"a rule in small":  {meta("draingate_ignore_dg101", "x"), []expected{{Error, at("draingate_ignore_dg101"), "did you mean draingate_ignore_DG101?", ""}}},
		"a rule of nobody": {meta("draingate_ignore_DG999", "x"), []expected{{Warning, at("draingate_ignore_DG999"), `there is no rule "DG999"`, ""}}},
		"in a group": {
			func(_ *Input, web, _ *model.Group) { web.Meta = map[string]string{"draingate_drian": "5s"} },
			[]expected{{Error, model.GroupPath("web").Meta("draingate_drian"), "did you mean draingate_drain?", `draingate_drain = "5s"`}},
		},
		"in a task": {
			func(_ *Input, web, _ *model.Group) { web.Tasks[0].Meta = map[string]string{"draingate_drain": "5s"} },
			[]expected{{Error, webServer.Meta("draingate_drain"), "draingate_drain in the meta of a task is not read", ""}},
		},
	})
}

func TestBadMetaValue(t *testing.T) {
	at := model.JobPath.Meta
	check(t, "DG305", map[string]ruleCase{
		"values that it knows": {
			both(meta("draingate_on_deadline", "fail"), meta("draingate_fence", "never"), meta("draingate_park", "30s"), meta("draingate_hold_deadline", "1h30m")), nil,
		},
		"a mode": {
			meta("draingate_mode", "enforced"), []expected{{Error, at("draingate_mode"), `draingate_mode = "enforced" must be enforce, observe or off`, `draingate_mode = "enforce"`}},
		},
		"a mode that is near none": {meta("draingate_mode", "true"), []expected{{Error, at("draingate_mode"), `"true" must be`, ""}}},
		"an empty mode":            {meta("draingate_mode", ""), []expected{{Error, at("draingate_mode"), `draingate_mode = ""`, ""}}},
		"on_deadline":              {meta("draingate_on_deadline", "revert"), []expected{{Error, at("draingate_on_deadline"), "must be hold or fail", ""}}},
		"fence":                    {meta("draingate_fence", "Auto"), []expected{{Error, at("draingate_fence"), "must be auto, always or never", `draingate_fence = "auto"`}}},
		"a number without a unit":  {meta("draingate_drain", "6"), []expected{{Error, at("draingate_drain"), `"6" is not a duration such as "6s"`, `draingate_drain = "6s"`}}},
		"a negative duration":      {meta("draingate_max_request", "-1s"), []expected{{Error, at("draingate_max_request"), "is below zero", ""}}},
		"no duration":              {meta("draingate_park", "a while"), []expected{{Error, at("draingate_park"), "is not a duration", ""}}},
		"in a group": {
			func(_ *Input, web, _ *model.Group) { web.Meta = map[string]string{"draingate_hold_deadline": "soon"} },
			[]expected{{Error, model.GroupPath("web").Meta("draingate_hold_deadline"), `"soon"`, ""}},
		},
		"in a task it is not read": {
			func(_ *Input, web, _ *model.Group) { web.Tasks[0].Meta = map[string]string{"draingate_mode": "x"} }, nil,
		},
	})
}

func TestNearest(t *testing.T) {
	words := metaValues(metaMode)
	require.Equal(t, "off", nearest("off", words))
	require.Equal(t, "off", nearest("of", words))
	require.Empty(t, nearest("on", words), "two of three letters are another word")
	require.Equal(t, "enforce", nearest("Enforced", words))
	require.Empty(t, nearest("reinforced", words))
}

func TestDistance(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want int
	}{
		"the same":       {"mode", "mode", 0},
		"nothing":        {"", "mode", 4},
		"inserted":       {"mde", "mode", 1},
		"replaced":       {"made", "mode", 1},
		"two exchanged":  {"mdoe", "mode", 2},
		"something else": {"kitten", "sitting", 3},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, model.EditDistance(c.a, c.b))
			require.Equal(t, c.want, model.EditDistance(c.b, c.a))
		})
	}
}
