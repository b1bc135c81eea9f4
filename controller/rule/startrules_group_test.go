package rule

import (
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// sized sets count, canary and max_parallel of the group web.
func sized(count, canary, maxParallel int) func(*Input, *model.Group, *model.Group) {
	return func(_ *Input, web, _ *model.Group) {
		web.Count, web.Update.Canary, web.Update.MaxParallel = count, canary, maxParallel
	}
}

// both applies one change after another.
func both(changes ...func(*Input, *model.Group, *model.Group)) func(*Input, *model.Group, *model.Group) {
	return func(in *Input, web, api *model.Group) {
		for _, change := range changes {
			change(in, web, api)
		}
	}
}

func mode(text string) func(*Input, *model.Group, *model.Group) {
	return func(in *Input, _, _ *model.Group) {
		in.Job.Meta = nil
		if text != "" {
			in.Job.Meta = map[string]string{metaMode: text}
		}
	}
}

func unrouted(in *Input, _, _ *model.Group) { in.Tags[webService] = Tags{} }

func jobType(kind string) func(*Input, *model.Group, *model.Group) {
	return func(in *Input, _, _ *model.Group) { in.Job.Type = kind }
}

func TestNoCanary(t *testing.T) {
	const at = `group["web"].update.canary`
	volume := model.Volume{Name: "data", Type: model.VolumeCSI, AccessMode: model.AccessSingleNodeWriter}
	check(t, "DG207", map[string]ruleCase{
		"canaries":         {nothing, nil},
		"the one instance": {sized(1, 0, 1), []expected{{Error, at, "stops 1 of 1 instances (max_parallel = 1) before their replacements start, and nothing serves until", "canary = 1"}}},
		"all at once":      {sized(3, 0, 5), []expected{{Error, at, "stops 3 of 3 instances (max_parallel = 5)", "canary = 3"}}},
		"one by one, and the gate is asked for": {
			sized(3, 0, 1), []expected{{Warning, at, `stops 1 of 3 instances (max_parallel = 1) before their replacements start; Nomad asks nobody, so draingate_mode = "enforce" has nothing to act on`, "canary = 3"}},
		},
		"one by one": {both(mode(""), sized(3, 0, 1)), []expected{{Notice, at, "2 of 3 serve meanwhile", ""}}},
		"a volume that canaries cannot have": {
			both(sized(1, 0, 1), func(_ *Input, web, _ *model.Group) { web.Volumes = []model.Volume{volume} }),
			[]expected{{Error, at, `canaries are no way out: volume "data": access_mode "single-node-writer"`, ""}},
		},
		"nothing is routed":                  {both(sized(1, 0, 1), unrouted), nil},
		"a system job is another rule's":     {both(sized(1, 0, 1), jobType(model.JobTypeSystem)), nil},
		"max_parallel = 0 is another rule's": {sized(1, 0, 0), nil},
		"a group of none":                    {sized(0, 0, 1), nil},
	})
}

func TestCanaryBelowCount(t *testing.T) {
	const at = `group["web"].update.canary`
	check(t, "DG208", map[string]ruleCase{
		"as many canaries": {nothing, nil},
		"more canaries":    {sized(3, 4, 1), nil},
		"one of three": {
			sized(3, 1, 1),
			[]expected{{Notice, at, "canary = 1 of count = 3: promotion stops 2 old instances at once (canary 1 + max_parallel 1), 2 of 3 serve until the next ones pass, and 2 are replaced stop before start", "canary = 3"}},
		},
		"no old instance is left": {sized(5, 1, 4), []expected{{Notice, at, "stops 5 old instances at once (canary 1 + max_parallel 4), 1 of 5 serve", "canary = 5"}}},
		"no more than there are":  {sized(3, 1, 5), []expected{{Notice, at, "stops 3 old instances at once (canary 1 + max_parallel 5), 1 of 3 serve", ""}}},
		"nothing is routed":       {both(sized(3, 1, 1), unrouted), nil},
	})
}

// against is the good job, changed, as the version that runs.
func against(change func(web, api *model.Group)) func(*Input, *model.Group, *model.Group) {
	return func(in *Input, _, _ *model.Group) {
		old := good()
		change(&old.Job.Groups[0], &old.Job.Groups[1])
		in.Against = &old
	}
}

func TestCheckEditedInPlace(t *testing.T) {
	interval := func(web, _ *model.Group) { web.Services[0].Checks[0].Interval = 5 * time.Second }
	after := func(change func(in *Input, web *model.Group)) func(*Input, *model.Group, *model.Group) {
		return func(in *Input, web, _ *model.Group) { change(in, web) }
	}
	edited := []expected{{Unknown, webService.Check(0), `check "ready" of service "web" is not what runs now: unless`, ""}}
	check(t, "DG209", map[string]ruleCase{
		"nothing to compare with": {nothing, nil},
		"nothing changed":         {against(func(_, _ *model.Group) {}), nil},
		"an interval": {
			against(interval), []expected{{Unknown, webService.Check(0), "on all 3 instances at once and none is passing for up to 2s", ""}},
		},
		"a name":                {against(func(web, _ *model.Group) { web.Services[0].Checks[0].Name = "old" }), edited},
		"a check that is added": {against(func(web, _ *model.Group) { web.Services[0].Checks = nil }), edited},
		"the port of its service": {
			against(func(web, _ *model.Group) { web.Services[0].PortLabel = "admin" }), edited,
		},
		"at task level": {
			against(func(_, api *model.Group) { api.Tasks[0].Services[0].Checks[0].Path = "/" }),
			[]expected{{Unknown, apiMain.Service(0).Check(0), `service "api"`, ""}},
		},
		"a check that is removed": {
			against(func(web, _ *model.Group) {
				web.Services[0].Checks = append(web.Services[0].Checks, model.Check{Name: "old"})
			}), nil,
		},
		"only what no ID has in it": {
			against(func(web, _ *model.Group) {
				web.Services[0].Checks[0].InitialStatus, web.Services[0].Checks[0].RestartLimit = "critical", 3
			}), nil,
		},
		"it starts as passing": {
			both(against(interval), checkOf(func(c *model.Check) { c.InitialStatus = "passing" })), nil,
		},
		"a new service":     {against(func(web, _ *model.Group) { web.Services[0].Name = "old" }), nil},
		"a new group":       {against(func(web, _ *model.Group) { web.Name = "old" }), nil},
		"with a new driver": {against(func(web, api *model.Group) { interval(web, api); web.Tasks[0].Driver = "exec" }), nil},
		"with a new task":   {both(against(interval), after(func(_ *Input, web *model.Group) { web.Tasks = append(web.Tasks, model.Task{Name: "more"}) })), nil},
		"with a task less": {
			against(func(web, api *model.Group) {
				interval(web, api)
				web.Tasks = append(web.Tasks, model.Task{Name: "more"})
			}), nil,
		},
		"with a renamed task":      {both(against(interval), after(func(_ *Input, web *model.Group) { web.Tasks[0].Name = "renamed" })), nil},
		"with new meta of the job": {both(against(interval), after(func(in *Input, _ *model.Group) { in.Job.Meta["revision"] = "2" })), nil},
		"with a new template":      {both(against(interval), after(func(_ *Input, web *model.Group) { web.Tasks[0].Templates = []model.Template{{Data: "x"}} })), nil},
		"with a new port":          {both(against(interval), after(func(_ *Input, web *model.Group) { web.Networks = []model.Network{{Ports: []model.Port{{Label: "b"}}}} })), nil},
		"with a larger count":      {both(against(interval), sized(4, 4, 1)), edited},
		"with another delay":       {both(against(interval), after(func(_ *Input, web *model.Group) { web.ShutdownDelay = 30 * time.Second })), edited},
		"with the ports in other order": {
			both(against(func(web, api *model.Group) {
				interval(web, api)
				web.Networks = []model.Network{{Ports: []model.Port{{Label: "a"}, {Label: "b"}}}}
			}), after(func(_ *Input, web *model.Group) {
				web.Networks = []model.Network{{Ports: []model.Port{{Label: "b"}, {Label: "a"}}}}
			})), edited,
		},
	})
}
