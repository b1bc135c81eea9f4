package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func at() time.Time { return time.Unix(1000, 0) }

// web is a job of one routed service that needs nothing but a long enough delay.
func web(delay time.Duration) *model.Job {
	return &model.Job{
		ID: "web", Namespace: "default", Type: model.JobTypeService, Version: 3, ModifyIndex: 30,
		Groups: []model.Group{{
			Name: "web", Count: 1, ShutdownDelay: delay,
			Update: model.Update{Canary: 1, MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: 10 * time.Second, HealthyDeadline: 5 * time.Minute, ProgressDeadline: 10 * time.Minute},
			Services: []model.Service{{
				Name: "web", Provider: model.ProviderConsul, PortLabel: "http", Tags: []string{"traefik.enable=true"},
				Checks: []model.Check{{Name: "ready", Type: "http", Path: "/readyz", Interval: 2 * time.Second, Timeout: time.Second}},
			}},
			Tasks:    []model.Task{{Name: "web", Driver: "docker", KillTimeout: 5 * time.Second}},
			Networks: []model.Network{{}},
		}},
	}
}

func proxy(name string, refresh time.Duration) model.Proxy {
	return model.Proxy{Name: name, Version: "3.6.12", Settings: model.Seen(model.ProxySettings{
		Source: "process", ConsulCatalog: true, RefreshInterval: refresh, Throttle: 2 * time.Second,
		StrictChecks: []string{"passing", "warning"}, ExposedByDefault: true, Prefix: "traefik",
	}, at())}
}

func world(proxies ...model.Proxy) World {
	return World{Proxies: model.Seen(proxies, at()), Load: model.Seen(model.Load{Services: 3, Took: 100 * time.Millisecond}, at())}
}

// lines are rule, severity, path and proxies of each finding.
func lines(all []Finding) []string {
	var out []string
	for _, f := range all {
		out = append(out, fmt.Sprintf("%s %s %s %v", f.Rule, f.Severity, f.Path, f.Proxies))
	}
	return out
}

const delayed = `group["web"].shutdown_delay`

func TestFindings(t *testing.T) {
	mute := proxy("c", 2*time.Second)
	mute.Settings = model.Unseen[model.ProxySettings](at(), "403 Forbidden")
	alternating := proxy("d", 2*time.Second)
	alternating.Ambiguous = "answers for two"
	watches := proxy("e", 2*time.Second)
	watches.Settings.Value.Watch = true
	other := proxy("f", time.Minute)
	other.Settings.Value.Prefix, other.Settings.Value.ExposedByDefault = "internal", false
	noLoad := world(proxy("a", 2*time.Second))
	noLoad.Load = model.Unseen[model.Load](at(), "consul is down")
	ignored := web(0)
	ignored.Meta = map[string]string{"draingate_ignore_DG101": "nobody calls it"}
	private := web(0)
	private.Groups[0].Services[0].Tags = []string{"traefik.enable=false"}
	bare := web(0)
	bare.Groups[0].Services = nil
	tests := map[string]struct {
		job  *model.Job
		w    World
		want []string
	}{
		"a sound job":                             {web(20 * time.Second), world(proxy("a", 15*time.Second)), nil},
		"a delay that is too short":               {web(6 * time.Second), world(proxy("a", 15*time.Second)), []string{"DG101 error " + delayed + " [a]"}},
		"proxies of one kind are named together":  {web(6 * time.Second), world(proxy("b", 15*time.Second), proxy("a", 15*time.Second)), []string{"DG101 error " + delayed + " [a b]"}},
		"the proxies behind which it is so":       {web(6 * time.Second), world(proxy("a", 2*time.Second), proxy("b", 15*time.Second)), []string{"DG101 error " + delayed + " [b]"}},
		"settings that are not known":             {web(20 * time.Second), world(proxy("a", 15*time.Second), mute), []string{"DG503 unknown  [c]"}},
		"an address of several processes":         {web(20 * time.Second), world(proxy("a", 15*time.Second), alternating), []string{"DG503 unknown  [d]"}},
		"no settings at all: the defaults":        {web(6 * time.Second), world(mute), []string{"DG503 unknown  [c]", "DG101 error " + delayed + " []"}},
		"no proxy at all":                         {web(20 * time.Second), world(), []string{"DG503 unknown  []"}},
		"a proxy set that cannot be read":         {web(20 * time.Second), World{Proxies: model.Unseen[[]model.Proxy](at(), "no"), Load: world().Load}, []string{"DG503 unknown  []"}},
		"a load that is not measured":             {web(20 * time.Second), noLoad, []string{"DG503 unknown  []"}},
		"settings are a finding of a routed job":  {web(20 * time.Second), world(watches), []string{"DG501 warning  [e]"}},
		"and of no other":                         {private, world(watches), nil},
		"a job without services asks for nothing": {bare, world(mute), nil},
		"an ignore with a reason is in force":     {ignored, world(proxy("a", 15*time.Second)), nil},
		"a proxy that does not route to it":       {web(6 * time.Second), world(proxy("a", 2*time.Second), other), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(New(time.Second).Findings(tt.job, nil, tt.w))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheWorstProxyHasTheSay(t *testing.T) {
	found := New(time.Second).Findings(web(0), nil, world(proxy("a", 2*time.Second), proxy("b", 30*time.Second), proxy("c", 15*time.Second)))
	require.Equal(t, []string{"DG101 error " + delayed + " [a b c]"}, lines(found))
	require.Contains(t, found[0].Message, "T = 32.7s", "refreshInterval, throttle, two loads and the time to apply of b")
	require.Contains(t, found[0].Message, "two loads of the catalog 200ms")
}

func snapshot(next, old *model.Job, proxies ...model.Proxy) model.Snapshot {
	s := model.Snapshot{Job: model.Seen(*next, at()), Proxies: model.Seen(proxies, at()), Load: world().Load}
	if old != nil {
		s.Allocations = model.Seen([]model.Allocation{{ID: "1", ClientStatus: "running", Job: old}, {ID: "2", ClientStatus: "running", Job: next}}, at())
	}
	return s
}

func TestCondition(t *testing.T) {
	canary := web(20 * time.Second)
	canary.Groups[0].Count = 2
	mute := proxy("c", 2*time.Second)
	mute.Settings = model.Unseen[model.ProxySettings](at(), "403 Forbidden")
	running := web(20 * time.Second)
	running.Version = 2
	running.Groups[0].Services[0].Tags = []string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`old`)"}
	renamed := web(20 * time.Second)
	renamed.Groups[0].Services[0].Tags = []string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`new`)"}
	unread := snapshot(web(0), nil)
	unread.Job = model.Unseen[model.Job](at(), "Nomad is away")
	tests := map[string]struct {
		s      model.Snapshot
		status model.ConditionStatus
		reason model.Reason
		says   string
	}{
		"nothing is found":       {snapshot(web(20*time.Second), nil, proxy("a", 15*time.Second)), model.True, ReasonNoFindings, "no rule finds anything"},
		"an error":               {snapshot(web(0), nil, proxy("a", 15*time.Second)), model.False, ReasonHasErrors, `1 error (DG101); DG101: group["web"].shutdown_delay: service "web"`},
		"only notices":           {snapshot(canary, nil, proxy("a", 15*time.Second)), model.True, ReasonHasWarnings, "1 notice (DG208); DG208: "},
		"something is not known": {snapshot(web(20*time.Second), nil, mute), model.Unknown, ReasonHasUnknowns, "1 unknown (DG503); DG503: the settings of Traefik c are not known (403 Forbidden)"},
		"the job is not known":   {unread, model.Unknown, ReasonJobUnknown, "Nomad is away"},
		"a difference to the version that runs": {snapshot(renamed, running, proxy("a", 15*time.Second)), model.False, ReasonHasErrors,
			"(compared with version 2, which runs)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := New(time.Second).Condition(tt.s)
			require.Equal(t, model.JobSound, c.Type)
			require.Equal(t, tt.status, c.Status, c.Message)
			require.Equal(t, tt.reason, c.Reason)
			require.Contains(t, c.Message, tt.says)
			require.Contains(t, Reasons(), c.Reason)
		})
	}
}

func TestRunningIsTheNewestOtherVersion(t *testing.T) {
	job := func(version uint64) *model.Job { return &model.Job{Version: version} }
	s := model.Snapshot{Job: model.Seen(*job(5), at()), Allocations: model.Seen([]model.Allocation{
		{Job: job(2), ClientStatus: "running"}, {Job: job(5), ClientStatus: "running"}, {Job: job(3), ClientStatus: "running"},
		{Job: job(4), ClientStatus: "complete"}, {ClientStatus: "running"},
	}, at())}
	require.Equal(t, uint64(3), Running(s).Version)
	s.Allocations.Value = s.Allocations.Value[1:2]
	require.Nil(t, Running(s))
}

// BenchmarkCondition is what one pass would cost if nothing were remembered.
func BenchmarkCondition(b *testing.B) {
	for _, n := range []int{1, 10} {
		b.Run(fmt.Sprintf("groups=%d", n), func(b *testing.B) {
			next, old := web(20*time.Second), web(20*time.Second)
			for i := 1; i < n; i++ {
				g := next.Groups[0]
				g.Name = fmt.Sprint("web", i)
				next.Groups, old.Groups = append(next.Groups, g), append(old.Groups, g)
			}
			old.Version = 2
			j, s := New(time.Second), snapshot(next, old, proxy("a", 15*time.Second), proxy("b", 15*time.Second))
			b.ReportAllocs()
			for b.Loop() {
				if c := j.Condition(s); c.Reason == "" {
					b.Fatal(c)
				}
			}
		})
	}
}
