package lint

import (
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/traefik"
)

// input is what the rules look at for one job.
func (o Options) input(job *model.Job) rule.Input {
	s := o.Settings
	return rule.Input{
		Job: job, Settings: s.Value, Assumed: s.Assumed, Doubt: s.Doubt, TraefikVersion: s.Version, Margin: o.Margin,
		Tags: traefik.ReadJob(s.Value, s.Version, *job),
	}
}
