package lint

import (
	"errors"

	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// Linter looks at texts that need not be in any file, in the same way as Run
// looks at the files of its options: with the same variables, settings and
// versions to compare with.
type Linter struct {
	runner *runner
	names  []string
	err    error
}

// NewLinter reads what the options have to compare with. The Linter is of use
// in spite of an error, which says what could not be read.
func NewLinter(o Options) (*Linter, error) {
	if ask := o.Running; ask != nil {
		o.Running = once(ask)
	}
	r, names, err := o.runner()
	return &Linter{runner: r, names: names}, err
}

// once asks for each job one time: texts are many, and jobs are few.
func once(ask func(namespace, id string) (*jobspecs.File, error)) func(namespace, id string) (*jobspecs.File, error) {
	type answer struct {
		file *jobspecs.File
		err  error
	}
	known := map[[2]string]answer{}
	return func(namespace, id string) (*jobspecs.File, error) {
		name := [2]string{namespace, id}
		if _, there := known[name]; !there {
			file, err := ask(namespace, id)
			known[name] = answer{file, err}
		}
		return known[name].file, known[name].err
	}
}

// Files are the names of the files that Run would look at, sorted.
func (l *Linter) Files() []string { return l.names }

// Err says why a version that runs now could not be read. What was found up to
// then is not to be relied on.
func (l *Linter) Err() error { return l.err }

// Lint returns what is found in a text, sorted, and the text as it was read;
// nil where it has mistakes, which are then the findings.
func (l *Linter) Lint(src jobspecs.Source) (*jobspecs.File, []Finding) {
	r := *l.runner
	r.result, r.said, r.beside = Result{}, map[string]bool{}, rule.Definitions{}
	file := r.parseSource(src)
	if file != nil && l.err == nil {
		l.err = errors.Join(l.err, r.job(file, r.judge))
	}
	return file, sorted(r.result.Findings)
}
