package traefik

import (
	"reflect"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// nearest is the known key that is nearest to an unknown one, without the
// prefix. It is empty where the first step that is not known is like none that
// could stand there.
func nearest(key string) string {
	steps := strings.Split(key, ".")[1:]
	if len(steps) == 0 {
		return ""
	}
	t := reflect.TypeFor[rootLabels]()
	for i, step := range steps {
		if t = elem(t); t.Kind() == reflect.Map {
			t = t.Elem()
			continue
		}
		if t.Kind() != reflect.Struct {
			return ""
		}
		fields := labelFields(t)
		name, _, _ := strings.Cut(step, "[")
		if known, ok := fields[strings.ToLower(name)]; ok {
			t = known
			continue
		}
		near := closest(strings.ToLower(name), fields)
		if near == "" {
			return ""
		}
		return strings.Join(slices.Concat(steps[:i], []string{near}, steps[i+1:]), ".")
	}
	return ""
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
	for f := range t.NumField() {
		field := t.Field(f)
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
// one for two characters; of several, the first.
func closest(word string, fields map[string]reflect.Type) string {
	best, least := "", min(len(word)/2, 3)+1
	for name := range fields {
		d := model.EditDistance(word, name)
		if d < least || (d == least && best != "" && name < best) {
			best, least = name, d
		}
	}
	return best
}
