package traefik

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// ReadCatalog reads the tags of instances by service ID. Before the provider
// looks at an instance it looks at its service, with the tags of all its
// instances thrown together, so one instance can exclude or enable all
// others: give all instances of each service, whatever their health.
//
// Where instances disagree about the same key, the one that counts is drawn
// anew at each load, and the reading of all is unknown.
func ReadCatalog(s model.ProxySettings, regs []model.Registration) map[string]model.TagReading {
	byName := make(map[string][]model.Registration)
	for _, r := range regs {
		byName[r.ServiceName] = append(byName[r.ServiceName], r)
	}
	out := make(map[string]model.TagReading, len(regs))
	for _, service := range byName {
		readService(s, service, out)
	}
	return out
}

func readService(s model.ProxySettings, regs []model.Registration, out map[string]model.TagReading) {
	outer, stop := admitService(s, regs)
	for _, r := range regs {
		own := ReadTags(s, r)
		// An error of the instance's own says more than what its service does.
		if stop && own.Err == "" {
			own = outer
			own.Problems = nil // their places are those of all tags together
		}
		out[r.ServiceID] = own
	}
}

// admitService takes the first step of the provider: the whole service.
func admitService(s model.ProxySettings, regs []model.Registration) (model.TagReading, bool) {
	if !s.ConsulCatalog {
		return model.TagReading{}, false
	}
	union := unionTags(regs)
	if why := disagreement(union, s.Prefix); why != "" {
		return model.TagReading{Unknown: why}, true
	}
	own, err := decodeProvider(labelsOf(union, s.Prefix), providerDefaults(s))
	if err != nil {
		return refuse(err), true
	}
	return admit(s, union, *own, "the tags of all instances of "+regs[0].ServiceName)
}

func unionTags(regs []model.Registration) []string {
	seen := make(map[string]bool)
	for _, r := range regs {
		for _, tag := range r.Tags {
			seen[tag] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// disagreement says which of the provider's own keys has several values.
// Canary is left out: the provider reads it from each instance alone.
func disagreement(union []string, prefix string) string {
	values := make(map[string]string)
	for _, tag := range union {
		key, _, ok := strings.Cut(strings.ToLower(tag), "=")
		if !ok || !strings.HasPrefix(tag, prefix) {
			continue
		}
		own := strings.TrimPrefix(key, strings.ToLower(prefix)+".")
		if own != "enable" && own != "consulcatalog.connect" {
			continue
		}
		if other, there := values[own]; there && !strings.EqualFold(other, tag) {
			return fmt.Sprintf("instances of the service disagree: %s and %s; which one counts is drawn anew at each load", other, tag)
		}
		values[own] = tag
	}
	return ""
}
