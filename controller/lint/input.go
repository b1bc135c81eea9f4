package lint

import (
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/traefik"
)

// input is what the rules look at for one job.
func (o Options) input(job *model.Job) rule.Input {
	return rule.Input{
		Job: job, Settings: o.Settings.Value, Assumed: o.Settings.Assumed, Margin: o.Margin,
		Tags: readTags(o.Settings.Value, job),
	}
}

// readTags reads the tags of all services of a job.
func readTags(s model.ProxySettings, job *model.Job) map[model.Path]rule.Tags {
	out := map[model.Path]rule.Tags{}
	for _, g := range job.Groups {
		at := model.GroupPath(g.Name)
		for i, svc := range g.Services {
			out[at.Service(i)] = readService(s, svc)
		}
		for _, t := range g.Tasks {
			for i, svc := range t.Services {
				out[at.Task(t.Name).Service(i)] = readService(s, svc)
			}
		}
	}
	return out
}

func readService(s model.ProxySettings, svc model.Service) rule.Tags {
	stable := readInstance(s, svc.Name, svc.Tags)
	if len(svc.CanaryTags) == 0 {
		return rule.Tags{Stable: stable, Canary: stable}
	}
	return rule.Tags{Stable: stable, Canary: readInstance(s, svc.Name, svc.CanaryTags)}
}

// readInstance reads the tags of an instance as it will be: its address is one
// that is for documentation (RFC 5737), since nobody knows it yet.
func readInstance(s model.ProxySettings, name string, tags []string) model.TagReading {
	return traefik.ReadTags(s, model.Registration{
		ServiceID: name, ServiceName: name, Address: "192.0.2.1", Port: 80, Tags: tags, Status: model.StatusPassing,
	})
}
