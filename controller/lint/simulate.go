package lint

import (
	"errors"
	"time"

	"github.com/draingate/draingate/controller/forecast"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// Forecast is what is predicted for a service of a file.
type Forecast struct {
	// File is the file as it was named, stdin for standard input; Line is where
	// the service stands in it, 0 where that is not known.
	File string
	Line int
	Job  string
	forecast.Forecast
}

// Simulation is what is predicted for all files.
type Simulation struct {
	// Forecasts are in the order of the files and of the services in them.
	Forecasts []Forecast
	// Mistakes are those of the files that cannot be parsed.
	Mistakes []Finding
	// Files is how many job specifications and live jobs there were, Unrouted how many of those
	// that could be parsed have no service behind a proxy.
	Files, Unrouted int
	// Unreadable is how many files cannot be parsed.
	Unreadable int
	Settings   Settings
}

// Simulate predicts what the next deploy of each routed service loses. A new
// instance is taken to need the warm-up until it is ready. The result holds
// also what was predicted in spite of an error, which says what could not be
// opened.
func Simulate(o Options, warmUp time.Duration) (Simulation, error) {
	r, names, err := o.runner()
	var out Simulation
	err = errors.Join(err, r.walk(names, func(file *jobspecs.File, in rule.Input) {
		found := forecasts(file, in, warmUp)
		if len(found) == 0 {
			out.Unrouted++
		}
		out.Forecasts = append(out.Forecasts, found...)
	}))
	out.Mistakes = sorted(r.result.Findings)
	out.Files, out.Unreadable, out.Settings = r.result.Files+r.result.Jobs, r.result.Unreadable, o.Settings
	return out, err
}

func forecasts(file *jobspecs.File, in rule.Input, warmUp time.Duration) []Forecast {
	var out []Forecast
	for _, s := range rule.ServedServices(in) {
		at, _ := file.Locate(s.Path)
		f := forecast.Input{
			Job: in.Job, Group: s.Group, Service: s.Service, Tags: s.Tags,
			Settings: in.Settings, Load: in.Load, Margin: in.Margin, WarmUp: warmUp,
		}
		if in.Against != nil {
			f.Old = in.Against.Job
			f.OldTags = tagsOf(*in.Against, s)
		}
		out = append(out, Forecast{File: file.Name, Line: at.Range.Start.Line, Job: in.Job.ID, Forecast: forecast.Of(f)})
	}
	return out
}

// tagsOf are the tags of the same service in another version of the job.
func tagsOf(in rule.Input, s rule.Served) rule.Tags {
	for _, other := range rule.ServedServices(in) {
		if other.Group == s.Group && other.Service.Name == s.Service.Name {
			return other.Tags
		}
	}
	return rule.Tags{}
}
