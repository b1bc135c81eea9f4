package jobspecs

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Diagnostic says why a source cannot be read.
type Diagnostic struct {
	// Range is where; of a file other than the source for a file of variables.
	Range Range
	// Summary is a few words; Detail is a sentence or more, and may be empty.
	Summary string
	Detail  string
}

// Error returns file:line:column: summary: detail.
func (d Diagnostic) Error() string {
	out := d.Summary
	if where := d.Range.String(); where != "" {
		out = where + ": " + out
	}
	if d.Detail != "" {
		out += ": " + d.Detail
	}
	return out
}

// Diagnostics are all reasons that were found, sorted by place. There is at
// least one where it is returned as an error.
type Diagnostics []Diagnostic

// Error returns one line for each.
func (d Diagnostics) Error() string {
	lines := make([]string, 0, len(d))
	for _, one := range d {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// sorted sorts by place and drops what is there twice. Nomad's parser goes
// through variables in the order of a map.
func (d Diagnostics) sorted() Diagnostics {
	slices.SortFunc(d, func(a, b Diagnostic) int {
		return cmp.Or(
			strings.Compare(a.Range.File, b.Range.File),
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
			strings.Compare(a.Summary, b.Summary),
			strings.Compare(a.Detail, b.Detail),
		)
	})
	return slices.CompactFunc(d, func(a, b Diagnostic) bool { return a.Error() == b.Error() }).withoutEchoes()
}

// withoutEchoes drops what the parser says of a value only because it could not
// be worked out, unless nothing else is said.
func (d Diagnostics) withoutEchoes() Diagnostics {
	rest := slices.DeleteFunc(slices.Clone(d), func(one Diagnostic) bool {
		return strings.HasSuffix(one.Detail, "value must be known") || strings.HasSuffix(one.Detail, "found {{{}}}") ||
			one.Summary == "Root value must be object"
	})
	if len(rest) == 0 {
		return d
	}
	return rest
}

// fromHCL converts the errors among HCL's diagnostics. What names no place is
// said of the source.
func fromHCL(source string, in hcl.Diagnostics) Diagnostics {
	var out Diagnostics
	for _, d := range in {
		if d.Severity != hcl.DiagError {
			continue
		}
		one := Diagnostic{Summary: d.Summary, Detail: d.Detail, Range: Range{File: source}}
		switch {
		case d.Subject != nil:
			one.Range = rangeOf(*d.Subject)
		case d.Context != nil:
			one.Range = rangeOf(*d.Context)
		}
		out = append(out, one)
	}
	return out
}

// fromParser converts what jobspec2 returned: HCL's diagnostics or, for
// mistakes inside the job block, their text (jobspec2/parse.go, v1.11.3,
// decode), from which the places are read back.
func fromParser(source string, err error) Diagnostics {
	var typed hcl.Diagnostics
	if errors.As(err, &typed) {
		return fromHCL(source, typed)
	}
	return fromText(source, err.Error())
}

// fromText reads lines of the form "file:3,5-9: Summary; Detail", with two
// numbers after the dash where the range ends on another line, and <nil> for a
// diagnostic without a place. A line of another form goes on with the detail
// before it.
func fromText(source, text string) Diagnostics {
	start := regexp.MustCompile(`^(?:<nil>|(.*?):(\d+),(\d+)-(?:(\d+),)?(\d+)): (.*)$`)
	var out Diagnostics
	for line := range strings.SplitSeq(text, "\n") {
		m := start.FindStringSubmatch(line)
		if m == nil && len(out) > 0 {
			out[len(out)-1].Detail += "\n" + line
			continue
		}
		one := Diagnostic{Summary: line, Range: Range{File: source}}
		if m != nil {
			one.Summary, one.Detail, _ = strings.Cut(m[6], "; ")
		}
		if m != nil && number(m[2]) > 0 {
			one.Range = Range{
				File:  m[1],
				Start: Pos{Line: number(m[2]), Column: number(m[3]), Byte: -1},
				End:   Pos{Line: number(cmp.Or(m[4], m[2])), Column: number(m[5]), Byte: -1},
			}
		}
		out = append(out, one)
	}
	return out
}

// number reads digits; more of them than fit are of no place in a file.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// problem is a diagnostic about a file as a whole.
func problem(file, summary, format string, args ...any) Diagnostics {
	return Diagnostics{{Range: Range{File: file}, Summary: summary, Detail: fmt.Sprintf(format, args...)}}
}
