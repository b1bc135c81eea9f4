package rule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// tagRules are about what Traefik makes of the tags of services.
func tagRules() []Rule {
	return append(append(readingRules(), canaryTagRules()...), healthTagRules()...)
}

// readingRules are about tags that Traefik refuses, passes over, or that
// nothing can be told of.
func readingRules() []Rule {
	return []Rule{
		{
			ID: "DG401", Name: "unknown-tag", Severity: Error,
			Summary: "Traefik refuses a tag, and with it the whole instance.",
			Why: "Tags are decoded strictly: one key or value that this version of Traefik does not take and the instance is in no router and no pool " +
				"(Traefik v3.6.12, pkg/provider/consulcatalog/config.go, buildConfiguration). A deploy that brings such a tag empties the pool, and all requests get 404.",
			Fixes: "puts the key right where one alone is near",
			Find:  eachSide(refusedTags),
		},
		{
			ID: "DG410", Name: "not-exposed", Severity: Error,
			Summary: "A service has tags for Traefik and is not exposed.",
			Why: "With exposedByDefault = false the provider asks Consul for instances with the very tag PREFIX.enable=true, so that PREFIX.enable=1 is not found " +
				"(Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, fetchService; seen on a real one). Without connectAware it leaves out whatever has " +
				"PREFIX.consulcatalog.connect=true (config.go, keepContainer). Nothing is routed, and the gate has no routing to wait for.",
			Find: eachTagged(notExposed),
		},
		{
			ID: "DG411", Name: "provider-freezing-tag", Severity: Error,
			Summary: "A tag stops Traefik from following Consul at all.",
			Why: "A closing bracket without an opening one in a key makes the decoder panic, in every load of the whole catalog: no change of any service comes through " +
				"until the instance is gone (seen with Traefik v3.6.12; github.com/traefik/paerser v0.2.2, parser/labels_decode.go). Instances that stop meanwhile stay in the pool.",
			Find: eachSide(freezingTags),
		},
		{
			ID: "DG412", Name: "unsupported-protocol", Severity: Warning,
			Summary: "Tags ask for TCP or UDP routers, which the gate holds.",
			Why: "Whether an instance is in the pool of a TCP or UDP router is not looked at, so the gate never promotes such a deployment: it stays until its deadline. " +
				"There is no retry and, before Traefik v3.6.0, no health check for them either.",
			Find: eachSide(otherProtocols),
		},
		{
			ID: "DG413", Name: "tags-not-known", Severity: Unknown,
			Summary: "It cannot be told what Traefik makes of the tags.",
			Why: "What only Nomad can fill in, constraints that cannot be evaluated, and instances that contradict each other leave open whether and where the service is routed; " +
				"the gate holds while it cannot tell (Nomad v1.11.3, client/taskenv/services.go; Traefik v3.6.12, pkg/provider/consulcatalog/config.go).",
			Find: eachSide(unknownTags),
		},
	}
}

// side is one of the two lists of tags of a service, as it is used.
type side struct {
	place
	in      Input
	canary  bool
	list    []string
	reading model.TagReading
}

func (s side) attribute() string {
	if s.canary {
		return "canary_tags"
	}
	return "tags"
}

// at is the path of a tag.
func (s side) at(i int) model.Path { return s.all().Index(i) }

// all is the path of the list.
func (s side) all() model.Path { return s.path.Child(s.attribute()) }

// key is the path of the tag with the key below the prefix, or of the list
// where no single tag says it.
func (s side) key(keys ...string) model.Path {
	for _, key := range keys {
		for i, tag := range s.list {
			written, _, ok := strings.Cut(tag, "=")
			if ok && strings.EqualFold(written, s.in.Settings.Prefix+"."+key) {
				return s.at(i)
			}
		}
	}
	return s.all()
}

// sides are the tags and, where Nomad would use them, the canary_tags.
func (in Input) sides(p place) []side {
	out := []side{{place: p, in: in, list: p.service.Tags, reading: p.tags.Stable}}
	if p.canaryTags() {
		out = append(out, side{place: p, in: in, canary: true, list: p.service.CanaryTags, reading: p.tags.Canary})
	}
	return out
}

// canaryTags reports whether canaries get other tags than the rest.
func (p place) canaryTags() bool {
	return len(p.service.CanaryTags) > 0 && p.group.Update.Canary > 0
}

// eachTagged applies a finder to each service in Consul whose tags were read.
func eachTagged(find func(Input, place) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		var out []Finding
		for _, p := range in.tagged() {
			out = append(out, find(in, p)...)
		}
		return out
	}
}

// eachSide applies a finder to each list of tags that was read.
func eachSide(find func(side) []Finding) func(Input) []Finding {
	return eachTagged(func(in Input, p place) []Finding {
		var out []Finding
		for _, s := range in.sides(p) {
			out = append(out, find(s)...)
		}
		return out
	})
}

func (in Input) tagged() []place {
	if in.kept != nil {
		return in.kept.tagged
	}
	var out []place
	for _, p := range in.services() {
		if p.known && ProviderNomad(p.service) == "" {
			out = append(out, p)
		}
	}
	return out
}

func refusedTags(s side) []Finding {
	if s.reading.Err == "" {
		return nil
	}
	if len(s.reading.Problems) == 0 {
		return found(s.all(), fmt.Sprintf("Traefik refuses the instances of service %q: %s", s.service.Name, inline(s.reading.Err)), "")
	}
	var out []Finding
	for _, p := range s.reading.Problems {
		if !p.Freezes {
			out = append(out, s.refused(p))
		}
	}
	return out
}

func (s side) refused(p model.TagProblem) Finding {
	f := Finding{Path: s.at(p.Index)}
	const effect = "Traefik refuses all tags of the instance, which is then in no router and no pool"
	switch {
	case p.Since != "" && s.in.TraefikVersion == "":
		f.Severity = Warning
		f.Message = fmt.Sprintf("tag %q needs Traefik %s or newer, and the version is not given: an older one refuses all tags of the instance", p.Tag, p.Since)
	case p.Since != "":
		f.Message = fmt.Sprintf("tag %q needs Traefik %s or newer and this is %s: %s", p.Tag, p.Since, inline(s.in.TraefikVersion), effect)
	case p.Near != "":
		_, value, _ := strings.Cut(p.Tag, "=")
		f.Message = fmt.Sprintf("tag %q has a key that Traefik does not know (did you mean %s?): %s", p.Tag, inline(p.Near), effect)
		f = f.fixed(f.Path, s.in.Settings.Prefix+"."+p.Near+"="+value)
		if !p.OneNear {
			f = f.notFixed("more than one key is near")
		}
	default:
		f.Message = fmt.Sprintf("tag %q: %s: %s", p.Tag, inline(p.Message), effect)
	}
	return f
}

func freezingTags(s side) []Finding {
	var out []Finding
	for _, p := range s.reading.Problems {
		if p.Freezes {
			out = append(out, Finding{Path: s.at(p.Index), Message: fmt.Sprintf("tag %q makes Traefik's provider panic in each load: it stops following Consul for all services", p.Tag)})
		}
	}
	return out
}

func otherProtocols(s side) []Finding {
	if !s.reading.NonHTTP {
		return nil
	}
	path := s.all()
	for i, tag := range s.list {
		rest, ok := strings.CutPrefix(strings.ToLower(tag), strings.ToLower(s.in.Settings.Prefix)+".")
		if ok && (strings.HasPrefix(rest, "tcp.") || strings.HasPrefix(rest, "udp.")) {
			path = s.at(i)
			break
		}
	}
	return found(path, fmt.Sprintf("service %q asks for TCP or UDP routers: draingate sees HTTP only and holds its deployments", s.service.Name), "meta {\n  draingate_mode = \"observe\"\n}")
}

func unknownTags(s side) []Finding {
	if s.reading.Unknown == "" {
		return nil
	}
	// What canary_tags cause by switching the service off has a rule of its own.
	if len(conflictingSwitches(s.in, s.service.Name)) > 0 {
		return nil
	}
	return found(s.all(), fmt.Sprintf("it cannot be told what Traefik makes of the %s of service %q: %s", s.attribute(), s.service.Name, inline(s.reading.Unknown)), "")
}

// notExposed looks for routing tags of a service that the provider leaves out
// for want of the one tag.
func notExposed(in Input, p place) []Finding {
	if f := outsideMesh(in, p); len(f) > 0 {
		return f
	}
	r, want := p.tags.Stable, in.Settings.Prefix+".enable=true"
	if in.Settings.ExposedByDefault || !in.Settings.ConsulCatalog || r.Excluded == "" {
		return nil
	}
	s := in.sides(p)[0]
	switch {
	case r.Enable == nil && s.routing():
		f := Finding{Path: s.all(), Severity: Warning, Remedy: strconv.Quote(want),
			Message: fmt.Sprintf("service %q has tags for Traefik and none is %q, and exposedByDefault is false: it is not routed", p.service.Name, want)}
		return []Finding{f}
	case r.Enable != nil && r.Enable.On && !strings.EqualFold(r.Enable.Tag, want):
		return found(s.at(r.Enable.Index), fmt.Sprintf("tag %q enables nothing with exposedByDefault = false: Traefik asks Consul for instances with the tag %q", r.Enable.Tag, want), strconv.Quote(want))
	}
	return nil
}

// outsideMesh looks for a service that asks to be reached through the mesh, by
// a Traefik that does not do that.
func outsideMesh(in Input, p place) []Finding {
	r, s := p.tags.Stable, in.sides(p)[0]
	at := s.key("consulcatalog.connect")
	off := r.Excluded == "" || r.Enable != nil && !r.Enable.On
	// Constraints may be why it is left out, and then on purpose.
	if off || at == s.all() || !in.Settings.ConsulCatalog || in.Settings.ConnectAware || in.Settings.ConnectByDefault || in.Settings.Constraints != "" {
		return nil
	}
	f := Finding{Path: at, Severity: Warning, Remedy: "--providers.consulcatalog.connectaware=true",
		Message: fmt.Sprintf("service %q asks for the mesh and connectAware is false: Traefik does not route to it", p.service.Name)}
	if in.Assumed {
		f.Severity, f.Remedy = Unknown, ""
		f.Message = fmt.Sprintf("whether Traefik routes to service %q cannot be told: its tags ask for the mesh, and connectAware is not known; the rules about routed services leave it out", p.service.Name)
	}
	return []Finding{f}
}

// routing reports whether a tag asks for a router or a service.
func (s side) routing() bool {
	for _, tag := range s.list {
		rest, ok := strings.CutPrefix(tag, s.in.Settings.Prefix+".")
		for _, kind := range []string{"http.", "tcp.", "udp."} {
			if ok && strings.HasPrefix(strings.ToLower(rest), kind) {
				return true
			}
		}
	}
	return false
}

// bare is a name without the Consul catalog's suffix.
func bare(name string) string { return strings.TrimSuffix(name, "@"+model.ProviderConsulCatalog) }

// inline makes one line of a text that others wrote.
func inline(text string) string { return strings.Join(strings.Fields(text), " ") }
