package drain

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
)

var polled = model.ProxySettings{Source: "process", ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second}

func TestTimeToStopRouting(t *testing.T) {
	cases := map[string]struct {
		settings model.ProxySettings
		load     time.Duration
		shown    time.Duration
		want     time.Duration
	}{
		"Traefik's defaults and a quick catalog":   {polled, 10 * time.Millisecond, 0, 17520 * time.Millisecond},
		"a short interval still pays the throttle": {with(func(s *model.ProxySettings) { s.RefreshInterval = 2 * time.Second }), 0, 0, 4500 * time.Millisecond},
		"no throttle": {with(func(s *model.ProxySettings) { s.Throttle = 0 }), 0, 0, 15500 * time.Millisecond},
		"a load that is longer than the interval":      {with(func(s *model.ProxySettings) { s.RefreshInterval = time.Second }), 3 * time.Second, 0, 11500 * time.Millisecond},
		"what was shown is more than the settings say": {polled, 0, 25 * time.Second, 25 * time.Second},
		"what was shown is less than the settings say": {polled, 0, 3 * time.Second, 17500 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, terms := TimeToStopRouting(c.settings, model.Load{Services: 5, Took: c.load}, c.shown)
			require.Equal(t, c.want, got)
			require.Equal(t, got, sum(terms), "the terms must add up to T")
		})
	}
}

func with(change func(*model.ProxySettings)) model.ProxySettings {
	s := polled
	change(&s)
	return s
}

func TestNotPredictable(t *testing.T) {
	require.Empty(t, NotPredictable(polled))
	cases := map[string]struct {
		change func(*model.ProxySettings)
		says   string
	}{
		"watch":       {func(s *model.ProxySettings) { s.Watch = true }, "180s"},
		"stale":       {func(s *model.ProxySettings) { s.Stale = true }, "lags behind"},
		"cache":       {func(s *model.ProxySettings) { s.Cache = true }, "cache"},
		"no provider": {func(s *model.ProxySettings) { s.ConsulCatalog = false }, "not enabled"},
		"no interval": {func(s *model.ProxySettings) { s.RefreshInterval = 0 }, "not above zero"},
		"negative":    {func(s *model.ProxySettings) { s.Throttle = -time.Second }, "below zero"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { require.Contains(t, NotPredictable(with(c.change)), c.says) })
	}
}

// alloc is an old allocation with two tasks; the change is made to its job.
func alloc(change func(*model.Job)) model.Allocation {
	j := &model.Job{ID: "web", Version: 3, ModifyIndex: 50, Meta: map[string]string{}, Groups: []model.Group{{
		Name: "web", ShutdownDelay: 6 * time.Second,
		Services: []model.Service{{Name: "web"}},
		Tasks: []model.Task{
			{Name: "server", ShutdownDelay: 4 * time.Second, KillTimeout: 10 * time.Second, Services: []model.Service{{Name: "admin", Task: "server"}}},
			{Name: "proxy", ShutdownDelay: time.Second, KillTimeout: 20 * time.Second, Hook: "prestart", Sidecar: true},
			{Name: "migrate", Hook: "prestart"},
		},
	}}}
	if change != nil {
		change(j)
	}
	return model.Allocation{ID: "5c1f8e2a-0000", Group: "web", CreateIndex: 60, Job: j}
}

func TestServableTime(t *testing.T) {
	drain := func(text string) func(*model.Job) {
		return func(j *model.Job) { j.Meta[MetaDrain] = text }
	}
	group, task := model.Service{Name: "web"}, model.Service{Name: "admin", Task: "server"}
	cases := map[string]struct {
		alloc model.Allocation
		svc   model.Service
		want  time.Duration
	}{
		"a group service has the group's delay and the smallest of its tasks": {alloc(nil), group, 7 * time.Second},
		"a task service has its task's delay alone":                           {alloc(nil), task, 4 * time.Second},
		"a declared drain is added":                                           {alloc(drain("5s")), task, 9 * time.Second},
		"a declared drain ends at kill_timeout":                               {alloc(drain("1m")), task, 14 * time.Second},
		"a group service's drain ends at the smallest kill_timeout":           {alloc(drain("15s")), group, 17 * time.Second},
		"a declared drain ends at the client's limit":                         {alloc(func(j *model.Job) { drain("2m")(j); j.Groups[0].Tasks[0].KillTimeout = time.Hour }), task, 34 * time.Second},
		"the group's meta goes before the job's":                              {alloc(func(j *model.Job) { drain("5s")(j); j.Groups[0].Meta = map[string]string{MetaDrain: "2s"} }), task, 6 * time.Second},
		"a job changed in place after the start has no declared drain":        {alloc(func(j *model.Job) { drain("5s")(j); j.ModifyIndex = 61 }), task, 4 * time.Second},
		"a drain of zero is none":                                             {alloc(drain("0s")), task, 4 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, terms, err := ServableTime(c.alloc, c.svc)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, got, sum(terms), "the terms must add up to S")
		})
	}
}

func TestServableTimeRefuses(t *testing.T) {
	group := model.Service{Name: "web"}
	cases := map[string]struct {
		alloc model.Allocation
		svc   model.Service
		says  string
	}{
		"a drain that is not a duration":  {alloc(func(j *model.Job) { j.Meta[MetaDrain] = "six" }), group, `"six"`},
		"a negative drain":                {alloc(func(j *model.Job) { j.Meta[MetaDrain] = "-6s" }), group, `"-6s"`},
		"an allocation without its job":   {model.Allocation{ID: "5c1f8e2a-0000", Group: "web"}, group, "not known"},
		"a service of a task that is not": {alloc(nil), model.Service{Name: "x", Task: "none"}, "no task"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, _, err := ServableTime(c.alloc, c.svc)
			require.ErrorContains(t, err, c.says)
			require.Zero(t, s)
		})
	}
}

func input(a model.Allocation) Input {
	return Input{Proxy: "p", Settings: model.Seen(polled, time.Unix(1, 0)), Load: model.Seen(model.Load{}, time.Unix(1, 0)),
		Allocation: a, Service: model.Service{Name: "web"}, Margin: time.Second}
}

func TestVerdict(t *testing.T) {
	delay := func(d time.Duration) model.Allocation {
		return alloc(func(j *model.Job) { j.Groups[0].ShutdownDelay = d })
	}
	retry := model.TagReading{Retry: &model.Retry{Attempts: 4}}
	once := model.TagReading{Retry: &model.Retry{Attempts: 1}}
	health := model.TagReading{Services: []model.TagService{{HealthCheck: &model.HealthCheck{Interval: time.Second}}}}
	cases := map[string]struct {
		in   Input
		want model.Verdict
	}{
		"S = T + margin exactly":            {input(delay(17500 * time.Millisecond)), model.VerdictSafe},
		"a millisecond less":                {input(delay(17499 * time.Millisecond)), model.VerdictUnsafe},
		"retry only masks":                  {tagged(input(delay(0)), retry), model.VerdictMasked},
		"one attempt is no retry":           {tagged(input(delay(0)), once), model.VerdictUnsafe},
		"a health check only masks":         {tagged(input(delay(0)), health), model.VerdictMasked},
		"retry does not spoil what is safe": {tagged(input(delay(30*time.Second)), retry), model.VerdictSafe},
		"settings that are not known":       {Input{Allocation: delay(time.Hour), Load: model.Seen(model.Load{}, time.Unix(1, 0))}, model.VerdictUnknown},
		"L that is not a duration":          {input(alloc(func(j *model.Job) { j.Meta[MetaMaxRequest] = "x" })), model.VerdictUnknown},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := Window(c.in)
			require.Equal(t, c.want, w.Verdict, w.Why)
			require.Equal(t, c.want == model.VerdictSafe, w.Why == "", "only Safe has nothing to explain")
		})
	}
}

func tagged(in Input, tags model.TagReading) Input {
	in.Tags = tags
	return in
}

// Whatever the figures, the cure that is named is whole seconds, is enough,
// and one second less is not.
func TestPropCureIsTheSmallestThatDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Millisecond
		}
		a := alloc(func(j *model.Job) {
			j.Groups[0].ShutdownDelay, j.Groups[0].Tasks[0].ShutdownDelay = ms("group delay", 9000), ms("task delay", 9000)
			j.Meta[MetaMaxRequest], j.Meta[MetaDrain] = ms("L", 5000).String(), ms("drain", 5000).String()
		})
		in := input(a)
		in.Service = rapid.SampledFrom([]model.Service{{Name: "web"}, {Name: "admin", Task: "server"}}).Draw(t, "service")
		in.Settings.Value.RefreshInterval = 10*time.Second + ms("refresh", 60_000)
		w := Window(in)
		if w.Verdict != model.VerdictUnsafe {
			return
		}
		cure, _ := Cure(w, a, in.Service)
		if cure%time.Second != 0 {
			t.Fatalf("cure %s is not whole seconds", cure)
		}
		if got := Window(delayed(in, cure)); got.Verdict != model.VerdictSafe {
			t.Fatalf("cure %s is not enough: S %s T %s", cure, got.S, got.T)
		}
		if got := Window(delayed(in, cure-time.Second)); got.Verdict == model.VerdictSafe {
			t.Fatalf("one second less than %s would do", cure)
		}
	})
}

// delayed is the input after the cure was submitted in place.
func delayed(in Input, d time.Duration) Input {
	j := *in.Allocation.Job
	g := j.Groups[0]
	g.Tasks = append([]model.Task(nil), g.Tasks...)
	if in.Service.Task == "" {
		g.ShutdownDelay = d
	} else {
		g.Tasks[0].ShutdownDelay = d
	}
	j.Groups, j.ModifyIndex = []model.Group{g}, in.Allocation.CreateIndex+1
	in.Allocation.Job = &j
	return in
}

// More of anything that helps never turns Safe into something else.
func TestPropVerdictIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := input(alloc(func(j *model.Job) {
			j.Groups[0].ShutdownDelay = time.Duration(rapid.IntRange(0, 40_000).Draw(t, "delay")) * time.Millisecond
		}))
		in.Load.Value.Took = time.Duration(rapid.IntRange(0, 3000).Draw(t, "load")) * time.Millisecond
		safe := Window(in).Verdict == model.VerdictSafe
		better := in
		better.Settings.Value.RefreshInterval /= 2
		worse := in
		worse.Shown = time.Duration(rapid.IntRange(0, 60).Draw(t, "shown")) * time.Second
		if safe && Window(better).Verdict != model.VerdictSafe {
			t.Fatal("a shorter interval made it worse")
		}
		if !safe && Window(worse).Verdict == model.VerdictSafe {
			t.Fatal("a longer time shown made it better")
		}
	})
}

func TestTimeUnderWay(t *testing.T) {
	s := model.ProxySettings{RefreshInterval: time.Hour, Watch: true, Throttle: 2 * time.Second}
	require.Equal(t, 3200*time.Millisecond, TimeUnderWay(s, model.Load{Took: 700 * time.Millisecond}))
}
