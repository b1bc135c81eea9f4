package forecast

import (
	"fmt"
	"reflect"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// unmodelled says what of the input the model knows nothing of, or is empty.
// Nothing is predicted then: a figure would be a guess.
func (in Input) unmodelled() string {
	for _, why := range []func() string{in.oddJob, in.oddChange, in.oddService, in.oddSettings, in.oddTags, in.oddServers, in.conflict} {
		if text := why(); text != "" {
			return text
		}
	}
	return ""
}

func (in Input) oddJob() string {
	u := in.Job.Group(in.Group).Update
	switch {
	case rule.SystemJob(*in.Job) != "":
		return rule.SystemJob(*in.Job)
	case in.Job.Type != model.JobTypeService:
		return fmt.Sprintf("a job of type %q has no deployments", in.Job.Type)
	case u.HealthCheck == "manual":
		return `health_check = "manual": somebody else says when an instance is healthy`
	default:
		return ""
	}
}

// oddChange is about the version that runs now.
func (in Input) oddChange() string {
	before, g := in.old().Group(in.Group), in.Job.Group(in.Group)
	switch {
	case before == nil:
		return fmt.Sprintf("the version that runs now has no group %q", in.Group)
	case before.Count != g.Count:
		return fmt.Sprintf("count changes from %d to %d: the deploy also scales the group", before.Count, g.Count)
	case in.oldService().Name == "":
		return fmt.Sprintf("the version that runs now has no service %q in group %q", in.Service.Name, in.Group)
	case in.Old != nil && !share(in.OldTags.Stable, in.Tags.Stable):
		return "the old and the new instances are servers of different services of Traefik, so neither stands in for the other"
	default:
		return ""
	}
}

func (in Input) oddService() string {
	if in.Service.Provider != model.ProviderConsul {
		return fmt.Sprintf("service %q is in Nomad's own catalog, and the settings of Traefik's Nomad provider are not read; set provider = \"consul\"", in.Service.Name)
	}
	return rule.Connect(in.Service)
}

func (in Input) oddSettings() string {
	s := in.Settings
	switch {
	case !s.ConsulCatalog:
		return "Traefik's Consul catalog provider is not enabled"
	case s.Stale:
		return "consulCatalog.stale = true: a load may be answered by a server that lags behind"
	case s.Cache:
		return "consulCatalog.cache = true: a load may be answered from an agent's cache"
	case !s.Watch && s.RefreshInterval <= 0:
		return fmt.Sprintf("consulCatalog.refreshInterval = %s is not above zero", s.RefreshInterval)
	default:
		return ""
	}
}

func (in Input) oddTags() string {
	for _, r := range []model.TagReading{in.Tags.Stable, in.Tags.Canary} {
		switch {
		case r.Err != "":
			return "Traefik refuses the tags: " + r.Err
		case r.Unknown != "":
			return "what Traefik makes of the tags cannot be told: " + r.Unknown
		case r.NonHTTP:
			return "the tags ask for TCP or UDP, and a lost connection is not a lost request"
		}
	}
	if !in.Tags.Stable.Exposed {
		return "Traefik does not route to it: " + in.Tags.Stable.Excluded
	}
	return ""
}

// oddServers are settings by which servers do not get the same share.
func (in Input) oddServers() string {
	var first *model.TagService
	for _, r := range []model.TagReading{in.Tags.Stable, in.Tags.Canary} {
		for _, s := range r.Services {
			switch {
			case s.Sticky:
				return fmt.Sprintf("service %s is sticky: who is lost depends on the cookies of the clients", s.Name)
			case s.Passive != nil:
				return fmt.Sprintf("service %s has a passive health check: what it takes out depends on what else fails", s.Name)
			case s.Weight <= 0:
				return fmt.Sprintf("service %s gives its instances a weight of %d, so no request is theirs", s.Name, s.Weight)
			case first != nil && (s.Weight != first.Weight || !equal(s.HealthCheck, first.HealthCheck)):
				return fmt.Sprintf("services %s and %s have weights or health checks of their own", first.Name, s.Name)
			}
			first = &s
		}
	}
	return ""
}

func equal(a, b *model.HealthCheck) bool {
	return reflect.DeepEqual(a, b)
}

// conflict finds what both versions define differently, which Traefik then
// drops for both while they are there together.
func (in Input) conflict() string {
	before := in.Tags.Stable
	if in.Old != nil {
		before = in.OldTags.Stable
	}
	if d, _, conflict := before.Conflict(in.Tags.Canary); conflict {
		return fmt.Sprintf("the old and the new instances define the %s %s differently, so that Traefik drops it while both are there: 404 for every request", d.Kind, d.Name)
	}
	return ""
}
