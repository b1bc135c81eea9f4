package jobspecs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/draingate/draingate/controller/model"
)

// Pos is a place in a file. Line and Column count from 1, columns in characters
// as a reader counts them (grapheme clusters), which is how HCL counts. Byte
// counts from 0 and is -1 where only line and column are known.
type Pos struct {
	Line, Column, Byte int
}

// Range is a stretch of a file; End is the first place after it. The zero
// Start, line 0, means that no place in the file can be named.
type Range struct {
	File       string
	Start, End Pos
}

// Known reports whether the range names a place.
func (r Range) Known() bool { return r.Start.Line > 0 }

// String returns file:line:column, or the file alone.
func (r Range) String() string {
	if !r.Known() {
		return r.File
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}

func rangeOf(r hcl.Range) Range {
	return Range{File: r.Filename, Start: Pos(r.Start), End: Pos(r.End)}
}

// Position is where one part of a job stands.
type Position struct {
	// Range is what to show: an attribute from its name to the end of its
	// value, the header of a block without its braces, an element of a list. A
	// block that a dynamic block made has the header of the content block. In
	// JSON the header of a block is its name: the property that holds it or,
	// for the job and an element of a list, its ID, Name or Label, else its
	// opening brace.
	Range Range
	// Value is the attribute's value alone, or all between the braces of a
	// block with the braces. An attribute whose value comes from a variable or
	// a local has the expression that refers to it, and so has each element of
	// a list that does.
	Value Range
}

// Locate returns the position of what the path names. Where that is not in the
// source, it returns where the value comes from: the service for what a check
// takes over from it, the job for the update block and meta of a group. Where
// it is nowhere, it is the nearest block around it. The second result is the
// path that was found: equal to the one given only where exactly that is in
// the source.
func (f *File) Locate(path model.Path) (Position, model.Path) {
	all := f.places()
	for p := path; p != ""; p = p.Parent() {
		for _, candidate := range append([]model.Path{p}, inherited(p)...) {
			if at, ok := all[candidate]; ok {
				return at, candidate
			}
		}
	}
	return Position{Range: Range{File: f.Name}}, ""
}

// Has reports whether exactly what the path names is in the source.
func (f *File) Has(path model.Path) bool {
	_, ok := f.places()[path]
	return ok
}

// Paths returns the paths of all that has a position, sorted.
func (f *File) Paths() []model.Path { return slices.Sorted(maps.Keys(f.places())) }

// inherited are the places that Nomad looks at next for a value.
func inherited(p model.Path) []model.Path {
	var out []model.Path
	if before, after, ok := strings.Cut(string(p), ".check["); ok {
		_, of, _ := strings.Cut(after, "]")
		if of == ".on_update" || of == ".check_restart" || strings.HasPrefix(of, ".check_restart.") {
			out = append(out, model.Path(before+of))
		}
	}
	of := strings.TrimPrefix(string(p), string(groupOf(p)))
	if of == ".update" || strings.HasPrefix(of, ".update.") || strings.HasPrefix(of, ".meta[") {
		out = append(out, model.JobPath+model.Path(of))
	}
	return out
}

// groupOf is the group that the path is in, or empty.
func groupOf(p model.Path) model.Path {
	for ; p != ""; p = p.Parent() {
		if p.Parent() == model.JobPath && strings.HasPrefix(string(p), "group[") {
			return p
		}
	}
	return ""
}

// places are the positions of the source; none for a job without one.
func (f *File) places() positions {
	if f.positions == nil {
		return nil
	}
	return f.positions()
}

// positions collects positions while a source is walked.
type positions map[model.Path]Position

// add keeps the first of several: a path that is there twice is a mistake that
// Nomad reports.
func (p positions) add(path model.Path, at Position) {
	if _, there := p[path]; !there {
		p[path] = at
	}
}
