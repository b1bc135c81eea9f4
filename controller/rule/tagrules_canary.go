package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// canaryTagRules are about instances whose tags do not fit together: canaries
// and the rest, one version and the next, one service and another.
func canaryTagRules() []Rule {
	return []Rule{
		{
			ID: "DG402", Name: "canary-enable-flip", Severity: Error,
			Summary: "One instance switches off what others switch on.",
			Why: "Traefik first judges a service by the tags of all its instances thrown together, in an order that Consul draws anew for each answer, and the last enable tag counts " +
				"(Traefik v3.6.12, pkg/provider/consulcatalog/consul_catalog.go, getConsulServicesData, and convert_types.go). Seen on a real one with tags true and canary_tags false: the router of " +
				"all instances was gone in 8 of 15 looks, a second apart; with no tag and canary_tags false it was gone all the time.",
			Find: enableFlips,
		},
		{
			ID: "DG403", Name: "canary-other-router", Severity: Error,
			Summary: "canary_tags put canaries into another pool than the tags, or into none.",
			Why: "Nomad registers a canary with canary_tags instead of tags and changes them in place when it is promoted, at the moment at which it stops the old instances " +
				"(Nomad v1.11.3, command/agent/consul/service_client.go). Proxies find the new ones in the production pool only with the next load, so requests are lost for up to a refresh; " +
				"the gate does not promote a canary that it has not seen there (CanaryOtherRouter).",
			Find: eachTagged(otherPool),
		},
		{
			ID: "DG404", Name: "tags-differ", Severity: Error,
			Summary: "Two instances define the same router, service or middleware differently, so that Traefik drops it.",
			Why: "Where several instances define one name the definitions must be equal, apart from the servers, or the name is taken out for all of them while they are in the catalog " +
				"together: 404 for the whole overlap and nothing but a line in the log (Traefik v3.6.12, pkg/provider/configuration.go, Merge; seen on a real one).",
			Find:      differentTags,
			Elsewhere: func(Input) bool { return true }, // other jobs may be read with this one
		},
	}
}

// switched is one kind of instance with the enable tag of its own.
type switched struct {
	side
	on *model.TagSwitch
}

// conflictingSwitches are the instances of a service that switch it off while
// others would be routed; empty where they agree.
func conflictingSwitches(in Input, service string) []switched {
	var off, on []switched
	for _, p := range in.tagged() {
		if p.service.Name != service {
			continue
		}
		for _, s := range in.sides(p) {
			sw := switched{side: s, on: s.reading.Enable}
			switch {
			case sw.on != nil && !sw.on.On:
				off = append(off, sw)
			case sw.on != nil || in.Settings.ExposedByDefault:
				on = append(on, sw)
			}
		}
	}
	if len(on) == 0 {
		return nil
	}
	return off
}

func enableFlips(in Input) []Finding {
	var out []Finding
	var seen []string
	for _, p := range in.tagged() {
		if !p.switchesOff() || slices.Contains(seen, p.service.Name) {
			continue
		}
		seen = append(seen, p.service.Name)
		for _, off := range conflictingSwitches(in, p.service.Name) {
			out = append(out, off.flip())
		}
	}
	return out
}

// switchesOff reports whether some tag of the service says enable=false.
func (p place) switchesOff() bool {
	off := func(r model.TagReading) bool { return r.Enable != nil && !r.Enable.On }
	return off(p.tags.Stable) || off(p.tags.Canary)
}

func (s switched) flip() Finding {
	f := Finding{Path: s.at(s.on.Index)}
	f.Message = fmt.Sprintf("%q in the %s of service %q takes all its instances out of Traefik, not only those with the tag, or now and then where others say true", s.on.Tag, s.attribute(), s.service.Name)
	if s.canary {
		f.Remedy = tagList("canary_tags", s.service.Tags)
	}
	return f
}

// tagList is the attribute with the tags as HCL.
func tagList(attribute string, tags []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s = [\n", attribute)
	for _, t := range tags {
		fmt.Fprintf(&b, "  %s,\n", strconv.Quote(t))
	}
	return b.String() + "]"
}

// otherPool compares the services that canaries and others are listed under: a
// router of their own to the same service does no harm.
func otherPool(in Input, p place) []Finding {
	stable, canary := p.tags.Stable, p.tags.Canary
	if !p.canaryTags() || !stable.Exposed || canary.Err != "" || canary.Unknown != "" {
		return nil
	}
	if len(conflictingSwitches(in, p.service.Name)) > 0 {
		return nil
	}
	where := missingServices(stable, canary)
	if where == "" {
		return nil
	}
	f := Finding{Path: p.path.Child("canary_tags"), Remedy: tagList("canary_tags", p.service.Tags)}
	f.Message = fmt.Sprintf("canary_tags of service %q leave canaries out of %s: the gate holds them, and promoted by hand they are there only after the next load, up to %s later",
		p.service.Name, where, in.loadGap())
	return []Finding{f}
}

func missingServices(stable, canary model.TagReading) string {
	if !canary.Exposed {
		return "Traefik"
	}
	var missing []string
	for _, s := range stable.Services {
		if !slices.ContainsFunc(canary.Services, func(c model.TagService) bool { return c.Name == s.Name }) {
			missing = append(missing, strconv.Quote(bare(s.Name)))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Traefik's service " + strings.Join(missing, " and ")
}

// loadGap is how long a change in the catalog may stay unseen at most, as a text.
func (in Input) loadGap() string {
	if in.Settings.Watch {
		return "an unknown time (watch = true)"
	}
	return (in.Settings.RefreshInterval + in.Settings.Throttle).Round(time.Millisecond).String()
}
