package rule

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
)

// hostile draws jobs that no Nomad would accept: empty and equal names, figures
// below zero and beyond any bound, blocks that name nothing.
type hostile struct{ t *rapid.T }

func pick[T any](h hostile, of ...T) T { return rapid.SampledFrom(of).Draw(h.t, "pick") }

func (h hostile) name() string {
	return pick(h, "web", "web", "", "server", "a.b[\"c\"]", "${JOB}", "naïve\n", "traefik.enable=true")
}
func (h hostile) figure() int { return pick(h, 0, 1, 1, 3, -1, math.MaxInt, math.MinInt) }
func (h hostile) span() time.Duration {
	return pick(h, 0, time.Second, 10*time.Second, time.Minute, -time.Second, math.MaxInt64, math.MinInt64, 1)
}
func (h hostile) yes() bool { return rapid.Bool().Draw(h.t, "yes") }

func (h hostile) meta() map[string]string {
	out := map[string]string{}
	for range rapid.IntRange(0, 2).Draw(h.t, "keys") {
		key := pick(h, slices.Concat(metaKeys(), []string{"", "draingate", "draingate_", MetaIgnore, MetaIgnore + "DG101", "DrainGate-Mode", "x"})...)
		out[key] = pick(h, "", "enforce", "observe", "off", "6s", "-6s", "9999999h", "x", "6")
	}
	return out
}

func (h hostile) check() model.Check {
	c := model.Check{
		Name: h.name(), Type: h.name(), Path: h.name(), PortLabel: h.name(), Interval: h.span(), Timeout: h.span(),
		InitialStatus: pick(h, "", "passing", "warning", "x"), OnUpdate: pick(h, "", "ignore", "x"), RestartLimit: h.figure(),
	}
	if h.yes() {
		c.Restart = &model.CheckRestart{Limit: h.figure(), Grace: h.span()}
	}
	return c
}

func (h hostile) service() model.Service {
	s := model.Service{
		Name: h.name(), Provider: pick(h, "consul", "nomad", ""), Task: h.name(), PortLabel: h.name(), ForTask: h.name(), Connect: h.yes(),
		Tags: []string{h.name()}, OnUpdate: "ignore",
	}
	for range rapid.IntRange(0, 2).Draw(h.t, "checks") {
		s.Checks = append(s.Checks, h.check())
	}
	return s
}

func (h hostile) task() model.Task {
	t := model.Task{
		Name: h.name(), Driver: pick(h, "exec", "docker", ""), Hook: pick(h, "", "", "prestart", "x"), Sidecar: h.yes(),
		ShutdownDelay: h.span(), KillTimeout: h.span(), Meta: h.meta(), Networks: h.networks(),
	}
	for range rapid.IntRange(0, 2).Draw(h.t, "of task") {
		t.Services = append(t.Services, h.service())
		t.Templates = append(t.Templates, model.Template{
			Data: pick(h, "", "{{ key `", "{{", "}}{{/*", `[[ key "a" ]]`, `{{ service "\`), Source: h.name(), ChangeMode: "restart", Splay: h.span(),
		})
	}
	return t
}

func (h hostile) networks() []model.Network {
	return []model.Network{{Mode: h.name(), Ports: []model.Port{{Label: h.name(), Static: h.figure()}, {Label: h.name()}}}}
}

func (h hostile) group() model.Group {
	g := model.Group{
		Name: h.name(), Count: h.figure(), Meta: h.meta(), ShutdownDelay: h.span(), Networks: h.networks(), DistinctHosts: h.yes(),
		EphemeralDisk: model.EphemeralDisk{Sticky: h.yes(), Migrate: h.yes()},
		Update: model.Update{
			Canary: h.figure(), MaxParallel: h.figure(), AutoPromote: h.yes(), HealthCheck: pick(h, "", "checks", "task_states"),
			MinHealthyTime: h.span(), HealthyDeadline: h.span(), ProgressDeadline: h.span(),
		},
		Volumes: []model.Volume{{Name: h.name(), Type: pick(h, "csi", "host", ""), AccessMode: pick(h, "", "single-node-writer", "single-node-single-writer"), PerAlloc: h.yes()}},
	}
	for range rapid.IntRange(0, 2).Draw(h.t, "of group") {
		g.Services, g.Tasks = append(g.Services, h.service()), append(g.Tasks, h.task())
	}
	return g
}

func (h hostile) input() Input {
	job := model.Job{Type: pick(h, "service", "service", "system", "batch", ""), Datacenters: []string{h.name(), "*"}, Meta: h.meta(), Multiregion: h.yes(), ModifyIndex: math.MaxUint64}
	for range rapid.IntRange(0, 2).Draw(h.t, "groups") {
		job.Groups = append(job.Groups, h.group())
	}
	in := Input{
		Job: &job, Margin: h.span(), Load: model.Load{Took: h.span()}, Assumed: h.yes(), Tags: map[model.Path]Tags{},
		Settings: model.ProxySettings{ConsulCatalog: h.yes(), RefreshInterval: h.span(), Throttle: h.span(), Watch: h.yes(), Prefix: pick(h, "", "traefik"), StrictChecks: []string{h.name()}},
	}
	for _, p := range in.services() {
		if h.yes() {
			in.Tags[p.path] = Tags{Stable: model.TagReading{Exposed: h.yes(), Err: h.name(), Retry: &model.Retry{Attempts: h.figure()}}}
		}
	}
	return in
}

// Whatever the job, all rules come to an end, say the same twice, in order, and
// leave the input as it was.
func TestPropRulesAreTotalSortedAndPure(t *testing.T) {
	id := regexp.MustCompile(`^DG[1-7]\d\d$`)
	rapid.Check(t, func(t *rapid.T) {
		h := hostile{t}
		in := h.input()
		if h.yes() {
			old := h.input()
			in.Against = &old
		}
		before := printed(t, in)
		first, second := Run(All(), in), Run(All(), in)
		if d := cmp.Diff(first, second); d != "" {
			t.Fatalf("not the same twice: %s", d)
		}
		if d := cmp.Diff(before, printed(t, in)); d != "" {
			t.Fatalf("the input was changed: %s", d)
		}
		for i, f := range first {
			if !id.MatchString(f.Rule) || f.Message == "" || strings.ContainsAny(f.Message, "\n\r") || !slices.Contains(Severities(), f.Severity) {
				t.Fatalf("not a finding: %+v", f)
			}
			if i > 0 && (first[i-1].Path > f.Path || first[i-1].Path == f.Path && first[i-1].Rule > f.Rule) {
				t.Fatalf("not in order: %+v before %+v", first[i-1], f)
			}
		}
	})
}

func printed(t *rapid.T, in Input) string {
	tags := map[string]string{}
	for path, read := range in.Tags {
		tags[string(path)] = fmt.Sprintf("%+v %v", read, read.Stable.Retry)
	}
	text, err := json.Marshal([]any{in.Job, in.Settings, in.Load, tags, in.Margin})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryRuleIsSaid(t *testing.T) {
	name, id := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`), regexp.MustCompile(`^DG[1-7]\d\d$`)
	seen := map[string]bool{}
	for _, r := range All() {
		if !id.MatchString(r.ID) || !name.MatchString(r.Name) || r.Summary == "" || r.Why == "" || r.Find == nil || !slices.Contains(Severities(), r.Severity) {
			t.Errorf("%s %s is not complete", r.ID, r.Name)
		}
		if seen[r.ID] || seen[r.Name] {
			t.Errorf("%s %s is there twice", r.ID, r.Name)
		}
		seen[r.ID], seen[r.Name] = true, true
	}
}

// A shutdown_delay that DG101 asks for is one that it is then content with, and
// one second less is not.
func TestPropTheDelayThatIsAskedForIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := good()
		web, api := &in.Job.Groups[0], &in.Job.Groups[1]
		seconds := func(name string) time.Duration {
			return time.Duration(rapid.IntRange(0, 60_000).Draw(t, name)) * time.Millisecond
		}
		web.ShutdownDelay, web.Tasks[0].ShutdownDelay, api.Tasks[0].ShutdownDelay = seconds("group"), seconds("task"), seconds("own")
		in.Settings.RefreshInterval, in.Load.Took = time.Second+seconds("refresh"), seconds("load")
		for _, f := range Run([]Rule{drainTooShort()}, in) {
			var delay time.Duration
			var text string
			if _, err := fmt.Sscanf(f.Remedy, "shutdown_delay = %q", &text); err != nil {
				t.Fatal(err)
			}
			delay, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			set := func(d time.Duration) {
				if f.Path == `group["web"].shutdown_delay` {
					web.ShutdownDelay = d
				} else {
					api.Tasks[0].ShutdownDelay = d
				}
			}
			set(delay)
			if silent := !slices.ContainsFunc(Run([]Rule{drainTooShort()}, in), func(g Finding) bool { return g.Path == f.Path }); !silent {
				t.Fatalf("%s is not enough", delay)
			}
			set(delay - time.Second)
			if silent := !slices.ContainsFunc(Run([]Rule{drainTooShort()}, in), func(g Finding) bool { return g.Path == f.Path }); silent {
				t.Fatalf("a second less than %s would do", delay)
			}
		}
	})
}
