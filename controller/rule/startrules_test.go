package rule

import (
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// checkOf changes the check of the service web.
func checkOf(change func(*model.Check)) func(*Input, *model.Group, *model.Group) {
	return func(_ *Input, web, _ *model.Group) { change(&web.Services[0].Checks[0]) }
}

// second adds a second check to the service web after it changed the first.
func second(change func(first, second *model.Check)) func(*Input, *model.Group, *model.Group) {
	return func(_ *Input, web, _ *model.Group) {
		s := &web.Services[0]
		s.Checks = append(s.Checks, s.Checks[0])
		s.Checks[1].Name = "alive"
		change(&s.Checks[0], &s.Checks[1])
	}
}

func TestNoCheckRule(t *testing.T) {
	none := func(_ *Input, web, _ *model.Group) { web.Services[0].Checks = nil }
	check(t, "DG201", map[string]ruleCase{
		"a check":  {nothing, nil},
		"no check": {none, []expected{{Error, webService, `service "web" has no check`, ""}}},
		"a service nobody routes to": {
			func(in *Input, web, api *model.Group) {
				none(in, web, api)
				in.Tags[webService] = Tags{}
			}, nil,
		},
		"a service in Nomad's catalog is another rule's": {
			both(none, func(_ *Input, web, _ *model.Group) { web.Services[0].Provider = model.ProviderNomad }), nil,
		},
		"tags that nobody read": {
			func(in *Input, web, api *model.Group) {
				none(in, web, api)
				in.Tags = nil
			}, []expected{{Error, webService, "", ""}},
		},
	})
}

func TestInitialStatusRule(t *testing.T) {
	starts := func(status string) func(*Input, *model.Group, *model.Group) {
		return checkOf(func(c *model.Check) { c.InitialStatus = status })
	}
	at := webService.Check(0).Child("initial_status")
	check(t, "DG202", map[string]ruleCase{
		"none":     {nothing, nil},
		"critical": {starts("critical"), nil},
		"passing":  {starts("passing"), []expected{{Error, at, `check "ready" of service "web" has initial_status = "passing"`, `initial_status = "critical"`}}},
		"warning is routed as well": {
			starts("warning"), []expected{{Error, at, `initial_status = "warning", which Traefik's strictChecks accept`, ""}},
		},
		"warning is not accepted": {
			func(in *Input, web, api *model.Group) {
				starts("warning")(in, web, api)
				in.Settings.StrictChecks = []string{"passing"}
			}, nil,
		},
		"another check keeps it out": {
			second(func(first, _ *model.Check) { first.InitialStatus = "passing" }), []expected{{Warning, at, `only check "alive" keeps it out until then`, ""}},
		},
		"two checks, both passing": {
			second(func(first, second *model.Check) { first.InitialStatus, second.InitialStatus = "passing", "passing" }),
			[]expected{{Error, at, `"ready"`, ""}, {Error, webService.Check(1).Child("initial_status"), `"alive"`, ""}},
		},
	})
}

func TestOnUpdateIgnore(t *testing.T) {
	at := webService.Check(0).Child("on_update")
	check(t, "DG203", map[string]ruleCase{
		"require_healthy": {nothing, nil},
		"ignore_warnings": {checkOf(func(c *model.Check) { c.OnUpdate = "ignore_warnings" }), nil},
		"ignore": {
			checkOf(func(c *model.Check) { c.OnUpdate = "ignore" }),
			[]expected{{Warning, at, `check "ready" of service "web" has on_update = "ignore": Nomad calls a new instance healthy after 10s`, `on_update = "require_healthy"`}},
		},
		"another check still counts": {second(func(first, _ *model.Check) { first.OnUpdate = "ignore" }), []expected{{Notice, at, "", ""}}},
	})
}

func TestHealthWithoutChecks(t *testing.T) {
	states := func(_ *Input, web, _ *model.Group) { web.Update.HealthCheck = "task_states" }
	check(t, "DG210", map[string]ruleCase{
		"checks":      {nothing, nil},
		"manual":      {func(_ *Input, web, _ *model.Group) { web.Update.HealthCheck = "manual" }, nil},
		"task states": {states, []expected{{Warning, `group["web"].update.health_check`, `healthy after 10s of running, whatever the checks of service "web" say`, `health_check = "checks"`}}},
		"nothing is routed": {
			func(in *Input, web, api *model.Group) {
				states(in, web, api)
				in.Tags[webService] = Tags{}
			}, nil,
		},
	})
}

func TestProviderNomadRule(t *testing.T) {
	nomad := func(_ *Input, web, _ *model.Group) { web.Services[0].Provider = model.ProviderNomad }
	check(t, "DG204", map[string]ruleCase{
		"consul": {nothing, nil},
		"nomad":  {nomad, []expected{{Error, webService.Child("provider"), `service "web" has provider = "nomad"`, `provider = "consul"`}}},
		"nomad, and no tag for Traefik": {
			func(in *Input, web, api *model.Group) {
				nomad(in, web, api)
				web.Services[0].Tags = []string{"metrics"}
			}, nil,
		},
		"nomad, and tags with another prefix": {
			func(in *Input, web, api *model.Group) {
				nomad(in, web, api)
				in.Settings.Prefix, web.Services[0].Tags = "edge", []string{"edge.enable=true"}
			}, []expected{{Error, webService.Child("provider"), "", ""}},
		},
		"nomad, and not exposed": {
			func(in *Input, web, api *model.Group) {
				nomad(in, web, api)
				in.Tags[webService] = Tags{}
			}, nil,
		},
	})
}

func TestMixedProviders(t *testing.T) {
	add := func(provider string) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, web, _ *model.Group) {
			web.Services = append(web.Services, model.Service{Name: "metrics", Provider: provider})
		}
	}
	check(t, "DG205", map[string]ruleCase{
		"one provider": {nothing, nil},
		"the same one": {add(model.ProviderConsul), nil},
		"two": {
			add(model.ProviderNomad),
			[]expected{{Error, `group["web"].service[1].provider`, `service "metrics" has provider = "nomad" and service "web" of the same group "consul"`, `provider = "consul"`}},
		},
		"two at different levels": {
			func(_ *Input, _, api *model.Group) {
				api.Services = []model.Service{{Name: "metrics", Provider: model.ProviderNomad}}
			},
			[]expected{{Error, apiMain.Service(0).Child("provider"), `service "api" has provider = "consul"`, ""}},
		},
		"two groups may differ": {
			func(_ *Input, web, _ *model.Group) { web.Services[0].Provider = model.ProviderNomad }, nil,
		},
	})
}

func TestRestartOnReadiness(t *testing.T) {
	restart := func(limit int, interval, grace time.Duration) func(*Input, *model.Group, *model.Group) {
		return checkOf(func(c *model.Check) {
			c.Interval, c.Restart = interval, &model.CheckRestart{Limit: limit, Grace: grace}
		})
	}
	at := webService.Check(0).Child("check_restart").Child("grace")
	check(t, "DG206", map[string]ruleCase{
		"no check_restart": {nothing, nil},
		"no limit":         {restart(0, 10*time.Second, time.Second), nil},
		"the default grace": {
			restart(3, 10*time.Second, time.Second),
			[]expected{{Notice, at, `check "ready" of service "web" restarts an instance that takes longer than 21s to pass (grace 1s + 2 x interval 10s), again and again, though healthy_deadline allows 5m`, `grace = "5m"`}},
		},
		"grace as long as all the failures":   {restart(3, 10*time.Second, 30*time.Second), nil},
		"grace a little shorter":              {restart(3, 10*time.Second, 29*time.Second), []expected{{Notice, at, "longer than 49s", ""}}},
		"the deployment gives up before that": {restart(40, 10*time.Second, time.Second), nil},
		"a check that is about being alive": {
			second(func(_, second *model.Check) {
				second.Path, second.Restart = "/livez", &model.CheckRestart{Limit: 3, Grace: time.Second}
			}), nil,
		},
		"the only check, whatever it is called": {
			checkOf(func(c *model.Check) {
				c.Name, c.Path, c.Restart = "web", "/", &model.CheckRestart{Limit: 3, Grace: time.Second}
			}), []expected{{Notice, at, `check "web"`, ""}},
		},
		"one of two checks, by its path": {
			second(func(first, _ *model.Check) { first.Restart = &model.CheckRestart{Limit: 3, Grace: time.Second} }),
			[]expected{{Notice, at, "longer than 5s", ""}},
		},
	})
}
