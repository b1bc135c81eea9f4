package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/forecast"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

// SimulationOptions say how to write a simulation.
type SimulationOptions struct {
	// Format is Text or JSON.
	Format string
	// Colour is for the format Text.
	Colour bool
	// Rate is requests a second.
	Rate float64
}

// SimulationFormats returns the formats of a simulation.
func SimulationFormats() []string { return []string{Text, JSON} }

// WriteSimulation writes what is predicted. The error is that of the writer, or
// says that there is no such format.
func WriteSimulation(w io.Writer, s lint.Simulation, o SimulationOptions) error {
	switch o.Format {
	case Text:
		return writeSimulationText(w, s, o)
	case JSON:
		return writeSimulationJSON(w, s, o.Rate)
	default:
		return fmt.Errorf("format %q: give %s", o.Format, strings.Join(SimulationFormats(), ", "))
	}
}

// SimulationSummary is one line: how many files and services, what was not
// predicted, and whether Traefik's defaults were assumed.
func SimulationSummary(s lint.Simulation) string {
	unknown := 0
	for _, f := range s.Forecasts {
		if f.Unknown != "" {
			unknown++
		}
	}
	out := count(s.Files, "file") + ": " + count(len(s.Forecasts), "service") + " behind Traefik"
	if unknown > 0 {
		out += fmt.Sprintf(", %d not predicted", unknown)
	}
	if s.Unrouted > 0 {
		out += fmt.Sprintf("; %s without one", count(s.Unrouted, "file"))
	}
	if s.Unreadable > 0 {
		out += fmt.Sprintf("; %s could not be parsed", count(s.Unreadable, "file"))
	}
	return out + assumption(s.Settings)
}

func writeSimulationText(w io.Writer, s lint.Simulation, o SimulationOptions) error {
	out := bufio.NewWriter(w)
	p := palette{on: o.Colour}
	for _, f := range s.Mistakes {
		writeHead(out, f, p)
	}
	for i, f := range s.Forecasts {
		if i+len(s.Mistakes) > 0 {
			fmt.Fprintln(out)
		}
		writeForecast(out, f, o.Rate, p)
	}
	return out.Flush()
}

func writeForecast(w io.Writer, f lint.Forecast, rate float64, p palette) {
	fmt.Fprintf(w, "%s: service %q of job %q, group %q\n", p.bold(place(f)), plain(f.Service), plain(f.Job), plain(f.Group))
	if f.Unknown != "" {
		writeLines(w, indent, []string{"not predicted: " + f.Unknown})
		return
	}
	writeLines(w, indent, []string{terms(f)})
	fmt.Fprintln(w)
	writeLosses(w, f, rate, p)
	fmt.Fprintln(w)
	which := "with auto_promote"
	if f.Gate == forecast.NotInForce {
		which = "without canaries"
	}
	writeStory(w, which, f.AutoPromote.Story, f.Deploy.Count, p)
	if f.Gate == forecast.Promotes {
		writeStory(w, "with draingate", f.Gated.Story, f.Deploy.Count, p)
	}
	writeGate(w, f, p)
	for _, note := range f.Notes {
		fmt.Fprintln(w, indent+p.dim("note: ")+plain(note))
	}
}

func place(f lint.Forecast) string {
	if f.Line == 0 {
		return plain(f.File)
	}
	return fmt.Sprintf("%s:%d", plain(f.File), f.Line)
}

// terms are what the figures come from.
func terms(f lint.Forecast) string {
	d := f.Deploy
	sees := fmt.Sprintf("Traefik loads the catalog every %s", d.Proxy.RefreshInterval)
	if d.Proxy.RefreshInterval == 0 {
		sees = "Traefik watches the catalog"
	}
	if f.Window.T > 0 {
		sees += fmt.Sprintf(" and routes for up to T = %s to what left it", f.Window.T)
	}
	return fmt.Sprintf("%s, canary = %d; served for S = %s after it left the catalog; %s", count(d.Count, "instance"), d.Canary, d.Served, sees)
}

// writeLosses is a table with requests: the smallest rounded down, the largest
// up.
func writeLosses(w io.Writer, f lint.Forecast, rate float64, p palette) {
	row := func(name string, r forecast.Range) {
		n := requests(r, rate)
		fmt.Fprintf(w, "%s%-34s%9.0f%9.0f%9.0f\n", indent, name, n.Best, n.Mean, n.Worst)
	}
	head := fmt.Sprintf("requests lost, of %g a second", rate)
	fmt.Fprintf(w, "%s%s%9s%9s%9s\n", indent, p.bold(fmt.Sprintf("%-34s", head)), "best", "mean", "worst")
	name := "auto_promote"
	if f.Gate == forecast.NotInForce {
		name = "without canaries"
	}
	sides := func(l forecast.Loss) {
		row("  start side: no new one to send to", l.Start)
		row("  stop side: sent to one that ended", l.Stop)
	}
	row(name, f.AutoPromote.Loss.Total)
	sides(f.AutoPromote.Loss)
	if f.Gate != forecast.NotInForce {
		row("draingate "+string(f.Gate), f.Gated.Loss.Total)
		sides(f.Gated.Loss)
	}
}

func writeGate(w io.Writer, f lint.Forecast, p palette) {
	line := "draingate promotes once Traefik has routed to the canaries for " + f.Deploy.Window.String()
	severity := rule.Notice
	switch f.Gate {
	case forecast.Holds:
		line, severity = "draingate holds: "+f.Why, rule.Warning
	case forecast.NotInForce:
		line, severity = "draingate is not in force: "+f.Why, rule.Warning
	case forecast.Promotes:
	}
	fmt.Fprintln(w, indent+p.paint(severity, plain(line)))
	if f.Cure != "" {
		fmt.Fprintln(w, indent+p.dim("write: ")+plain(f.Cure))
	}
}

// counted is a range in requests.
type counted struct {
	Best  float64 `json:"best"`
	Mean  float64 `json:"mean"`
	Worst float64 `json:"worst"`
}

func requests(r forecast.Range, rate float64) counted {
	of := func(d time.Duration) float64 { return d.Seconds() * rate }
	// What a product of floats is off by is no request.
	const off = 1e-6
	return counted{math.Floor(of(r.Best) + off), math.Round(of(r.Mean)), max(0, math.Ceil(of(r.Worst)-off))}
}
