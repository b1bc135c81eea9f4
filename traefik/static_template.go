package traefik

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/traefik/paerser/file"
	"gopkg.in/yaml.v3"

	"github.com/draingate/draingate/controller/model"
)

// throttleKey and catalogKey are throttlePath and catalogPath without case.
const (
	throttleKey = "providers.providersthrottleduration"
	catalogKey  = "providers.consulcatalog"
)

// bears reports whether a key, in lower case, decides how long Traefik goes on
// routing to an instance, or which ones it routes to.
func bears(key string) bool {
	option, ofCatalog := strings.CutPrefix(key, catalogKey+".")
	switch first, _, _ := strings.Cut(option, "."); {
	case key == throttleKey || key == catalogKey:
		return true
	case !ofCatalog:
		return false
	default:
		return !slices.Contains([]string{"endpoint", "defaultrule", "servicename", "requireconsistent"}, first)
	}
}

// parseTemplate is ParseStatic for a file that a template renders. What only
// Nomad can render is an error where it bears on the settings.
func parseTemplate(name string, t model.Template) (model.ProxySettings, Places, error) {
	ext := strings.ToLower(path.Ext(name))
	r, err := render(t, ext == ".toml")
	if err != nil {
		return model.ProxySettings{}, nil, fmt.Errorf("%s cannot be told: %w", name, err)
	}
	keys := keysOf(ext, r.text)
	places := Places{}
	for _, k := range keys {
		if _, there := places[k.path]; !there {
			places[k.path] = Place{Span: r.place(k.span, t.Data)}
		}
	}
	if err := r.sure(keys); err != nil {
		return model.ProxySettings{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	out, err := parseRendered(name, ext, r.text)
	if len(r.unsure) > 0 && err == nil {
		// What follows a section that may not be there may belong to another one.
		without, err := parseRendered(name, ext, r.without)
		if !reflect.DeepEqual(out.Timeouts, without.Timeouts) {
			out.Timeouts, without.Timeouts = nil, nil
		}
		if err != nil || !reflect.DeepEqual(out, without) {
			return model.ProxySettings{}, nil, fmt.Errorf("%s: the settings of the Consul catalog provider depend on a condition or a loop of the template, which only Nomad can decide", name)
		}
	}
	return out, places, err
}

// parseRendered reads the text of a rendering.
func parseRendered(name, ext, text string) (model.ProxySettings, error) {
	if !strings.Contains(text, unrendered) {
		return ParseStatic(name, []byte(text))
	}
	providers, err := decodeRendered(name, ext, text)
	if err != nil {
		return model.ProxySettings{}, err
	}
	out, err := settings(name, time.Duration(providers.ProvidersThrottleDuration), providers.ConsulCatalog, nil)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return out, err
}

// sure refuses a file in which a condition or a loop stands around settings.
func (r rendering) sure(keys []fileKey) error {
	for _, k := range keys {
		if !bears(k.path) && k.path != "providers" {
			continue
		}
		for line := k.span.Line; line <= k.last; line++ {
			if r.unsure[line-1] {
				return fmt.Errorf("%s stands in a condition or a loop of the template, which only Nomad can decide", k.path)
			}
		}
	}
	return nil
}

// decodeRendered decodes a text in which something stands for what only Nomad
// can render. Where that is harmless it is left out, since it could be of any
// type.
func decodeRendered(name, ext, text string) (*staticProviders, error) {
	raw, err := rawFile(ext, text)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be told: with what Nomad renders into it left out, it cannot be read: %s", name, oneLine(err))
	}
	if key := unknownIn("", raw); key != "" {
		return nil, fmt.Errorf("%s: %s is rendered by the template, from what only Nomad knows", name, strings.ReplaceAll(key, unrendered, "..."))
	}
	withoutUnknown(raw)
	content, err := json.Marshal(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	providers, err := decodeStatic(string(content), ".json")
	if err != nil {
		return nil, explainStatic(name, string(content), ".json", err)
	}
	return providers, nil
}

// unknownIn is the first key that bears on the settings and is not known, or
// that could be the name of such a one; empty where there is none.
func unknownIn(at string, node map[string]any) string {
	for _, name := range sortedKeys(node) {
		key := join(at, name)
		if strings.Contains(name, unrendered) && (at == "" || at == "providers" || at == catalogKey) {
			return key
		}
		if child, ok := node[name].(map[string]any); ok {
			if found := unknownIn(key, child); found != "" {
				return found
			}
			continue
		}
		if (bears(key) || key == "providers") && hasUnknown(node[name]) {
			return key
		}
	}
	return ""
}

func hasUnknown(value any) bool {
	return strings.Contains(fmt.Sprint(value), unrendered)
}

// withoutUnknown removes what is not known from a tree, and sections that are
// empty then. That of the provider stays: it is enabled without any option.
func withoutUnknown(node map[string]any) {
	for name, value := range node {
		if child, ok := value.(map[string]any); ok && len(child) > 0 {
			if withoutUnknown(child); len(child) == 0 && !strings.EqualFold(name, "consulCatalog") {
				delete(node, name)
			}
			continue
		}
		if strings.Contains(name, unrendered) || hasUnknown(value) {
			delete(node, name)
		}
	}
}

// rawFile decodes a file into a tree without any schema.
func rawFile(ext, text string) (map[string]any, error) {
	var raw map[string]any
	err := guard(func() error {
		if ext == ".toml" {
			return file.DecodeContent(text, ext, &raw)
		}
		return yaml.Unmarshal([]byte(text), &raw)
	})
	return raw, err
}

func sortedKeys[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
