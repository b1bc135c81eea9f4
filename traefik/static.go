package traefik

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/traefik/paerser/file"

	"github.com/draingate/draingate/controller/model"
)

// staticFile is the part of a static configuration file that is decoded. The
// decoder leaves out root sections that have no field here.
type staticFile struct {
	Providers *staticProviders
}

// staticProviders has a field for every provider of Traefik v3.0 to v3.7, so
// that a mistyped consulCatalog is an unknown key and not just another
// provider. Those tagged "-" are not looked into.
type staticProviders struct {
	ProvidersThrottleDuration duration
	ConsulCatalog             *catalogSettings `file:"allowEmpty"`

	Docker                 map[string]any `file:"-"`
	Swarm                  map[string]any `file:"-"`
	File                   map[string]any `file:"-"`
	KubernetesIngress      map[string]any `file:"-"`
	KubernetesIngressNGINX map[string]any `file:"-"`
	KubernetesCRD          map[string]any `file:"-"`
	KubernetesGateway      map[string]any `file:"-"`
	Knative                map[string]any `file:"-"`
	Rest                   map[string]any `file:"-"`
	Nomad                  map[string]any `file:"-"`
	Ecs                    map[string]any `file:"-"`
	Consul                 map[string]any `file:"-"`
	Etcd                   map[string]any `file:"-"`
	ZooKeeper              map[string]any `file:"-"`
	Redis                  map[string]any `file:"-"`
	HTTP                   map[string]any `file:"-"`
	Plugin                 map[string]any `file:"-"`
}

// ParseStatic reads the settings from a static configuration file, whose
// format is told by the extension of its name: .yml, .yaml, .toml or .json.
// Traefik's defaults are applied and sections that do not bear on the Consul
// catalog provider are left alone.
//
// An error is one line that names the file and, for anything Traefik would
// not start with, the key.
func ParseStatic(name string, content []byte) (model.ProxySettings, error) {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".yml", ".yaml", ".toml", ".json":
	default:
		return model.ProxySettings{}, fmt.Errorf("%s: not a Traefik configuration file: its name must end in .yml, .yaml, .toml or .json", name)
	}
	if strings.TrimSpace(string(content)) == "" {
		return model.ProxySettings{}, fmt.Errorf("%s: the file is empty: Traefik would not start with it", name)
	}
	providers, err := decodeStatic(string(content), ext)
	if err != nil {
		return model.ProxySettings{}, explainStatic(name, string(content), ext, err)
	}
	out, err := settings(name, time.Duration(providers.ProvidersThrottleDuration), providers.ConsulCatalog, timeoutsFromFile(ext, string(content)))
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

func decodeStatic(content, ext string) (*staticProviders, error) {
	root := staticFile{Providers: &staticProviders{ProvidersThrottleDuration: duration(defaultThrottle)}}
	err := guard(func() error { return file.DecodeContent(content, ext, &root) })
	return root.Providers, err
}

// guard turns a panic of the decoder, which some malformed names cause, into
// an error.
func guard(decode func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be decoded: %v", r)
		}
	}()
	return decode()
}

// oneLine makes a decoder's message fit into one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
