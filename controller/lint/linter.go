package lint

import "github.com/draingate/draingate/jobspecs"

// Linter looks at texts that need not be in any file, in the same way as Run
// looks at the files of its options: with the same variables, settings and
// versions to compare with.
type Linter struct {
	runner runner
	names  []string
}

// NewLinter reads what the options have to compare with. The Linter is of use
// in spite of an error, which says what could not be read.
func NewLinter(o Options) (*Linter, error) {
	r, names, err := o.runner()
	return &Linter{runner: r, names: names}, err
}

// Files are the names of the files that Run would look at, sorted.
func (l *Linter) Files() []string { return l.names }

// Lint returns what is found in a text, sorted, and the text as it was read;
// nil where it has mistakes, which are then the findings.
func (l *Linter) Lint(src jobspecs.Source) (*jobspecs.File, []Finding) {
	r := l.runner
	r.result, r.said = Result{}, map[string]bool{}
	file := r.parseSource(src)
	if file != nil {
		r.job(file)
	}
	return file, sorted(r.result.Findings)
}
