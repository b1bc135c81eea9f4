package traefik

import (
	"reflect"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// nearest is the known key that is nearest to an unknown one, without the
// prefix, and whether it is the only one that is near. It is empty where the
// first step that is not known is like none that could stand there.
func nearest(key string) (near string, only bool) {
	steps := strings.Split(key, ".")[1:]
	if len(steps) == 0 {
		return "", false
	}
	t := reflect.TypeFor[rootLabels]()
	for i, step := range steps {
		if t = elem(t); t.Kind() == reflect.Map {
			t = t.Elem()
			continue
		}
		if t.Kind() != reflect.Struct {
			return "", false
		}
		fields := labelFields(t)
		name, _, _ := strings.Cut(step, "[")
		if known, ok := fields[strings.ToLower(name)]; ok {
			t = known
			continue
		}
		near, only := closest(strings.ToLower(name), fields)
		if near == "" {
			return "", false
		}
		return strings.Join(slices.Concat(steps[:i], []string{near}, steps[i+1:]), "."), only && name == step
	}
	return "", false
}

// rootLabels are all that tags can say.
type rootLabels struct {
	Enable        bool
	ConsulCatalog struct{ Connect, Canary bool }
	HTTP          httpConfig
	TCP           tcpConfig
	UDP           udpConfig
	TLS           tlsConfig
}

// elem looks through pointers and lists.
func elem(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// labelFields are the fields of a struct by their names in tags.
func labelFields(t reflect.Type) map[string]reflect.Type {
	out := make(map[string]reflect.Type, t.NumField())
	for field := range t.Fields() {
		if field.Tag.Get("label") == "-" {
			continue
		}
		name := field.Name
		if single := field.Tag.Get("label-slice-as-struct"); single != "" {
			name = single
		}
		out[strings.ToLower(name)] = field.Type
	}
	return out
}

// closest is the name with the fewest typing errors in it, at most three and
// one for two characters; of several, the first. Only is true where no other is
// within as many.
func closest(word string, fields map[string]reflect.Type) (best string, only bool) {
	most, near := min(len(word)/2, 3), 0
	least := most + 1
	for name := range fields {
		d := model.EditDistance(word, name)
		if d <= most {
			near++
		}
		if d < least || (d == least && best != "" && name < best) {
			best, least = name, d
		}
	}
	return best, near == 1
}
