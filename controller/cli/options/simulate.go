package options

import (
	"errors"
	"fmt"
	"time"
)

// Simulate is everything that `draingate simulate` can be told: what lint can,
// but for FailOn, and what a deploy meets.
type Simulate struct {
	Lint
	// Rate is requests a second.
	Rate float64
	// WarmUp is how long a new instance needs from the start of its task until it
	// is ready.
	WarmUp time.Duration
	// Format is text or json.
	Format string
}

// DefaultSimulate returns the settings of a simulation that was told nothing.
func DefaultSimulate() Simulate {
	return Simulate{Lint: DefaultLint(), Rate: 100, Format: "text"}
}

// MaxWarmUp is the longest warm-up: what takes longer is no deploy that anyone
// waits for.
const MaxWarmUp = 24 * time.Hour

// Validate returns the first thing that is wrong, as one line that names the
// flag and says what would be right. It opens the files that are named.
func (s Simulate) Validate() error {
	switch {
	case len(s.Paths) == 0:
		return errors.New("nothing to simulate: give files, folders or patterns, such as `draingate simulate web.nomad.hcl`, or - for standard input")
	case !(s.Rate > 0 && s.Rate <= 1e9):
		return fmt.Errorf("--rate %g: give requests a second, above 0", s.Rate)
	case s.WarmUp < 0 || s.WarmUp > MaxWarmUp:
		return fmt.Errorf("--warm-up %s: give 0s to %s", s.WarmUp, MaxWarmUp)
	}
	return s.Lint.Validate()
}
