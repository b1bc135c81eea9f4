package harness

import (
	_ "embed"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed sample.nomad.hcl.tmpl
var sampleTemplate string

// Sample is the job that tests and the demo deploy: one group "web" with one
// task "web" and one service of the job's name, and as many more of that kind as
// are wanted. The zero value of a field means what the field says; those of
// Nomad keep their Nomad names.
type Sample struct {
	// Name is the ID of the job and the name of its service. Required, and
	// unique on its stack: see Stack.Name.
	Name string
	// Group is the name of the task group, "web" if empty.
	Group string
	// Services are further services of the same group, on the same port and with a
	// check of their own.
	Services []SampleService
	// More are further groups of the same job. Each must have a Group and a Name,
	// which is that of its service alone; Type, Meta and More of it are ignored.
	More []Sample
	// Version is what the service reports; another one makes the update
	// destructive. Required.
	Version string
	// Type is "service" if empty, or "system".
	Type string
	// Meta of the job, such as draingate_mode. Park is its draingate_park, not
	// set if zero.
	Meta map[string]string
	Park time.Duration
	// Count and Canary are 1 if zero; NoCanary makes canary 0.
	Count, Canary int
	NoCanary      bool
	// Spread places the instances on as many nodes as there are.
	Spread bool
	// MaxParallel is 1 if zero.
	MaxParallel             int
	AutoPromote, AutoRevert bool
	// HealthCheck is "checks" if empty.
	HealthCheck string
	// MinHealthyTime is 2 s if zero; the two deadlines are 2 and 10 minutes.
	MinHealthyTime, HealthyDeadline, ProgressDeadline time.Duration
	// ShutdownDelay is the group's, TaskShutdownDelay the task's.
	ShutdownDelay, TaskShutdownDelay time.Duration
	// KillTimeout is 5 s, Nomad's default, if zero.
	KillTimeout time.Duration
	// TaskService puts the services at the level of the task, from where Nomad
	// takes them out of the catalog only after the group's ShutdownDelay.
	TaskService bool
	// Port is the port that every instance serves on, chosen by Nomad if zero.
	Port int
	// Provider is "consul" if empty, or "nomad".
	Provider string
	// Tags and CanaryTags are those of the service: see Route.
	Tags, CanaryTags []string
	// NoCheck leaves the check out. CheckPath is /readyz and CheckInterval
	// 2 s, if they are not set.
	NoCheck       bool
	CheckPath     string
	CheckInterval time.Duration
	// CheckTimeout is 2 s if zero. On a busy machine all checks of a job may miss it
	// at once, so that no proxy has anywhere to go.
	CheckTimeout time.Duration
	// InitialStatus of the check, unset (critical) if empty.
	InitialStatus string
	// Warmup, Drain, Sleep and NeverReady configure the process: see package
	// main in e2e/sample.
	Warmup, Drain, Sleep time.Duration
	NeverReady           bool
	// Crash makes the process end with code 1 at its start.
	Crash bool
	// Worklog is where each instance notes the requests that it works on.
	Worklog Worklog
	// Writer is what an instance must hold for its whole life: see NewWriter.
	Writer Writer
	// Restarts is how often Nomad starts a process that ended again in place, a
	// second later. RescheduleDelay is after how long it replaces an instance that
	// failed, Nomad's default of 30 s and more if zero; 5 s is the least.
	Restarts        int
	RescheduleDelay time.Duration
}

// SampleService is one more service of a sample's group. Tags are those that
// Route of a Sample of the same name returns.
type SampleService struct {
	Name string
	Tags []string
}

func (s Sample) withDefaults() Sample {
	s.Type, s.Group = or(s.Type, "service"), or(s.Group, "web")
	s.Count, s.Canary, s.MaxParallel = or(s.Count, 1), or(s.Canary, 1), or(s.MaxParallel, 1)
	if s.NoCanary {
		s.Canary = 0
	}
	s.HealthCheck = or(s.HealthCheck, "checks")
	s.MinHealthyTime = or(s.MinHealthyTime, 2*time.Second)
	s.HealthyDeadline = or(s.HealthyDeadline, 2*time.Minute)
	s.ProgressDeadline = or(s.ProgressDeadline, 10*time.Minute)
	s.KillTimeout = or(s.KillTimeout, 5*time.Second)
	s.Provider, s.CheckPath = or(s.Provider, "consul"), or(s.CheckPath, "/readyz")
	if s.Park != 0 {
		s.Meta = maps.Clone(s.Meta)
		if s.Meta == nil {
			s.Meta = map[string]string{}
		}
		s.Meta["draingate_park"] = s.Park.String()
	}
	s.CheckInterval, s.CheckTimeout = or(s.CheckInterval, 2*time.Second), or(s.CheckTimeout, 2*time.Second)
	return s
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Groups are the job itself as a group, and those that it has besides.
func (s Sample) Groups() []Sample {
	out := []Sample{s.withDefaults()}
	for _, more := range s.More {
		more.Type = s.Type
		out = append(out, more.withDefaults())
	}
	return out
}

// Host is the Host header by which Route sends requests to the job.
func (s Sample) Host() string { return s.Name + ".test" }

// Route returns the tags that expose a job on the instances with a tag prefix:
// a router for the host that uses a service of the job's name. More tags of
// http, such as "services.NAME.loadbalancer.healthcheck.path=/readyz", are
// given without "<prefix>.http." before them.
func (s Sample) Route(prefix string, more ...string) []string {
	tags := []string{
		prefix + ".enable=true",
		prefix + ".http.routers." + s.Name + ".rule=Host(`" + s.Host() + "`)",
		prefix + ".http.routers." + s.Name + ".service=" + s.Name,
		prefix + ".http.services." + s.Name + ".loadbalancer.passhostheader=true",
	}
	for _, m := range more {
		tags = append(tags, prefix+".http."+m)
	}
	return tags
}

// HealthCheckTags are the tags for Route that add Traefik's own health check.
func (s Sample) HealthCheckTags(interval time.Duration) []string {
	check := "services." + s.Name + ".loadbalancer.healthcheck."
	return []string{check + "path=/readyz", check + "interval=" + interval.String()}
}

// RetryTags are the tags for Route that put a retry middleware before the job.
func (s Sample) RetryTags(attempts int, initial time.Duration) []string {
	retry := "middlewares." + s.Name + "-retry.retry."
	return []string{
		retry + "attempts=" + strconv.Itoa(attempts),
		retry + "initialinterval=" + initial.String(),
		"routers." + s.Name + ".middlewares=" + s.Name + "-retry",
	}
}

// HCL renders the job as a job specification that runs the given program.
func (s Sample) HCL(command string) (string, error) {
	t, err := template.New("sample").Funcs(template.FuncMap{"quote": strconv.Quote, "list": hclList, "command": func() string { return command }}).Parse(sampleTemplate)
	if err != nil {
		return "", fmt.Errorf("read the template of the sample job: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, s.withDefaults()); err != nil {
		return "", fmt.Errorf("render the sample job: %w", err)
	}
	return b.String(), nil
}

func hclList(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	var b strings.Builder
	b.WriteString("[\n")
	for _, item := range items {
		b.WriteString("        " + strconv.Quote(item) + ",\n")
	}
	b.WriteString("      ]")
	return b.String()
}
