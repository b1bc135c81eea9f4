package model

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// Overrides are what people wrote in Nomad Variables about a job, over what the
// job itself says. The zero value overrides nothing. Values are as written: the
// gate says which of them mean something.
type Overrides struct {
	// Frozen holds, by the path of its variable, why nothing is to be promoted.
	Frozen map[string]string
	// Values holds what overrides the job's meta, by key; Sources has the path
	// of the variable that each stands in.
	Values  map[string]string
	Sources map[string]string
	// Written is when each variable was last written, by its path and the clock of
	// the server that took the write.
	Written map[string]time.Time
	// Unknown are keys that mean nothing, as "path: key", sorted.
	Unknown []string
}

// The keys of a variable. Each but Freeze, Pause and Unpause stands for the meta key of the same
// name with draingate_ before it.
const (
	// OverrideFreeze holds why nothing is to be promoted.
	OverrideFreeze       = "freeze"
	OverrideMode         = "mode"
	OverrideHoldDeadline = "hold_deadline"
	OverrideOnDeadline   = "on_deadline"
	OverrideFence        = "fence"
	// OverrideUnpause holds the ID of the deployment whose pause by draingate a
	// person wants to end.
	OverrideUnpause = "unpause"
	// OverridePause holds the services whose requests are to wait, each with until
	// when.
	OverridePause = "pause"
)

// What happens when the hold deadline has passed.
const (
	// OnDeadlineHold goes on holding; the condition WithinDeadline tells.
	OnDeadlineHold = "hold"
	// OnDeadlineFail fails the deployment, if the old group is proven healthy.
	OnDeadlineFail = "fail"
)

// OverrideKeys returns the keys that mean something, sorted.
func OverrideKeys() []string {
	return []string{OverrideFence, OverrideFreeze, OverrideHoldDeadline, OverrideMode, OverrideOnDeadline, OverridePause, OverrideUnpause}
}

// EveryJob is the job ID that stands for all jobs of a namespace.
const EveryJob = "*"

// OverrideFolder is the folder of the variables, in the namespace of the job.
const OverrideFolder = "draingate/jobs"

// longestPath is the most that Nomad takes as the path of a variable
// (nomad/structs/variables.go, v1.11.3).
const longestPath = 128

// OverridePath is the path of a job's variable: draingate/jobs/ and the job's
// ID. A path may hold letters, digits, - and _ only (and ~ and /, which are used
// up here; nomad/structs/variables.go, v1.11.3), so any other byte is written as
// ~ and two hexadecimal digits. An ID that would be too long ends in a hash.
func OverridePath(jobID string) string {
	var out strings.Builder
	out.WriteString(OverrideFolder + "/")
	for _, b := range []byte(jobID) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_':
			out.WriteByte(b)
		default:
			fmt.Fprintf(&out, "~%02X", b)
		}
	}
	if out.Len() <= longestPath {
		return out.String()
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(jobID)) // never fails
	return fmt.Sprintf("%s~~%016x", out.String()[:longestPath-len("~~")-16], hash.Sum64())
}

// Add takes in one variable, last written at that time. What was added before wins,
// except that a freeze stands wherever it is written: add the job's own variable first.
func (o *Overrides) Add(path string, items map[string]string, written time.Time) {
	o.Written = with(o.Written, path, written)
	for _, key := range slices.Sorted(maps.Keys(items)) {
		switch {
		case !slices.Contains(OverrideKeys(), key):
			o.Unknown = append(o.Unknown, path+": "+key)
			slices.Sort(o.Unknown)
		case key == OverrideFreeze:
			o.Frozen = with(o.Frozen, path, items[key])
		case o.Sources[key] == "":
			o.Values, o.Sources = with(o.Values, key, items[key]), with(o.Sources, key, path)
		}
	}
}

func with[V any](m map[string]V, key string, value V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}
