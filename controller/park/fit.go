package park

import (
	"fmt"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Finding is one thing that is said of a park. Its zero value is nothing.
type Finding struct {
	Reason model.Reason
	// Proxy is the name of the proxy that it is about, empty for all.
	Proxy string
	// Message is a sentence with the thing, the place and the cure.
	Message string
	// Tag is the key of the tag that says it, without the prefix, where one does;
	// Setting the setting of Traefik, by its path in a configuration file; Attribute
	// the attribute of the service block.
	Tag, Setting, Attribute string
}

// View is how one proxy sees a service.
type View struct {
	// Proxy is its name, empty for one that is not known yet.
	Proxy    string
	Settings model.ProxySettings
	// Tags and Next are its readings of the tags of the instance that goes and of the
	// one that comes; Next is nil where that is not known.
	Tags model.TagReading
	Next *model.TagReading
	// Routing is the configuration that it runs, nil where that is not known.
	Routing *model.Routing
}

// Fitness is what can be said of a park from a job and from settings.
type Fitness struct {
	// Refusals speak against it: with any of them there is no park.
	Refusals []Finding
	// Unread are what could not be looked at. They refuse nothing.
	Unread []Finding
}

// Fit judges whether requests to a service can be parked for the time, from the
// version of the job whose instance goes, behind each of the proxies. The
// service has the task that its block stands in. Both lists are in the order in which
// things are looked at, proxies in the order given.
func Fit(job *model.Job, svc model.Service, longest time.Duration, views []View) Fitness {
	if f := unfitJob(job, svc); f.Reason != "" {
		return Fitness{Refusals: []Finding{f}}
	}
	var out Fitness
	routed := false
	for _, v := range views {
		one := v.fit(svc, longest)
		for i := range one.Refusals {
			one.Refusals[i].Proxy = v.Proxy
		}
		for i := range one.Unread {
			one.Unread[i].Proxy = v.Proxy
		}
		routed = routed || v.concerns()
		out.Refusals = append(out.Refusals, one.Refusals...)
		out.Unread = append(out.Unread, one.Unread...)
	}
	if !routed {
		out.Refusals = append(out.Refusals, Finding{Reason: ReasonNotRouted,
			Message: fmt.Sprintf("no proxy routes to service %q%s: there are no requests to park; expose it to a Traefik with the Consul catalog provider", svc.Name, excluded(views))})
	}
	return out
}

func unfitJob(job *model.Job, svc model.Service) Finding {
	switch {
	case job == nil || job.Type != model.JobTypeService:
		return Finding{Reason: ReasonNotService, Message: "draingate parks requests to service jobs only"}
	case svc.Provider != model.ProviderConsul:
		return Finding{Reason: ReasonProviderNomad, Attribute: "provider",
			Message: fmt.Sprintf("service %q has provider = %q: a placeholder stands in Consul's catalog; set provider = \"consul\"", svc.Name, svc.Provider)}
	case svc.Connect:
		return Finding{Reason: ReasonConnect, Attribute: "connect",
			Message: fmt.Sprintf("service %q has a connect block: requests come through the mesh, which a placeholder has no part in; route to it without the mesh", svc.Name)}
	default:
		return Finding{}
	}
}

// concerns reports whether the proxy routes to the service, as far as is known.
func (v View) concerns() bool { return v.Tags.Exposed || v.Tags.Err != "" || v.Tags.Unknown != "" }

func excluded(views []View) string {
	for _, v := range views {
		if v.Tags.Excluded != "" {
			return " (" + v.Tags.Excluded + ")"
		}
	}
	return ""
}

func (v View) fit(svc model.Service, longest time.Duration) Fitness {
	switch {
	case !v.concerns():
		return Fitness{}
	case v.Tags.Err+v.Tags.Unknown != "":
		return Fitness{Refusals: []Finding{{Reason: ReasonTagsUnknown,
			Message: fmt.Sprintf("what the tags of service %q make of a placeholder is not known: %s%s", svc.Name, v.Tags.Err, v.Tags.Unknown)}}}
	}
	var out Fitness
	for _, find := range []func() []Finding{
		func() []Finding { return v.protocol(svc) }, v.services, v.limits,
		func() []Finding { return v.response(longest) }, func() []Finding { return v.entryPoints(longest) }, v.differ,
	} {
		out.Refusals = append(out.Refusals, find()...)
	}
	out.Unread = v.unread(longest)
	return out
}

func (v View) protocol(svc model.Service) []Finding {
	if !v.Tags.NonHTTP {
		return nil
	}
	return []Finding{{Reason: ReasonProtocol,
		Message: fmt.Sprintf("service %q has tags for TCP or UDP routers, whose connections would reach the placeholder, which speaks HTTP only; give HTTP a service of its own", svc.Name)}}
}

func (v View) services() []Finding {
	var out []Finding
	for _, s := range v.Tags.Services {
		key := "http.services." + bare(s.Name) + ".loadbalancer."
		add := func(reason model.Reason, tag, format string, args ...any) {
			out = append(out, Finding{Reason: reason, Tag: key + tag, Message: fmt.Sprintf(format, args...)})
		}
		if s.Scheme != "http" {
			add(ReasonScheme, "server.scheme", "Traefik speaks %s to the instances of %q, and parked requests are forwarded by plain HTTP/1.1 only; that is not supported: let the instances speak http", s.Scheme, bare(s.Name))
		}
		if s.Weight <= 0 {
			add(ReasonWeight, "server.weight", "weight %d in Traefik's service %q gives a placeholder with the same tags no request; leave server.weight out", s.Weight, bare(s.Name))
		}
		if s.Passive != nil {
			add(ReasonPassiveHealthCheck, "passivehealthcheck", "Traefik's service %q has a passive health check: a failed request takes the placeholder out of the pool, and the parked ones have nowhere to go; remove passivehealthcheck", bare(s.Name))
		}
		if s.HealthCheck != nil {
			if why := unanswered(*s.HealthCheck); why != "" {
				add(ReasonHealthCheck, "healthcheck."+unansweredTag(*s.HealthCheck), "Traefik's health check of %q %s; a placeholder answers on its own port by HTTP, and would be DOWN", bare(s.Name), why)
			}
		}
	}
	return out
}

// unanswered says why a placeholder cannot answer a health check, or is empty.
func unanswered(h model.HealthCheck) string {
	switch unansweredTag(h) {
	case "port":
		return fmt.Sprintf("asks port %d: remove healthcheck.port", h.Port)
	case "mode":
		return "asks by gRPC: set healthcheck.mode=http"
	case "scheme":
		return fmt.Sprintf("asks by %s: remove healthcheck.scheme", h.Scheme)
	case "status":
		return fmt.Sprintf("wants status %d, which is none of a whole answer: set healthcheck.status to one of 200 to 599", h.Status)
	default:
		return ""
	}
}

func unansweredTag(h model.HealthCheck) string {
	switch {
	case h.Port != 0:
		return "port"
	case h.GRPC:
		return "mode"
	case h.Scheme != "" && !strings.EqualFold(h.Scheme, "http"):
		return "scheme"
	case h.Status != 0 && (h.Status < 200 || h.Status > 599):
		return "status"
	default:
		return ""
	}
}

func (v View) differ() []Finding {
	if v.Next == nil {
		return nil
	}
	if v.Next.Err+v.Next.Unknown != "" {
		return []Finding{{Reason: ReasonTagsUnknown, Message: "what the tags of the new version make beside a placeholder is not known: " + v.Next.Err + v.Next.Unknown}}
	}
	d, _, conflict := v.Tags.Conflict(*v.Next)
	if !conflict {
		return nil
	}
	return []Finding{{Reason: ReasonTagsDiffer,
		Message: fmt.Sprintf("the versions define %s %q differently, and Traefik drops it while a placeholder stands beside the new version: 404 for every request; change it in a deploy of its own, or give it another name", d.Kind, bare(d.Name))}}
}

// bare is a name without the Consul catalog's suffix.
func bare(name string) string { return strings.TrimSuffix(name, "@"+model.ProviderConsulCatalog) }
