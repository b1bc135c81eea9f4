package rule

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Severity says how sure it is that requests will be lost.
type Severity string

// The severities, the worst first. A finding of severity Unknown says that
// something that matters cannot be known from what was given.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice"
	Unknown Severity = "unknown"
)

// Severities returns all severities, the worst first.
func Severities() []Severity { return []Severity{Error, Warning, Notice, Unknown} }

// Rule is one thing that is looked for. Its ID is stable, DG and three digits,
// and is never used for another rule.
type Rule struct {
	ID string
	// Name is a few lower-case words joined by hyphens, as stable as the ID.
	Name     string
	Severity Severity
	// Summary is one sentence that says what is wrong where the rule finds
	// something.
	Summary string
	// Why says which requests are lost, what gets stuck, or what is not in
	// force, and where that is known from (version, file).
	Why string
	// Fixes says what a Fix of its findings writes, and when there is none, as
	// one sentence; empty where what to write cannot be known, or is not for
	// anybody but the author to decide.
	Fixes string
	// Nomad and Traefik are the versions that it applies to, empty for all.
	Nomad, Traefik string
	// Find looks for it. It must not change the input.
	Find func(Input) []Finding
	// Elsewhere reports whether the rule may find in another run what it does
	// not find with this input, such as one that compares with the version that
	// runs now; nil where it never does. What ignores such a rule may be
	// needed although it hides nothing here.
	Elsewhere func(Input) bool
}

// Input is what rules look at: one version of a job, what Traefik makes of its
// tags, and the settings of the Traefik that routes it.
type Input struct {
	Job *model.Job
	// Settings are those of the Traefik in front. Assumed is true where none
	// were given and these are Traefik's defaults.
	Settings model.ProxySettings
	Assumed  bool
	// Doubt, where not empty, is a sentence that says why the settings may be
	// others than those that were given.
	Doubt string
	// TraefikVersion is the version of the Traefik in front, such as "3.6.12";
	// empty where it is not known.
	TraefikVersion string
	// Load is the measured time of one load of the catalog; zero offline.
	Load model.Load
	// Tags are the readings of each service's tags, by the service's path.
	Tags map[model.Path]Tags
	// Margin is what S must have in hand.
	Margin time.Duration
	// Against is the version that runs now, where it is known.
	Against *Input
	// InPlace are the groups of which it is known that nothing differs from
	// Against but what running allocations take over without a restart.
	InPlace map[string]bool
	// Beside are the definitions of other jobs; nil where there are none.
	Beside *Definitions

	// kept is what many rules need, while Run applies them; nil before.
	kept *kept
}

// alone reports whether the version that runs now is not known.
func (in Input) alone() bool { return in.Against == nil }

// Tags are what a proxy makes of the tags and the canary_tags of one service.
type Tags = model.ServiceTags

// Finding is one thing that a rule found.
type Finding struct {
	Rule     string
	Severity Severity
	// Path is where in the job it is; empty for a finding about the settings of
	// Traefik.
	Path model.Path
	// Setting is the setting of Traefik that a finding without a Path is about,
	// by its path in a configuration file; empty for none in particular.
	Setting string
	// Message is one line with the figures.
	Message string
	// Remedy is what to write instead, as HCL or as a setting that can be
	// pasted; empty where there is no single one.
	Remedy string
	// Window is the arithmetic behind a finding about S and T, for whoever can
	// draw it; nil for any other finding.
	Window *model.Window
	// Fix is the remedy in a form that can be written without asking; nil for
	// a rule that has none.
	Fix *Fix
}

// Run applies the rules and returns what they find, with rule and severity
// filled in, sorted by path, rule and message.
func Run(rules []Rule, in Input) []Finding {
	in = in.keep()
	oneLine := strings.NewReplacer("\r", " ", "\n", " ")
	var out []Finding
	for _, r := range rules {
		for _, f := range r.Find(in) {
			f.Rule, f.Severity = r.ID, cmp.Or(f.Severity, r.Severity)
			// What a message quotes from tags may have any character in it.
			f.Message = oneLine.Replace(f.Message)
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(out, func(a, b Finding) bool {
		a.Window, b.Window, a.Fix, b.Fix = nil, nil, nil, nil
		return a == b
	})
}

// All returns every rule in the order of their IDs.
func All() []Rule {
	out := slices.Concat(drainRules(), startRules(), gateRules(), tagRules(), proxyRules(), overlapRules(), parkRules())
	slices.SortFunc(out, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
