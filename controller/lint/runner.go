package lint

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	nomadapi "github.com/hashicorp/nomad/api"

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

// visitor is shown each job, with the version that runs now where there is one.
type visitor = func(*jobspecs.File, rule.Input)

// walk reads the files and shows those that can be parsed, and all jobs of a
// server.
func (r *runner) walk(names []string, visit visitor) error {
	var problems []error
	for _, name := range names {
		problems = append(problems, r.file(name, visit))
	}
	for _, job := range r.options.Jobs {
		r.result.Jobs++
		r.show(job, visit)
	}
	return errors.Join(append(problems, r.unmatched())...)
}

func (r *runner) add(found []Finding) { r.result.Findings = append(r.result.Findings, found...) }

// parse returns nil where the file has mistakes, which are then findings.
func (r *runner) parse(name string) (*jobspecs.File, error) {
	src, err := jobspecs.Read(name, r.options.Stdin)
	if err != nil {
		return nil, err
	}
	return r.parseSource(src), nil
}

func (r *runner) parseSource(src jobspecs.Source) *jobspecs.File {
	specs := r.options.Specs
	specs.AllowUndeclared = specs.AllowUndeclared || r.shared
	file, err := jobspecs.Parse(src, specs)
	if err != nil {
		r.result.Unreadable++
		r.add(mistakes(src, err))
		return nil
	}
	return file
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

func (r *runner) file(name string, visit visitor) error {
	r.result.Files++
	file, err := r.parse(name)
	if file == nil {
		return err
	}
	return errors.Join(err, r.job(file, visit))
}

// job shows what a file has.
func (r *runner) job(file *jobspecs.File, visit visitor) error {
	var err error
	if r.options.Running != nil && r.against[key(&file.Job)] == nil {
		err = r.readRunning(&file.Job)
	}
	r.show(file, visit)
	return err
}

// readRunning asks for the version of a job that runs now. After the first
// failure nobody is asked again: the next answer would be the same, and late.
func (r *runner) readRunning(job *model.Job) error {
	namespace := job.Namespace
	if namespace == nomadapi.DefaultNamespace {
		namespace = cmp.Or(r.options.Namespace, namespace)
	}
	now, err := r.options.Running(namespace, job.ID)
	switch {
	case err != nil:
		r.options.Running = nil
	case now == nil:
		r.result.New = append(r.result.New, jobspecs.ServerName(namespace, job.ID))
	default:
		// Under the name that the file has, whatever namespace was asked.
		r.against[key(job)] = &current{file: now}
	}
	return err
}

// show makes the input of the rules and gives it to the visitor.
func (r *runner) show(file *jobspecs.File, visit visitor) {
	in := r.options.input(&file.Job)
	in.Beside = &r.beside
	if now := r.against[key(&file.Job)]; now != nil {
		now.matched = true
		before := r.options.input(&now.file.Job)
		in.Against, in.InPlace = &before, inPlace(now.file, file)
	}
	visit(file, in)
}

// judge applies the rules to one job.
func (r *runner) judge(file *jobspecs.File, in rule.Input) {
	var found []located
	for _, f := range rule.Run(r.options.Rules, in) {
		if r.first(f) {
			found = append(found, r.locate(file, f))
		}
	}
	r.beside.Add(in)
	r.add(withoutIgnored(file, in, found, r.options.Rules))
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
		Rule: f.Rule, Severity: f.Severity, Path: f.Path, Message: f.Message, Remedy: f.Remedy, Window: f.Window, Fix: f.Fix,
	}}
	if f.Path == "" && r.options.Settings.Where != "" {
		out.File = r.options.Settings.Where
		r.options.Settings.place(&out.Finding, f.Setting)
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
		if f.Path != "" {
			continue
		}
		finding := Finding{Rule: f.Rule, Severity: f.Severity, File: r.options.Settings.Where, Message: f.Message, Remedy: f.Remedy}
		r.options.Settings.place(&finding, f.Setting)
		out = append(out, finding)
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
