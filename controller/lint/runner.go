package lint

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// runner collects the result of one run.
type runner struct {
	options Options
	// shared is true where several sources share their variables.
	shared bool
	// against has the versions that run now, by namespace and ID of the job.
	against map[string]*current
	// beside has what the jobs define that were read so far.
	beside rule.Definitions
	// said has what was found about the settings.
	said   map[string]bool
	result Result
}

// current is the version of a job that runs now.
type current struct {
	file    *jobspecs.File
	matched bool
}

func (r *runner) add(found []Finding) { r.result.Findings = append(r.result.Findings, found...) }

// parse returns nil where the file has mistakes, which are then findings.
func (r *runner) parse(name string) (*jobspecs.File, error) {
	src, err := jobspecs.Read(name, r.options.Stdin)
	if err != nil {
		return nil, err
	}
	specs := r.options.Specs
	specs.AllowUndeclared = specs.AllowUndeclared || r.shared
	file, err := jobspecs.Parse(src, specs)
	if err != nil {
		r.result.Unreadable++
		r.add(mistakes(src, err))
		return nil, nil //nolint:nilnil // the mistakes are in the result
	}
	return file, nil
}

// mistakes turns the parser's diagnostics into findings.
func mistakes(src jobspecs.Source, err error) []Finding {
	diagnostics, ok := errors.AsType[jobspecs.Diagnostics](err)
	if !ok {
		diagnostics = jobspecs.Diagnostics{{Range: jobspecs.Range{File: src.Name}, Summary: err.Error()}}
	}
	var out []Finding
	for _, d := range diagnostics {
		f := Finding{Rule: Unreadable, Severity: rule.Error, Message: oneLine(d)}
		content := src.Content
		if d.Range.File != src.Name {
			content = nil
		}
		f.place(d.Range, content)
		out = append(out, f)
	}
	return out
}

func (r *runner) readAgainst(names []string) error {
	r.against = map[string]*current{}
	var problems []error
	for _, name := range names {
		file, err := r.parse(name)
		if file != nil {
			r.against[key(&file.Job)] = &current{file: file}
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (r *runner) file(name string) error {
	r.result.Files++
	file, err := r.parse(name)
	if file == nil {
		return err
	}
	in := r.options.input(&file.Job)
	in.Beside = &r.beside
	if now := r.against[key(&file.Job)]; now != nil {
		now.matched = true
		before := r.options.input(&now.file.Job)
		in.Against, in.InPlace = &before, inPlace(now.file, file)
	}
	var found []located
	for _, f := range rule.Run(r.options.Rules, in) {
		if r.first(f) {
			found = append(found, r.locate(file, f))
		}
	}
	r.beside.Add(in)
	r.add(withoutIgnored(file, in, found, r.options.Rules))
	return nil
}

// first is true for everything but a finding about the settings that another
// job led to before: it is about the run and not about the job.
func (r *runner) first(f rule.Finding) bool {
	if f.Path != "" {
		return true
	}
	key := f.Rule + " " + f.Message
	before := r.said[key]
	r.said[key] = true
	return !before
}

// locate finds the place of a finding. One about settings stands where they
// come from, or at the job that they were assumed for.
func (r *runner) locate(file *jobspecs.File, f rule.Finding) located {
	out := located{path: f.Path, Finding: Finding{
		Rule: f.Rule, Severity: f.Severity, Message: f.Message, Remedy: f.Remedy, Window: f.Window,
	}}
	if f.Path == "" && r.options.Settings.Where != "" {
		out.File = r.options.Settings.Where
		return out
	}
	at, _ := file.Locate(cmp.Or(f.Path, model.JobPath))
	out.place(at.Range, file.Content)
	return out
}

// aboutSettings is what the rules say of the settings with no job at all.
func (r *runner) aboutSettings() []Finding {
	var out []Finding
	for _, f := range rule.Run(r.options.Rules, r.options.input(&model.Job{})) {
		if f.Path == "" {
			out = append(out, Finding{Rule: f.Rule, Severity: f.Severity, File: r.options.Settings.Where, Message: f.Message, Remedy: f.Remedy})
		}
	}
	return out
}

// unmatched names the versions that were compared with nothing.
func (r *runner) unmatched() error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(r.against)) {
		if now := r.against[name]; !now.matched {
			problems = append(problems, fmt.Errorf("--against %s: its job %q is in none of the files: give the file with the new version of that job as PATH",
				now.file.Name, now.file.Job.ID))
		}
	}
	return errors.Join(problems...)
}

// key tells jobs apart.
func key(job *model.Job) string { return cmp.Or(job.Namespace, "default") + "/" + job.ID }

// oneLine is a diagnostic without its place.
func oneLine(d jobspecs.Diagnostic) string {
	text := d.Summary
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return strings.Join(strings.Fields(text), " ")
}
