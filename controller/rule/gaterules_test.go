package rule

import (
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
)

func TestAutoPromoteRule(t *testing.T) {
	const at = `group["web"].update.auto_promote`
	auto := func(_ *Input, web, _ *model.Group) { web.Update.AutoPromote = true }
	short := func(_ *Input, web, _ *model.Group) { web.ShutdownDelay = 0 }
	check(t, "DG301", map[string]ruleCase{
		"nobody promotes by itself": {nothing, nil},
		"the gate is asked for": {
			auto, []expected{{Error, at, `group "web" has auto_promote = true: Nomad promotes the moment the canaries are healthy and nobody can hold it; set update { auto_promote = false } (draingate_mode = "enforce" asks for the gate)`, "auto_promote = false"}},
		},
		"observing is asked for":                    {both(auto, mode("observe")), []expected{{Error, at, `"observe" asks for the gate`, ""}}},
		"no gate, and the drain is too short":       {both(auto, mode(""), short), []expected{{Warning, at, "", ""}}},
		"switched off, and the drain is too short":  {both(auto, mode("off"), short), []expected{{Warning, at, "", ""}}},
		"no gate, and the drain covers a refresh":   {both(auto, mode("")), []expected{{Notice, at, "", ""}}},
		"no gate, and nothing is routed":            {both(auto, mode(""), unrouted), nil},
		"without canaries, which Nomad refuses":     {both(auto, sized(3, 0, 1)), nil},
		"the gate is asked for, and nothing routed": {both(auto, unrouted), []expected{{Error, at, "", ""}}},
	})
}

func TestMaxParallelZero(t *testing.T) {
	const at = `group["web"].update.max_parallel`
	check(t, "DG302", map[string]ruleCase{
		"one":  {nothing, nil},
		"none": {sized(3, 3, 0), []expected{{Error, at, `group "web" has max_parallel = 0: Nomad stops all 3 instances at once`, "max_parallel = 1"}}},
		"a system job": {
			both(sized(1, 0, 0), jobType(model.JobTypeSystem)), []expected{{Error, at, "stops the instances of all nodes at once", ""}},
		},
		"a batch job":                     {both(sized(3, 0, 0), jobType("batch")), nil},
		"nothing is routed nor canaried":  {both(sized(3, 0, 0), unrouted), nil},
		"nothing is routed, but canaried": {both(sized(3, 1, 0), unrouted), []expected{{Error, at, "", ""}}},
	})
}

func TestDeadlineOrder(t *testing.T) {
	times := func(healthy, deadline, progress time.Duration) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, web, _ *model.Group) {
			web.Update.MinHealthyTime, web.Update.HealthyDeadline, web.Update.ProgressDeadline = healthy, deadline, progress
		}
	}
	at := model.GroupPath("web")
	check(t, "DG303", map[string]ruleCase{
		"Nomad's defaults":              {nothing, nil},
		"no progress_deadline":          {times(10*time.Second, 5*time.Minute, 0), nil},
		"no update block":               {func(_ *Input, web, _ *model.Group) { web.Update = model.Update{} }, nil},
		"min_healthy_time at the limit": {times(time.Minute, time.Minute, 5*time.Minute), []expected{{Error, at.Update("min_healthy_time"), "min_healthy_time = 1m is not below healthy_deadline = 1m; Nomad refuses", ""}}},
		"healthy_deadline at the limit": {times(time.Second, 5*time.Minute, 5*time.Minute), []expected{{Error, at.Update("healthy_deadline"), "healthy_deadline = 5m is not below progress_deadline = 5m", ""}}},
		"kill_timeout at the limit":     {func(_ *Input, web, _ *model.Group) { web.Tasks[0].KillTimeout = 10 * time.Minute }, nil},
		"kill_timeout above it": {
			func(_ *Input, web, _ *model.Group) { web.Tasks[0].KillTimeout = 11 * time.Minute },
			[]expected{{Error, webServer.Child("kill_timeout"), `kill_timeout = 11m of task "server" is above progress_deadline = 10m`, ""}},
		},
		"a check that runs too rarely": {
			both(times(10*time.Second, time.Minute, 5*time.Minute), checkOf(func(c *model.Check) { c.Interval = 50 * time.Second })),
			[]expected{{Warning, webService.Check(0).Child("interval"), `may first run 50s after the start; with min_healthy_time = 10s that is not before healthy_deadline = 1m`, ""}},
		},
		"a check that runs rarely, and in time": {
			both(times(10*time.Second, time.Minute, 5*time.Minute), checkOf(func(c *model.Check) { c.Interval = 49 * time.Second })), nil,
		},
		"checks that do not count": {
			both(times(10*time.Second, time.Minute, 5*time.Minute), func(_ *Input, web, _ *model.Group) {
				web.Services[0].Checks[0].Interval, web.Update.HealthCheck = time.Minute, "task_states"
			}), nil,
		},
		"a stop that outlasts the deployment": {
			both(sized(3, 1, 1), times(10*time.Second, 20*time.Second, 30*time.Second)),
			[]expected{{Error, at.Update("progress_deadline"), `at least 20s (shutdown_delay of group "web" and of its tasks), and then for min_healthy_time = 10s: that is not within progress_deadline = 30s`, `progress_deadline = "1m20s"`}},
		},
		"a stop that nothing waits for": {times(10*time.Second, 20*time.Second, 30*time.Second), nil},
		"a batch job":                   {both(times(time.Minute, time.Second, time.Second), jobType("batch")), nil},
	})
}

func TestGateNotPossible(t *testing.T) {
	kind := model.JobPath.Child("type")
	datacenters := func(names ...string) func(*Input, *model.Group, *model.Group) {
		return func(in *Input, _, _ *model.Group) { in.Job.Datacenters = names }
	}
	check(t, "DG306", map[string]ruleCase{
		"a service job":                      {nothing, nil},
		"a system job":                       {jobType(model.JobTypeSystem), []expected{{Error, kind, `draingate_mode = "enforce" has no effect: a system job is reported and not gated`, ""}}},
		"a batch job":                        {jobType("batch"), []expected{{Error, kind, `not jobs of type "batch"`, `type = "service"`}}},
		"a system job that asks for nothing": {both(jobType(model.JobTypeSystem), mode("")), nil},
		"a system job that is observed":      {both(jobType(model.JobTypeSystem), mode("observe")), nil},
		"several regions": {
			func(in *Input, _, _ *model.Group) { in.Job.Multiregion = true }, []expected{{Error, model.JobPath.Child("multiregion"), "other regions", ""}},
		},
		"a service of the mesh": {
			func(_ *Input, web, _ *model.Group) { web.Services[0].Connect = true }, []expected{{Error, webService.Child("connect"), `service "web" has a connect block`, ""}},
		},
		"a service in Nomad's catalog, routed or not": {
			func(_ *Input, web, _ *model.Group) {
				web.Services = append(web.Services, model.Service{Name: "metrics", Provider: model.ProviderNomad})
			},
			[]expected{{Error, `group["web"].service[1].provider`, `service "metrics"`, ""}},
		},
		"a group that nobody has to promote": {
			both(sized(3, 0, 1), func(_ *Input, web, _ *model.Group) { web.Services[0].Connect = true }), nil,
		},
		"one datacenter":      {datacenters("dc1"), nil},
		"several datacenters": {datacenters("dc1", "dc2"), []expected{{Unknown, model.JobPath.Child("datacenters"), `datacenters ["dc1" "dc2"] and draingate`, ""}}},
		"a pattern":           {datacenters("eu-*"), []expected{{Unknown, model.JobPath.Child("datacenters"), "eu-*", ""}}},
	})
}

func TestModeOfGroupsDiffers(t *testing.T) {
	own := func(web, api string) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, w, a *model.Group) {
			w.Meta, a.Meta = map[string]string{metaMode: web}, map[string]string{metaMode: api}
		}
	}
	at := model.GroupPath("api").Meta(metaMode)
	check(t, "DG307", map[string]ruleCase{
		"the job says it":        {nothing, nil},
		"each group says it":     {both(mode(""), own("enforce", "enforce")), nil},
		"one group is off":       {own("enforce", "off"), []expected{{Warning, at, `group "api" has draingate_mode = "off" while another group of the job has "enforce"`, `draingate_mode = "enforce"`}}},
		"nobody enforces":        {own("observe", "off"), nil},
		"one group says nothing": {both(mode(""), func(_ *Input, w, _ *model.Group) { w.Meta = map[string]string{metaMode: "enforce"} }), []expected{{Warning, at, `group "api" has no draingate_mode`, ""}}},
	})
}
