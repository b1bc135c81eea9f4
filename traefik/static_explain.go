package traefik

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/traefik/paerser/file"
)

// explainStatic finds the key that the decoder stumbled over. The decoder's
// own message has the last part of a key at most, so every key below
// providers is decoded alone until one fails by itself.
func explainStatic(name, content, ext string, cause error) error {
	var raw struct{ Providers map[string]any }
	if err := guard(func() error { return file.DecodeContent(content, ext, &raw) }); err != nil {
		return fmt.Errorf("%s: cannot be read as %s: %s (Traefik would not start with this)", name, strings.ToUpper(ext[1:]), oneLine(cause))
	}
	for _, l := range leaves("providers", nil, raw.Providers) {
		if err := l.decode(); err != nil {
			return fmt.Errorf("%s: %s = %v: %s (Traefik would not start: correct the key or its value)", name, l.path, l.value, oneLine(err))
		}
	}
	return fmt.Errorf("%s: %s (Traefik would not start with this)", name, oneLine(cause))
}

// leaf is one value of a file together with its keys from the root.
type leaf struct {
	path  string
	keys  []string
	value any
}

// leaves returns the values below a node in order of their keys.
func leaves(at string, keys []string, node map[string]any) []leaf {
	var out []leaf
	for _, k := range slices.Sorted(maps.Keys(node)) {
		path, below := at+"."+k, append(slices.Clone(keys), k)
		if child, ok := node[k].(map[string]any); ok && len(child) > 0 {
			out = append(out, leaves(path, below, child)...)
			continue
		}
		out = append(out, leaf{path: path, keys: below, value: node[k]})
	}
	return out
}

// decode reads a file that holds this leaf and nothing else.
func (l leaf) decode() error {
	doc := l.value
	for _, k := range slices.Backward(l.keys) {
		doc = map[string]any{k: doc}
	}
	content, err := json.Marshal(map[string]any{"providers": doc})
	if err != nil {
		return err
	}
	_, err = decodeStatic(string(content), ".json")
	return err
}
