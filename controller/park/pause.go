package park

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// The bounds of a pause by hand: what people may ask for.
const (
	PauseLeast = time.Second
	PauseMost  = 10 * time.Minute
)

// ReadPauses reads the value of the item that pauses services of a job:
// SERVICE=TIME, with a comma between two, the time as RFC 3339 has it.
func ReadPauses(text string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		service, at, _ := strings.Cut(one, "=")
		until, err := time.Parse(time.RFC3339, at)
		if err != nil || service == "" {
			return nil, fmt.Errorf("%q is not SERVICE=TIME, such as web=2026-01-02T15:04:05Z", one)
		}
		out[service] = until
	}
	return out, nil
}

// WritePauses is the opposite of ReadPauses; sorted by service.
func WritePauses(all map[string]time.Time) string {
	var out []string
	for _, service := range slices.Sorted(maps.Keys(all)) {
		out = append(out, service+"="+all[service].UTC().Format(time.RFC3339))
	}
	return strings.Join(out, ",")
}

// PausedUntil is until when a person wants a service paused; zero where nobody
// does, or where what is written cannot be read. It is PauseMost after the word was
// written at the latest, whoever wrote it: no pause lasts for ever.
func PausedUntil(o model.Overrides, service string) time.Time {
	all, err := ReadPauses(o.Values[model.OverridePause])
	if err != nil {
		return time.Time{}
	}
	until := all[service]
	last := o.Written[o.Sources[model.OverridePause]].Add(PauseMost)
	if until.After(last) {
		return last
	}
	return until
}
