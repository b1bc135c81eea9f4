package traefik

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// Contradictions returns one sentence for each setting that the process and
// another source, usually a file, state differently. The process is right;
// the sentences are for a person.
func Contradictions(process, file model.ProxySettings) []string {
	var out []string
	differ := func(setting string, p, f any) {
		if ps, fs := fmt.Sprint(p), fmt.Sprint(f); ps != fs {
			out = append(out, fmt.Sprintf("%s: %s says %s, %s says %s", setting, speaker(process), shown(ps), speaker(file), shown(fs)))
		}
	}
	differ("providersThrottleDuration", process.Throttle, file.Throttle)
	differ("consulCatalog enabled", process.ConsulCatalog, file.ConsulCatalog)
	if !process.ConsulCatalog || !file.ConsulCatalog {
		return out
	}
	differ("refreshInterval", process.RefreshInterval, file.RefreshInterval)
	differ("watch", process.Watch, file.Watch)
	differ("stale", process.Stale, file.Stale)
	differ("cache", process.Cache, file.Cache)
	differ("strictChecks", set(process.StrictChecks), set(file.StrictChecks))
	differ("exposedByDefault", process.ExposedByDefault, file.ExposedByDefault)
	differ("prefix", process.Prefix, file.Prefix)
	differ("constraints", process.Constraints, file.Constraints)
	differ("connectAware", process.ConnectAware, file.ConnectAware)
	differ("connectByDefault", process.ConnectByDefault, file.ConnectByDefault)
	return out
}

func speaker(s model.ProxySettings) string {
	switch s.Source {
	case SourceProcess:
		return "the process"
	case "":
		return "another source"
	default:
		return s.Source
	}
}

func shown(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// set shows a list whose order means nothing.
func set(values []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(values))), ", ")
}
