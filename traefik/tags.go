package traefik

import (
	"fmt"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// ReadTags reads the tags of one instance as the Consul catalog provider of a
// proxy with these settings does, leaving out the instance's health and the
// tags of other instances of its service: see ReadCatalog for those.
//
// All names in the reading are name@provider.
func ReadTags(s model.ProxySettings, reg model.Registration) model.TagReading {
	out, _ := readLabels(s, reg, labelsOf(reg.Tags, s.Prefix))
	return out
}

// Defines returns what the tags of an instance define or imply, for Conflict; nothing
// where the provider leaves the instance out.
func Defines(s model.ProxySettings, reg model.Registration) []model.TagDefinition {
	labels := labelsOf(reg.Tags, s.Prefix)
	out, conf := readLabels(s, reg, labels)
	if !out.Exposed || conf == nil {
		return nil
	}
	return conf.definitions(Normalize(reg.ServiceName), reg.ServiceName, labels, nil)
}

// readLabels also returns the configuration that the reading was made of, nil
// where the instance is not exposed or has nothing of HTTP.
func readLabels(s model.ProxySettings, reg model.Registration, labels map[string]label) (model.TagReading, *dynamicConfig) {
	if !s.ConsulCatalog {
		return model.TagReading{Excluded: "the Consul catalog provider is not enabled"}, nil
	}
	own, err := decodeProvider(labels, providerDefaults(s))
	if err != nil {
		return refuse(err), nil
	}
	out, conf := readEnabled(s, reg, labels, *own)
	out.Enable = enableSwitch(labels, own.Enable)
	return out, conf
}

func readEnabled(s model.ProxySettings, reg model.Registration, labels map[string]label, own providerLabels) (model.TagReading, *dynamicConfig) {
	if out, stop := admit(s, reg.Tags, own, "the tags"); stop {
		return out, nil
	}
	if !s.ExposedByDefault && !hasEnableTag(reg.Tags, s.Prefix) {
		return model.TagReading{Excluded: fmt.Sprintf("exposedByDefault is false and no tag is %s.enable=true", s.Prefix)}, nil
	}
	conf, err := decodeDynamic(labels)
	if err != nil {
		return refuse(err), nil
	}
	return read(conf, reg, defaultName(reg, own.ConsulCatalog.Canary)), conf
}

// enableSwitch finds the tag that the decoded flag comes from.
func enableSwitch(labels map[string]label, on bool) *model.TagSwitch {
	for key, l := range labels {
		if strings.EqualFold(key, "traefik.enable") {
			return &model.TagSwitch{Index: l.index, Tag: l.tag, On: on}
		}
	}
	return nil
}

func providerDefaults(s model.ProxySettings) providerLabels {
	d := providerLabels{Enable: s.ExposedByDefault}
	d.ConsulCatalog.Connect = s.ConnectByDefault
	return d
}

// admit decides whether the provider takes in something with these tags: one
// instance or, with the tags of all its instances, a service. The second
// result is true where it does not or that cannot be told.
func admit(s model.ProxySettings, tags []string, own providerLabels, whose string) (model.TagReading, bool) {
	if !own.Enable {
		return model.TagReading{Excluded: fmt.Sprintf("not enabled by %s (exposedByDefault is %t)", whose, s.ExposedByDefault)}, true
	}
	match, err := matchConstraints(s.Constraints, tags)
	switch {
	case err != nil:
		return model.TagReading{Unknown: fmt.Sprintf("constraints %q: %s", s.Constraints, oneLine(err))}, true
	case !match:
		return model.TagReading{Excluded: fmt.Sprintf("constraints %q do not match %s", s.Constraints, whose)}, true
	case own.ConsulCatalog.Connect && !s.ConnectAware:
		return model.TagReading{Excluded: "in a Consul service mesh, and connectAware is false"}, true
	case own.ConsulCatalog.Connect:
		return model.TagReading{Unknown: "in a Consul service mesh: how Traefik routes to its proxies is not supported"}, true
	default:
		return model.TagReading{}, false
	}
}

// hasEnableTag is the filter that the provider gives to Consul where
// exposedByDefault is false; Consul compares tags without case. It is
// narrower than the decoded flag: prefix.enable=1 enables and is not found.
func hasEnableTag(tags []string, prefix string) bool {
	for _, tag := range tags {
		if strings.EqualFold(tag, prefix+".enable=true") {
			return true
		}
	}
	return false
}
