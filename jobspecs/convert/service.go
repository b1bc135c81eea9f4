package convert

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

// defaultKillTimeout is what a server makes of a kill_timeout of 0
// (nomad/structs/structs.go, v1.11.3, DefaultKillTimeout).
const defaultKillTimeout = 5 * time.Second

// names replaces what a server replaces in the names of services; everything
// else in ${} is left for the client.
func names(j *nomadapi.Job, g *nomadapi.TaskGroup, t *nomadapi.Task) *strings.Replacer {
	task := "group"
	if t != nil {
		task = t.Name
	}
	job, group := value(j.Name), value(g.Name)
	return strings.NewReplacer("${JOB}", job, "${TASKGROUP}", group, "${TASK}", task, "${BASE}", job+"-"+group+"-"+task)
}

func services(names *strings.Replacer, task string, services []*nomadapi.Service) []model.Service {
	var out []model.Service
	for _, s := range services {
		service := model.Service{
			Name:              names.Replace(s.Name),
			Provider:          s.Provider,
			Task:              task,
			PortLabel:         s.PortLabel,
			OnUpdate:          s.OnUpdate,
			Connect:           s.Connect != nil,
			AddressMode:       s.AddressMode,
			Address:           s.Address,
			EnableTagOverride: s.EnableTagOverride,
			ForTask:           cmp.Or(s.TaskName, task),
		}
		service.Tags = append(service.Tags, s.Tags...)
		service.CanaryTags = append(service.CanaryTags, s.CanaryTags...)
		for _, c := range s.Checks {
			service.Checks = append(service.Checks, check(c, service))
		}
		out = append(out, service)
	}
	return out
}

func check(c nomadapi.ServiceCheck, of model.Service) model.Check {
	out := model.Check{
		Name:                   cmp.Or(c.Name, fmt.Sprintf("service: %q check", of.Name)),
		Type:                   c.Type,
		Path:                   c.Path,
		PortLabel:              c.PortLabel,
		Interval:               c.Interval,
		Timeout:                c.Timeout,
		InitialStatus:          c.InitialStatus,
		OnUpdate:               cmp.Or(c.OnUpdate, of.OnUpdate),
		RestartLimit:           value(c.CheckRestart).Limit,
		Method:                 c.Method,
		Protocol:               c.Protocol,
		AddressMode:            c.AddressMode,
		Expose:                 c.Expose,
		Task:                   cmp.Or(c.TaskName, of.ForTask),
		SuccessBeforePassing:   c.SuccessBeforePassing,
		FailuresBeforeCritical: c.FailuresBeforeCritical,
		FailuresBeforeWarning:  c.FailuresBeforeWarning,
	}
	if r := c.CheckRestart; r != nil {
		out.Restart = &model.CheckRestart{Limit: r.Limit, Grace: value(r.Grace), IgnoreWarnings: r.IgnoreWarnings}
	}
	return out
}
