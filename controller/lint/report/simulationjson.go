package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/draingate/draingate/controller/forecast"
	"github.com/draingate/draingate/controller/lint"
)

// simulated is what scripts depend on: these keys and no others.
type simulated struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Job     string `json:"job"`
	Group   string `json:"group"`
	Service string `json:"service"`
	// Unknown says why nothing is predicted; all that follows is then missing.
	Unknown     string      `json:"unknown,omitempty"`
	Rate        float64     `json:"rate,omitempty"`
	Drain       *arithmetic `json:"drain,omitempty"`
	AutoPromote *outcome    `json:"autoPromote,omitempty"`
	Gate        *outcome    `json:"gate,omitempty"`
	Notes       []string    `json:"notes,omitempty"`
}

// arithmetic is in seconds. T is null where the settings do not bound it.
type arithmetic struct {
	Served         float64  `json:"servable"`
	StopRouting    *float64 `json:"stopRouting"`
	LongestRequest float64  `json:"longestRequest"`
	Margin         float64  `json:"margin"`
	Verdict        string   `json:"verdict"`
}

type outcome struct {
	// Does is promotes, holds or not in force; empty without a gate.
	Does string `json:"does,omitempty"`
	Why  string `json:"why,omitempty"`
	Cure string `json:"cure,omitempty"`
	// Lost is in requests, Seconds the same as a time in which all are lost.
	Lost     sides   `json:"lost"`
	Seconds  sides   `json:"seconds"`
	Timeline []event `json:"timeline"`
}

type sides struct {
	Total counted `json:"total"`
	Start counted `json:"start"`
	Stop  counted `json:"stop"`
}

// event is something that happens in the worst deploy, in seconds after its
// submission.
type event struct {
	At   float64 `json:"at"`
	What string  `json:"what"`
}

func writeSimulationJSON(w io.Writer, s lint.Simulation, rate float64) error {
	out := make([]simulated, 0, len(s.Forecasts)+len(s.Mistakes))
	for _, m := range s.Mistakes {
		out = append(out, simulated{File: m.File, Line: m.Line, Unknown: m.Message})
	}
	for _, f := range s.Forecasts {
		out = append(out, encodeForecast(f, rate))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func encodeForecast(f lint.Forecast, rate float64) simulated {
	out := simulated{File: f.File, Line: f.Line, Job: f.Job, Group: f.Group, Service: f.Service, Unknown: f.Unknown}
	if f.Unknown != "" {
		return out
	}
	out.Rate, out.Notes = rate, f.Notes
	out.Drain = &arithmetic{
		Served: f.Deploy.Served.Seconds(), LongestRequest: f.Deploy.Request.Seconds(),
		Margin: f.Window.Margin.Seconds(), Verdict: string(f.Window.Verdict),
	}
	if f.Window.T > 0 {
		t := f.Window.T.Seconds()
		out.Drain.StopRouting = &t
	}
	out.AutoPromote = encodeOutcome(f.AutoPromote, rate)
	out.Gate = encodeOutcome(f.Gated, rate)
	out.Gate.Does, out.Gate.Why, out.Gate.Cure = string(f.Gate), f.Why, f.Cure
	return out
}

func encodeOutcome(o forecast.Outcome, rate float64) *outcome {
	l := o.Loss
	out := &outcome{
		Lost:    sides{requests(l.Total, rate), requests(l.Start, rate), requests(l.Stop, rate)},
		Seconds: sides{seconds(l.Total), seconds(l.Start), seconds(l.Stop)},
	}
	for _, m := range o.Story.Marks {
		out.Timeline = append(out.Timeline, event{inMilliseconds(m.At), m.Text})
	}
	return out
}

func seconds(r forecast.Range) counted {
	return counted{inMilliseconds(r.Best), inMilliseconds(r.Mean), inMilliseconds(r.Worst)}
}

// inMilliseconds is a time in seconds, to the millisecond.
func inMilliseconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
