package lint

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// Finding is a finding of a rule with its place.
type Finding struct {
	Rule     string
	Severity rule.Severity
	// File is the file as it was named, stdin for standard input, the URL of
	// a Traefik, or jobspecs.ServerName for a job of a Nomad.
	File string
	// Path is where in the job it is, which is all that is known of the place
	// where Line is 0; empty for a finding that is not about a part of a job.
	Path model.Path
	// Line and Column count from 1, columns in characters as a reader counts
	// them. Both are 0 where no place in the file can be named. EndLine and
	// EndColumn are the first place after the range.
	Line, Column       int
	EndLine, EndColumn int
	// Message is one line, Remedy none or several.
	Message string
	Remedy  string
	// Window is what a finding about S and T rests on; nil for any other.
	Window *model.Window
	// Excerpt is the line of the file; its Text is empty where there is none.
	Excerpt Excerpt
	// Fix is the remedy in a form that can be written; nil where there is none.
	Fix *rule.Fix
}

// Excerpt is a line of a file without its end. The bytes From to To of Text
// are what the finding is about.
type Excerpt struct {
	Text     string
	From, To int
}

// located is a finding with the path that it was found at.
type located struct {
	Finding
	path model.Path
}

// place fills in where the finding stands.
func (f *Finding) place(at jobspecs.Range, content []byte) {
	f.File = at.File
	if !at.Known() {
		return
	}
	f.Line, f.Column, f.EndLine, f.EndColumn = at.Start.Line, at.Start.Column, at.End.Line, at.End.Column
	f.Excerpt = excerpt(at, content)
}

// excerpt cuts the first line of a range out of the file. Where only columns
// are known they are taken for code points.
func excerpt(at jobspecs.Range, content []byte) Excerpt {
	text, start := lineAt(content, at.Start.Line)
	e := Excerpt{Text: text, From: at.Start.Byte - start, To: at.End.Byte - start}
	if at.Start.Byte < 0 {
		e.From, e.To = offset(text, at.Start.Column), offset(text, at.End.Column)
	}
	if at.End.Line > at.Start.Line || e.To > len(text) {
		e.To = len(text)
	}
	e.From = min(max(e.From, 0), len(text))
	e.To = max(e.To, e.From)
	return e
}

// lineAt returns a line, counted from 1, and the offset at which it starts.
func lineAt(content []byte, line int) (string, int) {
	start := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(content[start:], '\n')
		if next < 0 {
			return "", len(content)
		}
		start += next + 1
	}
	text, _, _ := bytes.Cut(content[start:], []byte("\n"))
	return strings.ToValidUTF8(strings.TrimRight(string(text), "\r"), "?"), start
}

// offset is the byte at which a column, counted from 1, starts.
func offset(text string, column int) int {
	at := 0
	for ; column > 1 && at < len(text); column-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// sorted sorts by place and drops what is there twice, such as a finding about
// the settings that several jobs led to.
func sorted(all []Finding) []Finding {
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Remedy, b.Remedy),
		)
	})
	return slices.CompactFunc(all, func(a, b Finding) bool {
		a.Window, b.Window, a.Fix, b.Fix = nil, nil, nil, nil
		return a == b
	})
}
