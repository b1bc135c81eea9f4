package fix

import (
	"cmp"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs"
)

// maxRounds bounds how often what is found anew in a changed text is fixed in
// its turn. Two are enough for most: a change, and a look at what is left.
const maxRounds = 20

// session turns one text into a better one, step by step.
type session struct {
	linter *lint.Linter
	// src is the text as it is by now, file what it says, found what lint finds
	// in it.
	src   jobspecs.Source
	file  *jobspecs.File
	found []lint.Finding
	fixed []lint.Finding
	// refused says why a finding is not fixed.
	refused map[place]string
	// depth is how many fixes this one follows from.
	depth int
}

// maxDepth bounds how many fixes may follow from one another in one step.
const maxDepth = 3

// place is what tells findings apart while their figures change.
type place struct {
	rule string
	path model.Path
}

func placeOf(f lint.Finding) place { return place{f.Rule, f.Path} }

func newSession(l *lint.Linter, src jobspecs.Source) *session {
	s := &session{linter: l, src: src, refused: map[place]string{}}
	s.file, s.found = l.Lint(src)
	return s
}

func (s *session) run() {
	for range maxRounds {
		todo := s.todo()
		if len(todo) == 0 {
			return
		}
		before := len(s.fixed)
		s.try(todo)
		if len(s.fixed) > before {
			clear(s.refused) // what was in the way may be gone
		}
	}
}

// todo are the findings with a fix that was not refused.
func (s *session) todo() []lint.Finding {
	var out []lint.Finding
	for _, f := range s.found {
		if f.Fix != nil && len(f.Fix.Edits) > 0 && s.refused[placeOf(f)] == "" {
			out = append(out, f)
		}
	}
	return out
}

// try applies the fixes together and keeps the result if it is better. If it
// is not it tries each half, down to the single fix that is to blame.
func (s *session) try(todo []lint.Finding) {
	if s.file == nil {
		return
	}
	fixes, splices := s.plan(todo)
	if len(fixes) == 0 {
		return
	}
	next := s.src
	next.Content = rewrite(s.src.Content, splices)
	file, found := s.linter.Lint(next)
	problem := worse(s.found, found, fixes)
	switch {
	case problem == "":
		s.src, s.file, s.found, s.fixed = next, file, found, append(s.fixed, fixes...)
	case len(fixes) == 1 && !s.follow(next, file, found, fixes):
		s.refused[placeOf(fixes[0])] = problem
	case len(fixes) == 1:
	default:
		half := len(fixes) / 2
		s.try(fixes[:half])
		s.try(s.still(fixes[half:]))
	}
}

// follow fixes what a fix brings, and keeps both where the result is better
// than before the two: a longest request that comes into force may need a
// longer shutdown_delay.
func (s *session) follow(next jobspecs.Source, file *jobspecs.File, found, fixes []lint.Finding) bool {
	if file == nil || s.depth == maxDepth {
		return false
	}
	was, is := tally(s.found), tally(found)
	after := &session{linter: s.linter, src: next, file: file, found: found, refused: map[place]string{}, depth: s.depth + 1}
	var brought []lint.Finding
	for _, f := range after.todo() {
		if is[placeOf(f)].count > was[placeOf(f)].count {
			brought = append(brought, f)
		}
	}
	after.try(brought)
	if worse(s.found, after.found, fixes) != "" {
		return false
	}
	s.src, s.file, s.found, s.fixed = after.src, after.file, after.found, append(s.fixed, fixes...)
	return true
}

// still are those of the findings that were not fixed along with others, as
// they are found by now.
func (s *session) still(fixes []lint.Finding) []lint.Finding {
	wanted := map[place]bool{}
	for _, f := range fixes {
		wanted[placeOf(f)] = true
	}
	var out []lint.Finding
	for _, f := range s.todo() {
		if wanted[placeOf(f)] {
			out = append(out, f)
		}
	}
	return out
}

// plan finds the places in the text to change. Of fixes that contradict each
// other it takes the first; the others have their turn if they are still
// wanted then. What cannot be changed in the text is refused.
func (s *session) plan(todo []lint.Finding) ([]lint.Finding, []splice) {
	var fixes []lint.Finding
	t := newText(s.file)
	all := changes{values: map[model.Path]any{}}
	for _, f := range todo {
		splices, why := t.splices(f.Fix.Edits)
		switch {
		case why != "":
			s.refused[placeOf(f)] = why
		case all.add(f.Fix.Edits, splices):
			fixes = append(fixes, f)
		}
	}
	return fixes, all.splices
}

// left are the findings that have a fix, or a reason not to, and are still
// there.
func (s *session) left() []Left {
	var out []Left
	for _, f := range s.found {
		if f.Fix != nil {
			out = append(out, Left{f, cmp.Or(f.Fix.Not, s.refused[placeOf(f)], "other fixes bring it back again and again")})
		}
	}
	return out
}
