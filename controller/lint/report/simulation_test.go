package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/forecast"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// simulation has a service that is held, one that nothing is predicted for, and
// a file that cannot be parsed.
func simulation() lint.Simulation {
	const s = time.Second
	loss := forecast.Loss{
		Total: forecast.Range{Best: s / 1000, Mean: 1500 * time.Millisecond, Worst: 3*s + time.Microsecond},
		Start: forecast.Range{Worst: s},
		Stop:  forecast.Range{Best: s / 1000, Mean: 1500 * time.Millisecond, Worst: 2 * s},
	}
	story := forecast.Story{
		Steps: []forecast.Step{
			{From: 0, To: 4 * s, OldServing: 2, OldListed: 2},
			{From: 4 * s, To: 8 * s, OldServing: 1, OldListed: 2, NewServing: 1, Stop: 0.5},
			{From: 8 * s, To: 10 * s, NewServing: 1, OldListed: 2, Start: 1},
			{From: 10 * s, To: 10*s + 1, NewServing: 2, NewListed: 2},
		},
		Marks: []forecast.Mark{{At: 4 * s, Text: "promoted"}, {At: 10 * s, Text: "Traefik routes to 0 old and 2 new"}},
	}
	held := forecast.Forecast{
		Group: "web", Service: "api\x1b[31m", Deploy: forecast.Deploy{Count: 2, Canary: 1, Served: s, Proxy: forecast.Proxy{RefreshInterval: 15 * s}},
		Window:      model.Window{S: s, T: 17500 * time.Millisecond, Margin: s, Verdict: model.VerdictUnsafe},
		AutoPromote: forecast.Outcome{Loss: loss, Story: story},
		Gate:        forecast.Holds, Why: "S is 17.5s short", Cure: `shutdown_delay = "19s" at the group`, Notes: []string{"a note"},
	}
	return lint.Simulation{
		Files: 2, Unreadable: 1, Settings: lint.Settings{Assumed: true},
		Mistakes: []lint.Finding{{Rule: lint.Unreadable, Severity: rule.Error, File: "bad.hcl", Line: 3, Column: 1, Message: "Unclosed block"}},
		Forecasts: []lint.Forecast{
			{File: "web.hcl", Line: 9, Job: "web", Forecast: held},
			{File: "stdin", Job: "db", Forecast: forecast.Forecast{Group: "db", Service: "db", Unknown: "it is a system job"}},
		},
	}
}

func TestSimulationFormats(t *testing.T) {
	for name, o := range map[string]SimulationOptions{
		"simulation.txt":        {Format: Text, Rate: 100},
		"simulation-colour.txt": {Format: Text, Rate: 100, Colour: true},
		"simulation.json":       {Format: JSON, Rate: 100},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, WriteSimulation(&out, simulation(), o))
			golden(t, name, out.String())
		})
	}
	require.ErrorContains(t, WriteSimulation(&bytes.Buffer{}, simulation(), SimulationOptions{Format: SARIF}), "give text, json")
	require.ErrorContains(t, WriteSimulation(full{}, simulation(), SimulationOptions{Format: Text}), "no space")
}

// A deploy that cuts off what was sent before it is drawn from there on.
func TestStoryOfARequestThatWasUnderWay(t *testing.T) {
	const s = time.Second
	var out bytes.Buffer
	writeStory(&out, "that loses most", forecast.Story{Steps: []forecast.Step{
		{From: -6 * s, To: 0, OldServing: 1, OldListed: 1, Start: 1},
		{From: 0, To: 6 * s, NewServing: 1, NewListed: 1},
		{From: 6 * s, To: 6*s + 1, NewServing: 1, NewListed: 1},
	}}, 1, palette{})
	require.Contains(t, out.String(), "from 6.0s before its submission on")
	require.Contains(t, out.String(), "lost |"+strings.Repeat("!", 29)+strings.Repeat(" ", 31)+"|")
	require.Contains(t, out.String(), "new serves |"+strings.Repeat(" ", 29)+strings.Repeat("=", 31)+"|")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestSimulationOfNothingIsAnEmptyList(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteSimulation(&out, lint.Simulation{}, SimulationOptions{Format: JSON}))
	var list []any
	require.NoError(t, json.Unmarshal(out.Bytes(), &list))
	require.NotNil(t, list)
	require.Empty(t, list)
}

func TestSimulationSummary(t *testing.T) {
	require.Equal(t, "2 files: 2 services behind Traefik, 1 not predicted; 1 file could not be parsed; "+
		"Traefik's defaults were assumed: give --traefik-config FILE or --traefik-url URL for your own", SimulationSummary(simulation()))
	require.Equal(t, "1 file: 0 services behind Traefik; 1 file without one", SimulationSummary(lint.Simulation{Files: 1, Unrouted: 1}))
}

// A loss is never made smaller than it is in the worst case, nor larger in the
// best.
func TestRequestsAreRoundedOutwards(t *testing.T) {
	r := forecast.Range{Best: 19 * time.Millisecond, Mean: 24 * time.Millisecond, Worst: 30*time.Millisecond + time.Microsecond}
	require.Equal(t, counted{Best: 1, Mean: 2, Worst: 4}, requests(r, 100))
	require.Equal(t, counted{Best: 30, Mean: 30, Worst: 30}, requests(forecast.Range{Best: 300 * time.Millisecond, Mean: 300 * time.Millisecond, Worst: 300 * time.Millisecond}, 100))
	require.Equal(t, counted{}, requests(forecast.Range{}, 100))
}
