package traefik

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/traefik/paerser/parser"
)

// label is a tag in the neutral form that is decoded: traefik.key = value.
type label struct {
	// index is the place of the tag among the instance's tags.
	index int
	tag   string
	value string
}

// labelsOf converts tags the way the Consul catalog provider does
// (pkg/provider/consulcatalog/convert_types.go, v3.6.12): a tag counts where
// it begins with the prefix and has an equals sign, is not trimmed, and the
// last of several with one key wins.
func labelsOf(tags []string, prefix string) map[string]label {
	out := make(map[string]label)
	for i, tag := range tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok || !strings.HasPrefix(tag, prefix) {
			continue
		}
		out[parser.DefaultRootName+"."+strings.TrimPrefix(key, prefix+".")] = label{index: i, tag: tag, value: value}
	}
	return out
}

// providerLabels are the labels that speak to the provider itself.
type providerLabels struct {
	Enable        bool
	ConsulCatalog struct {
		Connect bool
		Canary  bool
	}
}

// decodeDynamic decodes the labels of one instance into a new configuration;
// the filters are those of pkg/config/label/label.go, v3.6.12.
func decodeDynamic(labels map[string]label) (*dynamicConfig, error) {
	return decodeLabels(labels, func() *dynamicConfig { return &dynamicConfig{} },
		"traefik.http", "traefik.tcp", "traefik.udp", "traefik.tls.stores.default")
}

// decodeProvider decodes the provider's own labels over the given defaults;
// the filters are those of pkg/provider/consulcatalog/label.go, v3.6.12.
func decodeProvider(labels map[string]label, defaults providerLabels) (*providerLabels, error) {
	return decodeLabels(labels, func() *providerLabels { d := defaults; return &d },
		"traefik.consulcatalog.", "traefik.enable")
}

// errFreezes is put before what makes the decoder panic. In Traefik that ends
// the load of the whole catalog, again and again: seen with v3.6.12, where no
// change of any service came through until the instance was gone.
var errFreezes = errors.New("Traefik's provider panics on it and stops following Consul for all services until the instance is gone") //nolint:staticcheck // ST1005: it is a name

// decodeTags is the decoder, with a panic turned into an error.
func decodeTags(labels map[string]string, into any, filters []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errFreezes, r)
		}
	}()
	return parser.Decode(labels, into, parser.DefaultRootName, filters...)
}

// decodeLabels decodes all labels at once, as Traefik does. The decoder does
// not say which label it refuses, so on an error each is decoded alone, and
// the error is a refusal.
func decodeLabels[T any](labels map[string]label, fresh func() *T, filters ...string) (*T, error) {
	all := make(map[string]string, len(labels))
	for k, l := range labels {
		all[k] = l.value
	}
	into := fresh()
	cause := decodeTags(all, into, filters)
	if cause == nil {
		return into, nil
	}
	refused := refusal{cause: cause}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		one := map[string]string{k: labels[k].value}
		if err := decodeTags(one, fresh(), filters); err != nil {
			refused.tags = append(refused.tags, refusedTag{key: k, label: labels[k], cause: err})
		}
	}
	return nil, refused
}
