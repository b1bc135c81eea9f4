package fix

import (
	"bytes"
	"errors"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/jobspecs"
)

// Result is what can be fixed and what cannot.
type Result struct {
	// Changes has the files that something is fixed in, sorted by name.
	Changes []Change
	// Left are the findings that are not fixed and of whose rules others may
	// be, in the order of lint.
	Left []Left
}

// Fixed is how many findings the changes remove.
func (r Result) Fixed() int {
	n := 0
	for _, c := range r.Changes {
		n += len(c.Fixed)
	}
	return n
}

// Change is one file as it is and as it would be. The two differ.
type Change struct {
	// Name is as it was given, stdin for standard input.
	Name          string
	Before, After []byte
	// Fixed are the findings that are gone, in the order in which they went.
	Fixed []lint.Finding
}

// Left is a finding that is not fixed.
type Left struct {
	lint.Finding
	// Why goes on after "not fixed:".
	Why string
}

// Run works out what to change in the files of the options. It writes nothing.
// A file that cannot be parsed is left to lint. With an error, which says what
// could not be read, there is no result.
func Run(o lint.Options) (Result, error) {
	linter, err := lint.NewLinter(o)
	var out Result
	for _, name := range linter.Files() {
		src, problem := jobspecs.Read(name, o.Stdin)
		if problem != nil {
			err = errors.Join(err, problem)
			continue
		}
		out.add(newSession(linter, src))
	}
	if err = errors.Join(err, linter.Err()); err != nil {
		return Result{}, err
	}
	return out, nil
}

func (r *Result) add(s *session) {
	before := s.src.Content
	s.run()
	if !bytes.Equal(before, s.src.Content) {
		r.Changes = append(r.Changes, Change{Name: s.src.Name, Before: before, After: s.src.Content, Fixed: s.fixed})
	}
	r.Left = append(r.Left, s.left()...)
}
