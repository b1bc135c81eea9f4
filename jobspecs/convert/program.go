package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// program reads a driver's config. It comes as HCL decodes it or as JSON does:
// a block is one object in the one and a list of objects in the other.
func program(config map[string]any) model.Program {
	r := configReader{config: config}
	out := model.Program{Image: r.text("image"), Command: r.text("command"), WorkDir: r.text("work_dir")}
	out.Entrypoint, out.Args = r.list("entrypoint"), r.list("args")
	for _, volume := range r.list("volumes") {
		// A third part has options.
		parts := strings.Split(volume, ":")
		if len(parts) < 2 {
			r.odd = append(r.odd, "volumes")
			continue
		}
		out.Mounts = append(out.Mounts, model.Mount{Source: parts[0], Target: parts[1]})
	}
	for _, name := range []string{"mount", "mounts"} {
		out.Mounts = append(out.Mounts, r.mounts(name)...)
	}
	slices.Sort(r.odd)
	out.Odd = slices.Compact(r.odd)
	return out
}

// configReader notes what it could not read.
type configReader struct {
	config map[string]any
	odd    []string
}

func (r *configReader) text(name string) string {
	value, there := r.config[name]
	text, ok := scalar(value)
	if there && !ok {
		r.odd = append(r.odd, name)
	}
	return text
}

func (r *configReader) list(name string) []string {
	var out []string
	switch value := r.config[name].(type) {
	case nil:
	case string:
		// podman takes an entrypoint without the brackets.
		if out = []string{value}; name != "entrypoint" {
			r.odd = append(r.odd, name)
			return nil
		}
	case []string:
		out = append(out, value...)
	case []any:
		for _, v := range value {
			text, ok := scalar(v)
			if !ok {
				r.odd = append(r.odd, name)
				return nil
			}
			out = append(out, text)
		}
	default:
		r.odd = append(r.odd, name)
	}
	return out
}

// mounts reads blocks of the docker driver. A volume, or a mount in memory, is
// taken for one from the node: no template can write to either.
func (r *configReader) mounts(name string) []model.Mount {
	var out []model.Mount
	for _, block := range objects(r.config[name]) {
		kind, _ := scalar(block["type"])
		source, _ := scalar(block["source"])
		target, ok := scalar(block["target"])
		if !ok || target == "" {
			r.odd = append(r.odd, name)
			continue
		}
		if kind != "bind" && !strings.HasPrefix(source, "/") {
			source = "/volume/" + source
		}
		out = append(out, model.Mount{Source: source, Target: target})
	}
	return out
}

// objects are one object or all of a list.
func objects(value any) []map[string]any {
	switch value := value.(type) {
	case map[string]any:
		return []map[string]any{value}
	case []map[string]any:
		return value
	case []any:
		var out []map[string]any
		for _, v := range value {
			out = append(out, objects(v)...)
		}
		return out
	default:
		return nil
	}
}

// scalar is how Nomad turns a value into the text that a driver asks for.
func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(value), true
	default:
		return "", false
	}
}
