package forecast

import (
	"fmt"
	"strings"

	"github.com/draingate/draingate/controller/drain"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// Verb says what the gate does with a deploy.
type Verb string

// What the gate does. Promotes means once the start side is seen; NotInForce is
// a deploy that Nomad asks nobody about.
const (
	Promotes   Verb = "promotes"
	Holds      Verb = "holds"
	NotInForce Verb = "not in force"
)

// Forecast is what is predicted for one service.
type Forecast struct {
	Group, Service string
	// Unknown says why nothing is predicted; all below is then empty.
	Unknown string
	Deploy  Deploy
	// Window is the arithmetic of the stop side that the gate goes by.
	Window model.Window
	// AutoPromote is the deploy without a gate.
	AutoPromote Outcome
	// Gate is what the gate does, Why says why it does not promote, and Cure what
	// would make it, empty where there is no single thing.
	Gate  Verb
	Why   string
	Cure  string
	Gated Outcome
	// Notes are what the figures rest on or leave out.
	Notes []string
}

// Of predicts the next deploy of a service.
func Of(in Input) Forecast {
	f := Forecast{Group: in.Group, Service: in.Service.Name}
	f.Deploy, f.Unknown = in.deploy()
	if f.Unknown != "" {
		return f
	}
	f.Window = in.window()
	f.AutoPromote = f.Deploy.AutoPromote()
	f.Gate, f.Why, f.Cure = in.gate(f)
	switch f.Gate {
	case Promotes:
		f.Gated = f.Deploy.Gated()
	case Holds:
		f.Gated = f.Deploy.Held()
	default:
		f.Gated = f.AutoPromote
	}
	f.Notes = in.notes(f.Deploy)
	return f
}

// gate is what package gate does once the canaries are healthy.
func (in Input) gate(f Forecast) (verb Verb, why, cure string) {
	switch d := f.Deploy; {
	case d.Canary == 0:
		return NotInForce, "without canaries Nomad asks nobody: old instances are stopped before new ones start", fmt.Sprintf("canary = %d", d.Count)
	case len(in.Service.Checks) == 0:
		return Holds, rule.NoCheck(in.Service), ""
	case rule.InitialStatusPassing(in.Service) != "":
		return Holds, rule.InitialStatusPassing(in.Service), ""
	case d.Apart:
		return Holds, "its canary_tags keep the canaries out of the pool of the old instances until they are promoted, so no Traefik can be seen to route to them", ""
	}
	switch w := f.Window; w.Verdict {
	case model.VerdictSafe:
		return Promotes, "", ""
	case model.VerdictUnknown:
		return Holds, cause(w.Why), ""
	default:
		needed, level := drain.Cure(w, in.leaving(), in.oldService())
		why, _, _ = strings.Cut(w.Why, ";")
		return Holds, fmt.Sprintf("%s (%s)", why, sums(w)), fmt.Sprintf("shutdown_delay = %q at the %s", needed, level)
	}
}

func sums(w model.Window) string {
	return fmt.Sprintf("S %s, T %s, L %s, margin %s", w.S, w.T, w.L, w.Margin)
}

// notes are what a reader must know to trust a figure.
func (in Input) notes(d Deploy) []string {
	var out []string
	add := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	u := in.Job.Group(in.Group).Update
	add(d.Canary > 0 && !u.AutoPromote, "auto_promote is not set in this job: its figures say what it would lose")
	add(d.Canary > 0 && u.AutoPromote, "the gate cannot hold a job with auto_promote = true: its figures are those with auto_promote = false")
	add(d.Canary > 0 && canaried(in.Job) > 1, "Nomad promotes all groups with canaries together, when the slowest is healthy: the figures are those of this group alone")
	add(d.MaxParallel == 0 && d.Canary == 0, "max_parallel = 0: Nomad replaces all instances at once and without a deployment")
	add(d.WarmUp == 0 && d.Listed != ListedPassing, "new instances are routed before they are ready and --warm-up is not given: what they answer until then is not counted")
	add(d.WarmUp == 0 && d.Canary < d.Count, "--warm-up is not given: where nobody serves until a new instance is ready, it is that much longer")
	add(in.Settings.Watch, "consulCatalog.watch = true: a failed watch is tried again after up to 180s, which no setting bounds; the figures are those while Consul answers")
	add(d.Proxy.CheckEvery > 0, "Traefik's health check is taken to ask what Nomad's check asks, and to fail from the stop signal on")
	add(d.Proxy.Attempts > 1, "an attempt of retry is taken to reach any server, as it does beside other requests; one request after another reaches each in turn and loses less")
	add(d.Request > 0, "every request is taken to last %s", d.Request)
	return out
}

// canaried is how many groups of a job have canaries.
func canaried(job *model.Job) int {
	n := 0
	for _, g := range job.Groups {
		if g.Update.Canary > 0 && g.Count > 0 {
			n++
		}
	}
	return n
}
