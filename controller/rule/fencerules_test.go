package rule

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestFenceIneffective(t *testing.T) {
	at := model.JobPath.Meta("draingate_fence")
	with := func(change func(*model.ProxySettings)) func(*Input, *model.Group, *model.Group) {
		return func(in *Input, _, _ *model.Group) { change(&in.Settings) }
	}
	stale := with(func(s *model.ProxySettings) { s.Stale = true })
	check(t, "DG308", map[string]ruleCase{
		"the default settings": {meta("draingate_fence", "always"), nil},
		"watch mode":           {both(meta("draingate_fence", "always"), with(func(s *model.ProxySettings) { s.Watch = true })), nil},
		"stale":                {both(meta("draingate_fence", "always"), stale), []expected{{Warning, at, `draingate_fence = "always", but providers.consulCatalog of the Traefik in front has stale = true`, ""}}},
		"cache":                {both(meta("draingate_fence", "auto"), with(func(s *model.ProxySettings) { s.Cache = true })), []expected{{Warning, at, "has cache = true", ""}}},
		"any status":           {both(meta("draingate_fence", "auto"), with(func(s *model.ProxySettings) { s.StrictChecks = []string{"Any"} })), []expected{{Warning, at, "strictChecks with Any", ""}}},
		"maintenance":          {both(meta("draingate_fence", "auto"), with(func(s *model.ProxySettings) { s.StrictChecks = []string{"passing", "maintenance"} })), []expected{{Warning, at, "strictChecks with maintenance", ""}}},
		"critical is another":  {both(meta("draingate_fence", "auto"), with(func(s *model.ProxySettings) { s.StrictChecks = []string{"critical"} })), nil},
		"no fence":             {both(meta("draingate_fence", "never"), stale), nil},
		"nobody says":          {stale, nil},
		"another provider":     {both(meta("draingate_fence", "always"), both(stale, with(func(s *model.ProxySettings) { s.ConsulCatalog = false }))), nil},
		"a group's own": {
			func(in *Input, web, _ *model.Group) {
				web.Meta, in.Settings.Stale = map[string]string{"draingate_fence": "auto"}, true
			},
			[]expected{{Warning, model.GroupPath("web").Meta("draingate_fence"), "stale", ""}},
		},
	})
}

func TestAFenceIsNamedWhereItWouldDo(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Input, *place)
		want   bool
	}{
		"a job with canaries": {func(*Input, *place) {}, true},
		"that says auto":      {func(in *Input, _ *place) { in.Job.Meta = map[string]string{"draingate_fence": "auto"} }, true},
		"that says never":     {func(in *Input, _ *place) { in.Job.Meta = map[string]string{"draingate_fence": "never"} }, false},
		"no canaries":         {func(_ *Input, p *place) { p.group.Update.Canary = 0 }, false},
		"a system job":        {func(in *Input, _ *place) { in.Job.Type = model.JobTypeSystem }, false},
		"a stale proxy":       {func(in *Input, _ *place) { in.Settings.Stale = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			group := model.Group{Name: "web", Update: model.Update{Canary: 1}}
			in := Input{Job: &model.Job{Type: model.JobTypeService, Groups: []model.Group{group}}, Settings: model.ProxySettings{ConsulCatalog: true}}
			p := place{group: &group}
			tt.change(&in, &p)
			got := fenceInstead(in, p)
			require.Equal(t, tt.want, got != "", got)
		})
	}
}
