package forecast

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// web is a job as the examples have it: one instance, one canary, a check, no
// delay, behind a Traefik with its defaults.
func web(change func(*Input)) Input {
	job := &model.Job{ID: "web", Type: model.JobTypeService, Groups: []model.Group{{
		Name: "web", Count: 1,
		Update:   model.Update{Canary: 1, MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: 10 * time.Second},
		Services: []model.Service{{Name: "web", Provider: model.ProviderConsul, Checks: []model.Check{{Name: "ready", Interval: 2 * time.Second}}}},
		Tasks:    []model.Task{{Name: "server", KillTimeout: 5 * time.Second}},
	}}}
	reading := model.TagReading{Exposed: true, Services: []model.TagService{{Name: "web@consulcatalog", Weight: 1}}}
	in := Input{
		Job: job, Group: "web", Tags: model.ServiceTags{Stable: reading, Canary: reading}, Margin: time.Second, WarmUp: 5 * time.Second,
		Settings: model.ProxySettings{ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second},
	}
	change(&in)
	if in.Service.Name == "" {
		in.Service = job.Groups[0].AllServices()[0]
	}
	return in
}

func group(in *Input) *model.Group { return &in.Job.Groups[0] }

func stable(in *Input) *model.TagReading { return &in.Tags.Stable }

func TestWhatTheGateDoes(t *testing.T) {
	cases := map[string]struct {
		change func(*Input)
		verb   Verb
		why    string
		cure   string
	}{
		"no delay":                  {func(*Input) {}, Holds, "S is 18.5s short of T + L + margin", `shutdown_delay = "19s" at the group`},
		"a delay that is enough":    {func(in *Input) { group(in).ShutdownDelay = 20 * time.Second }, Promotes, "", ""},
		"no canaries":               {func(in *Input) { group(in).Update.Canary = 0 }, NotInForce, "Nomad asks nobody", "canary = 1"},
		"no check":                  {func(in *Input) { group(in).Services[0].Checks = nil }, Holds, "has no check", ""},
		"a check that starts good":  {func(in *Input) { group(in).Services[0].Checks[0].InitialStatus = "passing" }, Holds, "initial_status", ""},
		"watch":                     {func(in *Input) { in.Settings.Watch, group(in).ShutdownDelay = true, time.Minute }, Holds, "watch = true", ""},
		"canaries routed elsewhere": {func(in *Input) { in.Tags.Canary.Services, group(in).ShutdownDelay = nil, time.Minute }, Holds, "canary_tags", ""},
		"retry hides, and no more": {
			func(in *Input) { stable(in).Retry = &model.Retry{Attempts: 4} },
			Holds, "short", `shutdown_delay = "19s" at the group`,
		},
		"the version that runs now counts": {func(in *Input) {
			old := *in.Job
			old.Groups = []model.Group{old.Groups[0]}
			old.Groups[0].ShutdownDelay = 20 * time.Second
			in.Old, in.OldTags = &old, in.Tags
		}, Promotes, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := Of(web(c.change))
			require.Empty(t, f.Unknown)
			require.Equal(t, c.verb, f.Gate, f.Why)
			require.Contains(t, f.Why, c.why)
			require.Equal(t, c.cure, f.Cure)
			require.NotEmpty(t, f.AutoPromote.Story.Steps)
			if c.verb == Promotes {
				require.Zero(t, f.Gated.Loss.Total.Worst)
			}
		})
	}
}

// What is not modelled gets no figure.
func TestWhatIsNotPredicted(t *testing.T) {
	cases := map[string]struct {
		change func(*Input)
		says   string
	}{
		"a system job":            {func(in *Input) { in.Job.Type = model.JobTypeSystem }, "system job"},
		"a batch job":             {func(in *Input) { in.Job.Type = "batch" }, `type "batch"`},
		"no instance":             {func(in *Input) { group(in).Count = 0 }, "count is 0"},
		"health by hand":          {func(in *Input) { group(in).Update.HealthCheck = "manual" }, "manual"},
		"too many batches":        {func(in *Input) { group(in).Count = 200 }, "199 batches"},
		"Nomad's catalog":         {func(in *Input) { group(in).Services[0].Provider = model.ProviderNomad }, "Nomad's own catalog"},
		"the mesh":                {func(in *Input) { group(in).Services[0].Connect = true }, "connect"},
		"no provider":             {func(in *Input) { in.Settings.ConsulCatalog = false }, "not enabled"},
		"stale reads":             {func(in *Input) { in.Settings.Stale = true }, "stale"},
		"cached reads":            {func(in *Input) { in.Settings.Cache = true }, "cache"},
		"no refresh":              {func(in *Input) { in.Settings.RefreshInterval = 0 }, "not above zero"},
		"tags refused":            {func(in *Input) { stable(in).Err = "field not found" }, "field not found"},
		"tags unknown":            {func(in *Input) { in.Tags.Canary.Unknown = "constraints" }, "constraints"},
		"TCP":                     {func(in *Input) { stable(in).NonHTTP = true }, "TCP or UDP"},
		"not exposed":             {func(in *Input) { stable(in).Exposed, stable(in).Excluded = false, "not enabled" }, "does not route to it"},
		"sticky":                  {func(in *Input) { stable(in).Services[0].Sticky = true }, "sticky"},
		"a passive health check":  {func(in *Input) { stable(in).Services[0].Passive = &model.PassiveHealthCheck{} }, "passive"},
		"no weight":               {func(in *Input) { stable(in).Services[0].Weight = 0 }, "weight of 0"},
		"a drain that is no time": {func(in *Input) { in.Job.Meta = map[string]string{"draingate_drain": "six"} }, `"six"`},
		"a group that is new":     {func(in *Input) { in.Old = &model.Job{ID: "web"} }, `no group "web"`},
		"a change of count": {func(in *Input) {
			in.Old = &model.Job{ID: "web", Groups: []model.Group{in.Job.Groups[0]}}
			group(in).Count = 3
		}, "count changes from 1 to 3"},
		"a service that is new": {func(in *Input) {
			in.Old = &model.Job{ID: "web", Groups: []model.Group{{Name: "web", Count: 1}}}
		}, `no service "web"`},
		"another service of Traefik": {func(in *Input) { in.Old = in.Job }, "different services of Traefik"},
		"a group that there is not":  {func(in *Input) { in.Group = "api" }, `no group "api"`},
		"canaries of other weight": {func(in *Input) {
			in.Tags.Canary.Services = []model.TagService{{Name: "web@consulcatalog", Weight: 5}}
		}, "weights"},
		"tags that differ": {func(in *Input) {
			stable(in).Definitions = []model.TagDefinition{{Kind: model.KindRouter, Name: "web", Content: "a"}}
			in.Tags.Canary.Definitions = []model.TagDefinition{{Kind: model.KindRouter, Name: "web", Content: "b"}}
		}, "404"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := Of(web(c.change))
			require.Contains(t, f.Unknown, c.says)
			require.Empty(t, f.AutoPromote)
			require.Empty(t, f.Gate)
		})
	}
}

func TestNotesSayWhatTheFiguresRestOn(t *testing.T) {
	cases := map[string]struct {
		change func(*Input)
		says   string
	}{
		"auto_promote is asked for":   {func(in *Input) { group(in).Update.AutoPromote = true }, "cannot hold"},
		"auto_promote is not set":     {func(*Input) {}, "auto_promote is not set"},
		"everything at once":          {func(in *Input) { group(in).Update = model.Update{} }, "max_parallel = 0"},
		"a warm-up that is unknown":   {func(in *Input) { group(in).Services[0].Checks, in.WarmUp = nil, 0 }, "--warm-up is not given: what they answer"},
		"a hole of unknown length":    {func(in *Input) { group(in).Update.Canary, in.WarmUp = 0, 0 }, "that much longer"},
		"watch":                       {func(in *Input) { in.Settings.Watch = true }, "180s"},
		"a health check of its own":   {func(in *Input) { stable(in).Services[0].HealthCheck = &model.HealthCheck{Interval: time.Second} }, "from the stop signal on"},
		"retry":                       {func(in *Input) { stable(in).Retry = &model.Retry{Attempts: 3} }, "retry"},
		"another group with canaries": {func(in *Input) { in.Job.Groups = append(in.Job.Groups, in.Job.Groups[0]) }, "the slowest"},
		"requests that take a while":  {func(in *Input) { in.Job.Meta = map[string]string{"draingate_max_request": "3s"} }, "last 3s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := Of(web(c.change))
			require.Empty(t, f.Unknown)
			require.Contains(t, strings.Join(f.Notes, "\n"), c.says)
		})
	}
}

// Each way in which an instance can be routed too early, or too late, shows on
// the start side.
func TestStartSide(t *testing.T) {
	quiet := func(in *Input) { group(in).ShutdownDelay = 30 * time.Second }
	loses := map[string]func(*Input){
		"no check":                     func(in *Input) { quiet(in); group(in).Services[0].Checks = nil },
		"a check that starts good":     func(in *Input) { quiet(in); group(in).Services[0].Checks[0].InitialStatus = "warning" },
		"a proxy that takes critical":  func(in *Input) { quiet(in); in.Settings.StrictChecks = []string{"any"} },
		"health that asks no check":    func(in *Input) { group(in).Update.HealthCheck, in.WarmUp = "task_states", 20*time.Second },
		"a check that is ignored":      func(in *Input) { group(in).Services[0].Checks[0].OnUpdate, in.WarmUp = "ignore", 20*time.Second },
		"canaries that join too late":  func(in *Input) { in.Tags.Canary.Services = nil },
		"no canaries":                  func(in *Input) { quiet(in); group(in).Update.Canary = 0 },
		"a short time in Nomad's eyes": func(in *Input) { group(in).Update.MinHealthyTime = time.Second },
	}
	for name, change := range loses {
		t.Run(name, func(t *testing.T) { require.NotZero(t, Of(web(change)).AutoPromote.Loss.Start.Worst) })
	}
	t.Run("none of these", func(t *testing.T) { require.Zero(t, Of(web(quiet)).AutoPromote.Loss.Total.Worst) })
}

// A gate that holds cannot help where new instances are routed before they are
// ready: that is lost before anyone is asked.
func TestAHoldDoesNotHideWhatWarmingInstancesAnswer(t *testing.T) {
	f := Of(web(func(in *Input) { group(in).Services[0].Checks = nil }))
	require.Equal(t, Holds, f.Gate)
	require.NotZero(t, f.Gated.Loss.Start.Worst)
	require.Zero(t, f.Gated.Loss.Stop.Worst)
}

// Nomad's health asks the checks of all services of the group, so a slow one of
// another service leaves the proxy more time.
func TestChecksOfOtherServices(t *testing.T) {
	with := func(c model.Check) Deploy {
		return Of(web(func(in *Input) {
			g := group(in)
			in.Service = g.Services[0]
			g.Services = append(g.Services, model.Service{Name: "admin", Provider: model.ProviderConsul, Checks: []model.Check{c}})
		})).Deploy
	}
	slow := with(model.Check{Interval: 30 * time.Second})
	ignored := with(model.Check{Interval: 30 * time.Second, OnUpdate: "ignore"})
	require.Equal(t, 30*time.Second, slow.Others)
	require.Zero(t, ignored.Others)
	require.Less(t, slow.AutoPromote().Loss.Start.Mean, ignored.AutoPromote().Loss.Start.Mean)
}

// A service at task level stays in the catalog for its group's delay, and the
// delay of its task alone is servable time.
func TestLevels(t *testing.T) {
	d := Of(web(func(in *Input) {
		g := group(in)
		g.ShutdownDelay, g.Tasks[0].ShutdownDelay = 4*time.Second, 7*time.Second
		g.Tasks[0].Services, g.Services = g.Services, nil
		g.Tasks[0].Services[0].Task = "server"
		in.Job.Meta = map[string]string{"draingate_drain": "2s"}
	})).Deploy
	require.Equal(t, 4*time.Second, d.Lead)
	require.Equal(t, 9*time.Second, d.Served)
	require.Equal(t, 2*time.Second, d.Drain)
}

// A request that outlasts its instance is lost, also one that was sent before.
func TestLongRequestsAreCutOff(t *testing.T) {
	loss := func(longest string) time.Duration {
		return Of(web(func(in *Input) {
			group(in).ShutdownDelay, in.Job.Meta = 18*time.Second, map[string]string{"draingate_max_request": longest}
		})).AutoPromote.Loss.Total.Worst
	}
	require.Zero(t, loss("0s"))
	require.NotZero(t, loss("10s"))
	require.Greater(t, loss("15s"), loss("10s"))
}

// Without canaries an old instance is told to stop at the submission: what was
// sent before and is under way is lost with it, all of it where there is no
// other.
func TestRequestsOfBeforeTheSubmissionCount(t *testing.T) {
	at := func(request time.Duration) Outcome {
		d := Of(web(func(in *Input) { group(in).Update.Canary = 0 })).Deploy
		d.Request = request
		return d.AutoPromote()
	}
	short, long := at(0), at(20*time.Second)
	require.Zero(t, short.Story.Begin())
	require.Equal(t, -20*time.Second, long.Story.Begin(), "it has no delay")
	require.Equal(t, 20*time.Second, (long.Loss.Total.Worst - short.Loss.Total.Worst).Round(time.Millisecond))
}
