package rule

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
)

// good is a job that nothing is found in, behind a Traefik with its defaults:
// T = 17.5s, and S = 20s for each of two services.
func good() Input {
	ready := model.Check{
		Name: "ready", Type: "http", Path: "/readyz", Interval: 2 * time.Second, Timeout: time.Second, OnUpdate: "require_healthy",
	}
	service := func(name, task string) model.Service {
		return model.Service{
			Name: name, Provider: model.ProviderConsul, Task: task, ForTask: task, PortLabel: "http", Tags: []string{"traefik.enable=true"},
			OnUpdate: "require_healthy", Checks: []model.Check{ready},
		}
	}
	job := model.Job{
		ID: "shop", Namespace: "default", Type: model.JobTypeService, Region: "global", Datacenters: []string{"*"},
		Meta: map[string]string{metaMode: "enforce"},
		Groups: []model.Group{{
			Name: "web", Count: 3, ShutdownDelay: 20 * time.Second,
			Update: model.Update{
				Canary: 3, MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: 10 * time.Second, HealthyDeadline: 5 * time.Minute, ProgressDeadline: 10 * time.Minute,
			},
			Services: []model.Service{service("web", "")},
			Networks: []model.Network{{Ports: []model.Port{{Label: "http"}}}},
			Tasks:    []model.Task{{Name: "server", Driver: "docker", KillTimeout: 5 * time.Second}},
		}},
	}
	api := job.Groups[0]
	api.Name, api.ShutdownDelay, api.Services, api.Networks = "api", 0, nil, nil
	api.Tasks = []model.Task{{
		Name: "main", Driver: "docker", KillTimeout: 5 * time.Second, ShutdownDelay: 20 * time.Second, Services: []model.Service{service("api", "main")},
	}}
	job.Groups = append(job.Groups, api)
	exposed := model.TagReading{Exposed: true}
	return Input{
		Job: &job, Margin: time.Second,
		Settings: model.ProxySettings{
			Source: "traefik.yaml", ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second,
			StrictChecks: []string{"passing", "warning"}, Prefix: "traefik",
		},
		Tags: map[model.Path]Tags{
			`group["web"].service[0]`:              {Stable: exposed, Canary: exposed},
			`group["api"].task["main"].service[0]`: {Stable: exposed, Canary: exposed},
		},
	}
}

const (
	webService = model.Path(`group["web"].service[0]`)
	webServer  = model.Path(`group["web"].task["server"]`)
	apiMain    = model.Path(`group["api"].task["main"]`)
)

// expected is a finding: where, how severe, and what its message has among
// other things. An empty remedy is not looked at.
type expected struct {
	severity Severity
	path     model.Path
	says     string
	remedy   string
}

// ruleCase is a change of the good job and what the rule then finds.
type ruleCase struct {
	change func(in *Input, web, api *model.Group)
	want   []expected
}

// check runs one rule on each case and requires exactly the findings.
func check(t *testing.T, id string, cases map[string]ruleCase) {
	t.Helper()
	rules := slices.DeleteFunc(All(), func(r Rule) bool { return r.ID != id })
	require.Len(t, rules, 1)
	require.GreaterOrEqual(t, len(cases), 3)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := good()
			c.change(&in, &in.Job.Groups[0], &in.Job.Groups[1])
			got := Run(rules, in)
			require.Len(t, got, len(c.want), "%v", got)
			for i, f := range got {
				require.Equal(t, id, f.Rule)
				require.Equal(t, c.want[i].path, f.Path)
				require.Equal(t, c.want[i].severity, f.Severity, f.Message)
				require.Contains(t, f.Message, c.want[i].says)
				require.NotContains(t, f.Message, "\n")
				if c.want[i].remedy != "" {
					require.Equal(t, c.want[i].remedy, f.Remedy)
				}
			}
		})
	}
}

func nothing(*Input, *model.Group, *model.Group) {}

func TestNothingIsFoundInAGoodJob(t *testing.T) {
	require.Empty(t, Run(All(), good()))
	in := good()
	in.Against = &Input{Job: good().Job}
	require.Empty(t, Run(All(), in))
}

func TestDrainTooShort(t *testing.T) {
	check(t, "DG101", map[string]ruleCase{
		"S covers T, L and the margin": {nothing, nil},
		"no delay at all": {
			func(_ *Input, web, _ *model.Group) { web.ShutdownDelay = 0 },
			[]expected{{Error, `group["web"].shutdown_delay`, `service "web" (at group level) is served for S = 0s after it leaves the catalog (no delay, no drain), but Traefik may route to it for T = 17.5s (refreshInterval 15s + providersThrottleDuration 2s + apply 500ms); S must be at least T + L 0s + margin 1s = 18.5s and is 18.5s short; smallest shutdown_delay of the group: 19s`, `shutdown_delay = "19s"`}},
		},
		"a millisecond short, and rounded up": {
			func(_ *Input, web, _ *model.Group) { web.ShutdownDelay = 18499 * time.Millisecond },
			[]expected{{Error, `group["web"].shutdown_delay`, "is 1ms short", `shutdown_delay = "19s"`}},
		},
		"exactly enough": {func(_ *Input, web, _ *model.Group) { web.ShutdownDelay = 18500 * time.Millisecond }, nil},
		"group and task delay add up for a group-level service": {
			func(_ *Input, web, _ *model.Group) {
				web.ShutdownDelay, web.Tasks[0].ShutdownDelay = 10*time.Second, 9*time.Second
			}, nil,
		},
		"only the task's delay counts at task level": {
			func(_ *Input, _, api *model.Group) {
				api.ShutdownDelay, api.Tasks[0].ShutdownDelay = 10*time.Second, 9*time.Second
			},
			[]expected{{Error, apiMain.Child("shutdown_delay"), `service "api" (at task level) is served for S = 9s after it leaves the catalog (task shutdown_delay 9s)`, `shutdown_delay = "19s"`}},
		},
		"the declared drain counts, and the cure does not rely on it": {
			func(_ *Input, web, _ *model.Group) {
				web.ShutdownDelay, web.Meta = 10*time.Second, map[string]string{drain.MetaDrain: "4s"}
			},
			[]expected{{Error, `group["web"].shutdown_delay`, "S = 14s after it leaves the catalog (group shutdown_delay 10s + declared drain 4s)", `shutdown_delay = "19s"`}},
		},
		"the longest request is waited for": {
			func(_ *Input, web, _ *model.Group) { web.Meta = map[string]string{drain.MetaMaxRequest: "30s"} },
			[]expected{{Error, `group["web"].shutdown_delay`, "T + L 30s + margin 1s = 48.5s and is 28.5s short", `shutdown_delay = "49s"`}},
		},
		"a load of the catalog that was measured": {
			func(in *Input, _, _ *model.Group) { in.Load = model.Load{Services: 300, Took: time.Second} },
			[]expected{
				{Error, apiMain.Child("shutdown_delay"), "two loads of the catalog 2s", `shutdown_delay = "21s"`},
				{Error, `group["web"].shutdown_delay`, "T = 19.5s", `shutdown_delay = "21s"`},
			},
		},
		"assumed settings are said to be": {
			func(in *Input, web, _ *model.Group) { in.Assumed, web.ShutdownDelay = true, 0 },
			[]expected{{Error, `group["web"].shutdown_delay`, "with Traefik's default settings, which are assumed", ""}},
		},
		"retry only masks": {
			func(in *Input, web, _ *model.Group) {
				web.ShutdownDelay = 0
				in.Tags[webService] = Tags{Stable: model.TagReading{Exposed: true, Retry: &model.Retry{Attempts: 4}}}
			},
			[]expected{{Error, `group["web"].shutdown_delay`, "19s; 4 attempts of retry hide part of it, but no retry repeats", `shutdown_delay = "19s"`}},
		},
		"a drain that cannot be read": {
			func(_ *Input, web, _ *model.Group) { web.Meta = map[string]string{drain.MetaDrain: "6"} },
			[]expected{{Unknown, `group["web"].shutdown_delay`, `cannot be told: meta draingate_drain = "6" is not a duration`, ""}},
		},
		"settings without a bound are another rule's": {
			func(in *Input, web, _ *model.Group) { in.Settings.Watch, web.ShutdownDelay = true, 0 }, nil,
		},
		"a service of the mesh": {
			func(_ *Input, web, _ *model.Group) { web.Services[0].Connect = true },
			[]expected{{Unknown, `group["web"].shutdown_delay`, `has a connect block: requests may reach it directly or through a proxy of the mesh`, ""}},
		},
		"a service that no proxy routes to": {
			func(in *Input, web, _ *model.Group) { in.Tags[webService], web.ShutdownDelay = Tags{}, 0 }, nil,
		},
		"a job that a server registered in several versions": {
			func(in *Input, web, _ *model.Group) {
				in.Job.ModifyIndex, web.ShutdownDelay, web.Meta = 99, 16*time.Second, map[string]string{drain.MetaDrain: "4s"}
			}, nil,
		},
	})
}

func TestDrainBeyondKillTimeout(t *testing.T) {
	declares := func(d string, kill time.Duration) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, web, _ *model.Group) {
			web.Meta, web.Tasks[0].KillTimeout = map[string]string{drain.MetaDrain: d}, kill
		}
	}
	at := webServer.Child("kill_timeout")
	check(t, "DG102", map[string]ruleCase{
		"as long as kill_timeout": {declares("6s", 6*time.Second), nil},
		"longer than kill_timeout": {
			declares("20s", 5*time.Second),
			[]expected{{Warning, at, "declares draingate_drain = 20s and is killed after kill_timeout = 5s: only 5s of it counts", `kill_timeout = "20s"`}},
		},
		"longer than kill_timeout and the client's cap": {
			declares("45s", 5*time.Second),
			[]expected{{Warning, at, "more than 30s needs a client with a larger max_kill_timeout", `kill_timeout = "30s"`}},
		},
		"longer than the client's cap": {declares("45s", time.Minute), []expected{{Warning, at, "max_kill_timeout, 30s unless set otherwise: only 30s of it counts", ""}}},
		"kill_timeout above the cap": {
			declares("6s", time.Minute), []expected{{Unknown, at, "kill_timeout = 1m, but a client cuts that to its max_kill_timeout, 30s", ""}},
		},
		"a drain that cannot be read is another rule's": {declares("6", 5*time.Second), nil},
		"nobody routes to it": {
			func(in *Input, web, api *model.Group) {
				declares("20s", 0)(in, web, api)
				in.Tags[webService] = Tags{}
			}, nil,
		},
	})
}

func TestTaskServiceGroupDelay(t *testing.T) {
	delays := func(group, task time.Duration) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, _, api *model.Group) { api.ShutdownDelay, api.Tasks[0].ShutdownDelay = group, task }
	}
	at := apiMain.Child("shutdown_delay")
	check(t, "DG103", map[string]ruleCase{
		"both have one":                      {delays(6*time.Second, 20*time.Second), nil},
		"neither has one":                    {delays(0, 0), nil},
		"the task has one that is too short": {delays(6*time.Second, 5*time.Second), nil},
		"only the group":                     {delays(20*time.Second, 0), []expected{{Warning, at, `group's shutdown_delay of 20s gives it nothing`, `shutdown_delay = "19s"`}}},
		"a group's service":                  {func(_ *Input, web, _ *model.Group) { web.ShutdownDelay = time.Second }, nil},
		"a declared drain that is enough": {
			func(in *Input, web, api *model.Group) {
				delays(20*time.Second, 0)(in, web, api)
				api.Meta, api.Tasks[0].KillTimeout = map[string]string{drain.MetaDrain: "20s"}, 20*time.Second
			}, nil,
		},
		"settings without a bound": {
			func(in *Input, web, api *model.Group) {
				delays(7*time.Second, 0)(in, web, api)
				in.Settings.Watch = true
			},
			[]expected{{Warning, at, "7s gives it nothing", `shutdown_delay = "7s"`}},
		},
	})
}

func TestDrainWithoutSignal(t *testing.T) {
	declares := func(driver, signal string) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, web, _ *model.Group) {
			web.Meta, web.Tasks[0].Driver, web.Tasks[0].KillSignal = map[string]string{drain.MetaDrain: "5s"}, driver, signal
		}
	}
	at := webServer.Child("kill_signal")
	check(t, "DG104", map[string]ruleCase{
		"docker sends SIGTERM":        {declares("docker", ""), nil},
		"exec sends SIGINT":           {declares("exec", ""), []expected{{Warning, at, `declares draingate_drain = 5s and has no kill_signal: driver "exec" sends SIGINT`, `kill_signal = "SIGTERM"`}}},
		"raw_exec sends SIGINT":       {declares("raw_exec", ""), []expected{{Warning, at, `"raw_exec"`, ""}}},
		"java sends SIGINT":           {declares("java", ""), []expected{{Warning, at, `"java"`, ""}}},
		"SIGINT may well be meant":    {declares("exec", "SIGINT"), nil},
		"nothing relies on the drain": {func(_ *Input, web, _ *model.Group) { web.Tasks[0].Driver = "exec" }, nil},
		"the task beside it": {
			func(_ *Input, web, _ *model.Group) {
				web.Meta = map[string]string{drain.MetaDrain: "5s"}
				web.Tasks = append(web.Tasks, model.Task{Name: "logs", Driver: "exec", Hook: "poststart", Sidecar: true, KillTimeout: 5 * time.Second})
			}, nil,
		},
	})
}
